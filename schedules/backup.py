"""The daily backup."""

import dagster as dg

from assets.common.staging_asset import POOL
from assets.common.staleness import served_release
from resources.retries import with_retries
from resources.settings import Settings
from schedules.refresh import TIMEZONE, Job
from warehouse.backup import backup
from warehouse.database import connect

CRON = "30 4 * * *"


def backup_job(settings: Settings) -> dg.JobDefinition:
    """The job that backs up the served release."""

    @dg.op(
        description="Writes a consistent, compressed copy of the served release, with its sha256 beside it.", pool=POOL
    )
    def back_up_release(context: dg.OpExecutionContext) -> dg.Output[str]:
        engine = connect(settings.warehouse_url)
        with with_retries(context.retry_number):
            file = backup(engine, settings.backups, keep=settings.keep_backups, progress=context.log.info)
        engine.dispose()
        return dg.Output(str(file), metadata={"file": dg.MetadataValue.path(str(file)), "bytes": file.stat().st_size})

    @dg.job(name="backup", description="A backup of the served release, as `mobiville backup` makes it.")
    def backup_of_warehouse() -> None:
        back_up_release()

    return backup_of_warehouse


def daily(settings: Settings, job: Job) -> dg.ScheduleDefinition:
    """The daily run of the given backup job, after the nightly refresh."""

    @dg.schedule(
        name="daily_backup",
        job=job,
        cron_schedule=CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Backs up the served release; keeps dated, weekday and quarter copies (MOBIVILLE_KEEP_BACKUPS).",
    )
    def daily_backup(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        release = served_release(settings)
        if release is None:
            return dg.SkipReason("no release is served yet: there is nothing to back up")
        return dg.RunRequest()

    return daily_backup
