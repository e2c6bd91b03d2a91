"""The nightly refresh, and the sensor that refreshes what depends on a changed raw file."""

import hashlib
import json
import time
from typing import Any

import dagster as dg

from assets.common.staleness import Plan, changed_sources, of_sources, served_release, whole
from resources.settings import Settings
from resources.sources.catalogue import catalogue
from resources.sources.files import RawFiles

Job = Any
"""A job, of assets or of ops: Dagster exports no type for both."""

TIMEZONE = "Europe/Paris"
WHY = "mobiville/why"
"""The tag of a run that says why it was started."""


ASKED = "mobiville/asked"
"""The tag of a run of a sensor that says for which contents of files it was asked for."""
TRIES = 3
PAUSE_SECONDS = 1800
"""How often a run that fails is asked for, and how long after its end it is asked for again."""


def failed_runs(instance: dg.DagsterInstance, asked: str) -> int:
    """How many runs for those contents failed, if another one is to be asked for; else 0."""
    runs = instance.get_run_records(dg.RunsFilter(tags={ASKED: asked})) if asked else []
    over = runs and runs[0].dagster_run.is_failure_or_canceled and time.time() - (runs[0].end_time or 0) > PAUSE_SECONDS
    return len(runs) if over and len(runs) < TRIES else 0


def requested(plan: Plan, graph: Any, why: str, key: str | None = None, **tags: str) -> dg.RunRequest:
    """The run of what is to be made, that says why it is."""
    tags |= {WHY: why[:250]}
    return dg.RunRequest(key, asset_selection=plan.selection(graph), asset_check_keys=plan.checks, tags=tags)


def nightly(settings: Settings, job: Job) -> dg.ScheduleDefinition:
    """The nightly run of the given refresh job, for what other files or rules would change."""

    @dg.schedule(
        name="nightly_refresh",
        job=job,
        cron_schedule=settings.nightly_cron,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Rebuilds and publishes what changed since the last refresh. With nothing new it starts no run.",
    )
    def nightly_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        graph = context.repository_def.asset_graph
        plan = whole(graph, settings)
        if not plan:
            release = served_release(settings)
            return dg.SkipReason(f"nothing new: release {release.id if release else '-'} stays as it is")
        context.log.info(str(plan))
        return requested(plan, graph, f"nightly refresh; {plan}")

    return nightly_refresh


def raw_file_sensor(settings: Settings, job: Job) -> dg.SensorDefinition:
    """The sensor that runs the given refresh job for what depends on raw files that changed, came or went."""

    @dg.sensor(
        name="raw_files_changed",
        job=job,
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Compares the raw files (sha256) with those that the served release was made from. When they have not "
            "changed for two ticks, what depends on the new ones is refreshed. Each state of the files starts one run; "
            "one that failed is asked for again, twice."
        ),
    )
    def raw_files_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _tick(context, settings, json.loads(context.cursor or "{}"))

    return raw_files_changed


def _tick(context: dg.SensorEvaluationContext, settings: Settings, state: dict[str, str]) -> dg.SensorResult:
    """A tick of the sensor; `state` becomes its cursor."""
    seen = _listing(settings)
    if state.get("seen") != seen:
        state["seen"] = seen
        return _skip(state, "the folder has changed since the last tick: waiting until it no longer changes")
    release = served_release(settings)
    if release is None:
        return _skip(state, "no release is served yet: the first refresh builds everything")
    files = {name: v for name, v in changed_sources(settings, release).items() if catalogue()[name].folder != "dumps"}
    asked = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    graph = context.repository_def.asset_graph  # type: ignore[union-attr]
    plan = of_sources(graph, settings, list(files))
    if not plan:
        return _skip(state, f"no file changed since release {release.id}")
    failed = failed_runs(context.instance, asked)
    if state.get("asked") == asked and not failed:
        return _skip(state, f"{', '.join(files)}: a run was started already; it is not done, or it failed")
    why = f"changed: {', '.join(files)}; {plan}"
    context.log.info(why)
    request = requested(plan, graph, why, f"{asked}-r{release.id}-{failed}", **{ASKED: asked})
    return dg.SensorResult([request], cursor=json.dumps(state | {"asked": asked}))


def _skip(state: dict[str, str], reason: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))


def _listing(settings: Settings) -> str:
    """A sha256 of the names, sizes and times of the raw files."""
    files = RawFiles.from_settings(settings)
    paths = {
        path for name, source in catalogue().items() if source.folder != "dumps" for path in files.candidates(name)
    }
    seen = [(str(path), stat.st_size, stat.st_mtime_ns) for path in sorted(paths) for stat in [path.stat()]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
