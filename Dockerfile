FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --editable . \
    && useradd --create-home mobiville && mkdir -p var/dagster && chown -R mobiville var
USER mobiville
ENV DAGSTER_HOME=/app/var/dagster
ENTRYPOINT ["mobiville"]
CMD ["refresh"]
