"""The weekly enrichment of communes from outside sources."""

from typing import Any

import dagster as dg

from schedules.refresh import TIMEZONE

CRON = "0 0 * * 1"


def weekly(job: Any) -> dg.ScheduleDefinition:
    """Every Monday at midnight: the given job."""
    return dg.ScheduleDefinition(
        name="weekly_enrichment",
        job=job,
        cron_schedule=CRON,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Descriptions and photos of communes, from Wikipedia: those that are missing or changed.",
    )
