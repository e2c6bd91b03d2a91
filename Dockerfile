FROM python:3.11-slim
WORKDIR /app
# mariadb-dump makes the backups
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends mariadb-client && rm -rf /var/lib/apt/lists/*
COPY requirements.txt requirements-dev.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --constraint requirements-dev.txt --editable ".[mysql,celery,kubernetes,s3]" \
    && useradd --create-home mobiville && mkdir -p var/dagster /backups \
    && chown -R mobiville var deploy/dagster /backups
USER mobiville
ENV DAGSTER_HOME=/app/var/dagster
ENTRYPOINT ["mobiville"]
CMD ["refresh"]
