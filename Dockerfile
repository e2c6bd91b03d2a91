FROM python:3.11.14-slim-bookworm
WORKDIR /app
# mariadb-dump makes the backups
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends mariadb-client && rm -rf /var/lib/apt/lists/*
COPY requirements.txt requirements-dev.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --constraint requirements-dev.txt --editable ".[mysql,celery,kubernetes,s3]" \
    && groupadd --gid 10001 mobiville && useradd --uid 10001 --gid 10001 --create-home mobiville \
    && mkdir -p var/dagster /backups /files \
    && chown -R mobiville var deploy/dagster /backups /files
# A number: Kubernetes tells by it that this is not root
USER 10001:10001
ENV DAGSTER_HOME=/app/var/dagster
# No entry point: Dagster's chart and its pods of runs give `dagster …` as arguments
CMD ["mobiville", "refresh"]
