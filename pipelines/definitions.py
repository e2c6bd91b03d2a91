"""The code location: every asset, job and resource, put together."""

import os

import dagster as dg

from assets.common.imports import load_imports
from assets.raw_files import dump_is_whole, raw_files_are_recent
from pipelines.event_log import keep_open
from pipelines.executors import executor
from pipelines.jobs import enrichment, fetch, offers_by_day, refresh
from resources.raw_data import RawData
from resources.settings import Settings
from resources.staging import Staging
from resources.warehouse import Warehouse
from schedules.alerts import alert_sensor
from schedules.backup import backup_job, daily
from schedules.dumps import dump_sensor
from schedules.enrichment import weekly
from schedules.refresh import nightly, raw_file_sensor

keep_open()


def _secret(variable: str, value: str) -> str:
    """A setting that may hold a password: Dagster, whose UI shows what it is given, gets the variable's name."""
    return dg.EnvVar(variable) if os.environ.get(variable) == value else value


def definitions(settings: Settings) -> dg.Definitions:
    """Everything, given its settings."""
    backup = backup_job(settings)
    return dg.Definitions(
        assets=load_imports(),
        asset_checks=[dump_is_whole, raw_files_are_recent],
        jobs=[refresh, fetch, enrichment, offers_by_day, backup],
        schedules=[nightly(settings, refresh), weekly(enrichment), daily(settings, backup)],
        sensors=[dump_sensor(settings, refresh), raw_file_sensor(settings, refresh), alert_sensor(settings)],
        executor=executor(settings),
        resources={
            "raw_data": RawData.from_settings(settings),
            "staging": Staging(folder=str(settings.staging)),
            "warehouse": Warehouse(
                url=_secret("MOBIVILLE_WAREHOUSE_URL", settings.warehouse_url),
                exports=str(settings.exports),
                keep_releases=settings.keep_releases,
                keep_record=settings.keep_record,
            ),
        },
    )


defs = definitions(Settings())
