"""The sensor on the datalake's dumps: a new dump is loaded once it has been copied completely."""

import json

import dagster as dg

from assets.common.staleness import of_sources, served_release
from assets.raw_files import WHOLE, sha256_if_whole
from resources.errors import SourceError
from resources.settings import Settings
from resources.sources.files import RawFiles
from schedules.refresh import ASKED, Job, failed_runs, requested

NEWEST, DAYS = ("offers_dump", "offers_days")
NEW_CURSOR = {"seen": "", "handled": "", "asked": ""}
"""What stands for the dumps (names, sizes, times) at the last tick, when they were handled, when a run was asked."""


def dump_sensor(settings: Settings, job: Job) -> dg.SensorDefinition:
    """The sensor that runs the given refresh job for what is made from dumps, when they are new and complete."""

    @dg.sensor(
        name="new_dump",
        job=job,
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Watches the folder of dumps. When dumps came or changed, have not changed for two ticks and the newest "
            "decompresses to its end, what is made from them is refreshed and published: cities_jobs of a new newest "
            "one, offers_history of each. A newest dump that is damaged is reported once, as a failed check, until "
            "another takes its place. A run that failed is asked for again, twice."
        ),
    )
    def new_dump(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _tick(context, settings, NEW_CURSOR | json.loads(context.cursor or "{}"))

    return new_dump


def _tick(context: dg.SensorEvaluationContext, settings: Settings, state: dict[str, str]) -> dg.SensorResult:
    """A tick of the sensor; `state` becomes its cursor."""

    def skip(reason: str) -> dg.SensorResult:
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state), asset_events=checked)

    def check(words: str) -> None:
        checked.append(dg.AssetCheckEvaluation(WHOLE.asset_key, WHOLE.name, not words, description=words))

    checked: list[dg.AssetCheckEvaluation] = []
    files = RawFiles.from_settings(settings)
    paths, now = files.paths(NEWEST), files.version(DAYS)
    if not paths:
        return skip(f"no dump is in {settings.dumps_folder}")
    newest, failed = paths[0], failed_runs(context.instance, state["asked"])
    if now == state["handled"] and not failed:
        return skip(f"nothing new: {newest.name} was handled")
    if now != state["seen"]:
        state["seen"] = now
        return skip(f"dumps came or changed, the newest is {newest.name}: waiting until none changes")
    if served_release(settings) is None:
        return skip("no release is served yet: the first refresh builds everything")
    state["handled"] = now
    try:
        sha256 = sha256_if_whole(newest)
    except SourceError as error:
        check(str(error))
        return skip(str(error))
    check("")
    graph = context.repository_def.asset_graph  # type: ignore[union-attr]
    plan = of_sources(graph, settings, [NEWEST, DAYS])
    if not plan:
        return skip(f"the dumps up to {newest.name} are loaded already, by another refresh")
    if state["asked"] == now and not failed:
        return skip(f"the dumps up to {newest.name}: a run was started already; it is not done, or it failed")
    state["asked"] = now
    why = f"new dumps, the newest is {newest.name}, sha256 {sha256[:12]}; {plan}"
    context.log.info(why)
    request = requested(plan, graph, why, f"{now} {failed}", **{ASKED: now})
    return dg.SensorResult([request], cursor=json.dumps(state), asset_events=checked)
