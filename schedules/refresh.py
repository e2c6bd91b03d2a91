"""The nightly refresh, and the sensor that refreshes what a changed raw file touches."""

import hashlib
import json

import dagster as dg

from assets.common.staleness import changed_sources, of_sources, served_release, whole
from pipelines.jobs import refresh
from resources.settings import Settings
from resources.sources.catalogue import catalogue
from resources.sources.files import RawFiles

TIMEZONE = "Europe/Paris"
WHY = "mobiville/why"
"""The tag of a run that says what asked for it."""


def nightly(settings: Settings) -> dg.ScheduleDefinition:
    """Every night: whatever other files or rules than before would make otherwise, or nothing at all."""

    @dg.schedule(
        name="nightly_refresh",
        job=refresh,
        cron_schedule=settings.nightly_cron,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Makes and publishes what changed since the last refresh. With nothing new it starts no run.",
    )
    def nightly_refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        graph = context.repository_def.asset_graph
        plan = whole(graph, settings)
        if not plan:
            release = served_release(settings)
            return dg.SkipReason(f"nothing new: release {release.id if release else '-'} stays as it is")
        context.log.info(str(plan))
        return dg.RunRequest(asset_selection=plan.selection(graph), tags={WHY: f"nightly refresh; {plan}"[:250]})

    return nightly_refresh


def raw_file_sensor(settings: Settings) -> dg.SensorDefinition:
    """A raw file that changed, came or went: what it touches is made anew, once its folder has come to rest."""

    @dg.sensor(
        name="raw_files_changed",
        job=refresh,
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Compares the raw files (sha256) with those that the served release was made from; when they have been the "
            "same over two looks, refreshes what the changed ones touch. Each state of the files is asked for once."
        ),
    )
    def raw_files_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        state = json.loads(context.cursor or "{}")
        looked = _listing(settings)
        if state.get("looked") != looked:
            state["looked"] = looked
            return _skip(state, "the folder is not as it was at the last look: waiting until it has come to rest")
        release = served_release(settings)
        if release is None:
            return _skip(state, "no release is served yet: the first refresh makes everything")
        files = {name: v for name, v in changed_sources(settings, release).items() if name != "offers_dump"}
        asked = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
        graph = context.repository_def.asset_graph  # type: ignore[union-attr]
        plan = of_sources(graph, settings, list(files))
        if not plan:
            return _skip(state, f"no file changed: release {release.id} was made from those that are there")
        if state.get("asked") == asked:
            return _skip(state, f"{', '.join(files)}: asked for already; that run is not done, or failed")
        why = f"changed: {', '.join(files)}; {plan}"
        context.log.info(why)
        key = f"{asked}-r{release.id}"
        request = dg.RunRequest(key, asset_selection=plan.selection(graph), tags={WHY: why[:250]})
        return dg.SensorResult([request], cursor=json.dumps(state | {"asked": asked}))

    return raw_files_changed


def _skip(state: dict[str, str], reason: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))


def _listing(settings: Settings) -> str:
    """What stands for the names, sizes and times of the raw files."""
    files = RawFiles.from_settings(settings)
    paths = {path for name in catalogue() if name != "offers_dump" for path in files.candidates(name)}
    seen = [(str(path), stat.st_size, stat.st_mtime_ns) for path in sorted(paths) for stat in [path.stat()]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()
