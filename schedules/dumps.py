"""The sensor on the datalake's dumps: a new dump is loaded once it has been copied completely."""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from assets.common.staleness import of_sources, served_release
from assets.raw_files import WHOLE, sha256_if_whole
from resources.errors import SourceError
from resources.settings import Settings
from resources.sources.files import RawFiles
from schedules.refresh import Job, failed_runs, requested

SOURCE = "offers_dump"
NEW_CURSOR: dict[str, Any] = {"seen": [], "handled": [], "sha256": "", "until": 0, "late": []}
"""Name, size and time of the newest dump at the last tick, and of the last one that was handled; the sha256 of that;
the time of the newest change; dumps that were reported as late."""


def dump_sensor(settings: Settings, job: Job) -> dg.SensorDefinition:
    """The sensor that runs the given refresh job for `cities_jobs` when the newest dump is new and complete."""

    @dg.sensor(
        name="new_dump",
        job=job,
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Watches the folder of dumps. When there is a newer dump, its size has not changed for two ticks and it "
            "decompresses to its end, cities_jobs is refreshed and published. A dump older than the newest, and a "
            "damaged one, is reported once, the latter as a failed check of the dump, until another takes its place. "
            "The same contents are never loaded twice; a run that failed is asked for again, twice."
        ),
    )
    def new_dump(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _tick(context, settings, NEW_CURSOR | json.loads(context.cursor or "{}"))

    return new_dump


def _tick(context: dg.SensorEvaluationContext, settings: Settings, state: dict[str, Any]) -> dg.SensorResult:
    """A tick of the sensor; `state` becomes its cursor."""

    def skip(reason: str) -> dg.SensorResult:
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state), asset_events=checked)

    def check(words: str) -> None:
        checked.append(dg.AssetCheckEvaluation(WHOLE.asset_key, WHOLE.name, not words, description=words))

    checked: list[dg.AssetCheckEvaluation] = []

    files = RawFiles.from_settings(settings)
    paths = files.paths(SOURCE)
    if not paths:
        return skip(f"no dump is in {settings.dumps_folder}")
    newest = paths[0]
    failed = failed_runs(context.instance, state["sha256"])
    if reason := _not_ready(files, newest, state, again=bool(failed)):
        return skip(reason)
    if served_release(settings) is None:
        return skip("no release is served yet: the first refresh builds everything")
    state["handled"] = state["seen"]
    try:
        sha256 = sha256_if_whole(newest)
    except SourceError as error:
        check(str(error))
        return skip(str(error))
    check("")
    if sha256 == state["sha256"] and not failed:
        return skip(f"{newest.name} has the contents of a dump that is loaded already")
    state["sha256"] = sha256
    graph = context.repository_def.asset_graph  # type: ignore[union-attr]
    plan = of_sources(graph, settings, [SOURCE])
    if not plan:
        return skip(f"{newest.name} is loaded already, by another refresh")
    why = f"new dump {newest.name}, sha256 {sha256[:12]}; {plan}"
    context.log.info(why)
    request = requested(f"{newest.name} {sha256} {failed}", sha256, plan.selection(graph), why)
    return dg.SensorResult([request], cursor=json.dumps(state), asset_events=checked)


def _not_ready(files: RawFiles, newest: Path, state: dict[str, Any], *, again: bool) -> str:
    """Why the newest dump is not to be loaded at this tick; empty if it is. Updates the state."""
    changed = {path.name: path.stat().st_ctime_ns for path in files.candidates(SOURCE) if path != newest}
    late = sorted(name for name, time in changed.items() if 0 < state["until"] < time and name not in state["late"])
    state["until"] = max([*changed.values(), newest.stat().st_ctime_ns])
    state["late"] = sorted({*state["late"], *late} & set(changed))
    if late:
        return f"{', '.join(late[:5])} arrived late: older than {newest.name}, so not loaded"
    seen = [newest.name, newest.stat().st_size, newest.stat().st_mtime_ns]
    if seen == state["handled"] and not again:
        return f"nothing new: {newest.name} was handled"
    if seen != state["seen"]:
        state["seen"] = seen
        return f"{newest.name} ({seen[1]:,} bytes) is new: waiting until its size no longer changes"
    return ""
