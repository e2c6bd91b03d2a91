"""The weekly enrichment of communes from outside services."""

import dagster as dg

from schedules.refresh import TIMEZONE, Job

CRON = "0 0 * * 1"


def weekly(job: Job) -> dg.ScheduleDefinition:
    """Run the given job every Monday at midnight."""
    return dg.ScheduleDefinition(
        name="weekly_enrichment",
        job=job,
        cron_schedule=CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Fetches descriptions and photos of communes from Wikipedia: those that are missing or old.",
    )
