"""The daily backup."""

import dagster as dg

from assets.common.staleness import served_release
from resources.retries import with_retries
from resources.settings import Settings
from schedules.refresh import TIMEZONE
from warehouse.backup import backup
from warehouse.database import connect

CRON = "30 4 * * *"


def backup_job(settings: Settings) -> dg.JobDefinition:
    """The job that copies what is served into the folder of backups."""

    @dg.op(description="Copies what is served to a compressed file, from one moment, with its sha256 beside it.")
    def copy_what_is_served(context: dg.OpExecutionContext) -> dg.Output[str]:
        engine = connect(settings.warehouse_url)
        with with_retries(context.retry_number):
            file = backup(engine, settings.backups, keep=settings.keep_backups, progress=context.log.info)
        engine.dispose()
        return dg.Output(str(file), metadata={"file": dg.MetadataValue.path(str(file)), "bytes": file.stat().st_size})

    @dg.job(name="backup", description="A backup of what is served: `mobiville backup`.")
    def backup_of_warehouse() -> None:
        copy_what_is_served()

    return backup_of_warehouse


def daily(settings: Settings, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every day, after the nightly refresh."""

    @dg.schedule(
        name="daily_backup",
        job=job,
        cron_schedule=CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Backs up what is served; dated, weekday and quarter copies are kept (MOBIVILLE_KEEP_BACKUPS).",
    )
    def daily_backup(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        release = served_release(settings)
        if release is None:
            return dg.SkipReason("no release is served yet: there is nothing to back up")
        return dg.RunRequest()

    return daily_backup
