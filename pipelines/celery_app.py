"""The Celery application that runs steps: `celery -A pipelines.celery_app worker -Q dagster`, same settings."""

from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from pipelines.executors import celery_addresses
from resources.settings import Settings

app = make_app(CeleryExecutor.for_cli(**celery_addresses(Settings())).app_args())
execute_plan = create_task(app)
