"""The sensor on the datalake's dumps: a new one that has arrived whole is loaded."""

import bz2
import hashlib
import json
from pathlib import Path
from typing import Any

import dagster as dg

from assets.common.staleness import of_sources, served_release
from pipelines.jobs import refresh
from resources.settings import Settings
from resources.sources.files import RawFiles
from schedules.refresh import WHY

SOURCE = "offers_dump"
BLOCK = 1 << 20


def dump_sensor(settings: Settings) -> dg.SensorDefinition:
    """The newest dump, once its size has stood over two looks and it is whole: offers and what is made from them."""

    @dg.sensor(
        name="new_dump",
        job=refresh,
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Looks at the dumps' folder. When a newer dump is there, its size has stood over two looks and it "
            "decompresses to its end, it refreshes cities_jobs and publishes it. A dump older than the newest, and one "
            "that is damaged, is reported once; the same contents are never loaded twice."
        ),
    )
    def new_dump(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        state: dict[str, Any] = {"looked": [], "judged": [], "sha256": "", "until": 0, "late": []}
        state |= json.loads(context.cursor or "{}")

        def skip(reason: str, *, wrong: bool = False) -> dg.SensorResult:
            if wrong:
                context.log.error(reason)
            return dg.SensorResult(skip_reason=reason, cursor=json.dumps(state))

        files = RawFiles.from_settings(settings)
        paths = files.paths(SOURCE)
        if not paths:
            return skip(f"no dump is in {settings.dumps_folder}")
        newest = paths[0]
        arrived = {path.name: path.stat().st_ctime_ns for path in files.candidates(SOURCE) if path != newest}
        late = sorted(name for name, time in arrived.items() if 0 < state["until"] < time and name not in state["late"])
        state["until"] = max([*arrived.values(), newest.stat().st_ctime_ns])
        state["late"] = sorted({*state["late"], *late} & set(arrived))
        if late:
            return skip(f"{', '.join(late[:5])} came late: older than {newest.name}, so not loaded")
        look = [newest.name, newest.stat().st_size, newest.stat().st_mtime_ns]
        if look == state["judged"]:
            return skip(f"nothing new: {newest.name} was dealt with")
        if look != state["looked"]:
            state["looked"] = look
            return skip(f"{newest.name} ({look[1]:,} bytes) is new: waiting until its size stands")
        if served_release(settings) is None:
            return skip("no release is served yet: the first refresh makes everything")
        state["judged"] = look
        try:
            sha256 = _sha256_if_whole(newest)
        except (OSError, EOFError, ValueError) as error:
            return skip(f"{newest.name} is damaged or not whole: {error}. Put it there again", wrong=True)
        if sha256 == state["sha256"]:
            return skip(f"{newest.name} holds what was loaded already")
        state["sha256"] = sha256
        graph = context.repository_def.asset_graph  # type: ignore[union-attr]
        plan = of_sources(graph, settings, [SOURCE])
        if not plan:
            return skip(f"{newest.name} is loaded already, by another refresh")
        why = f"new dump {newest.name}, sha256 {sha256[:12]}; {plan}"
        context.log.info(why)
        key = f"{newest.name} {sha256}"
        request = dg.RunRequest(key, asset_selection=plan.selection(graph), tags={WHY: why[:250]})
        return dg.SensorResult([request], cursor=json.dumps(state))

    return new_dump


def _sha256_if_whole(path: Path) -> str:
    """The sha256 of a bzip2 file. Raises OSError, EOFError or ValueError when it does not decompress to its end."""
    size = 0
    with bz2.open(path) as file:
        while block := file.read(BLOCK):
            size += len(block)
    if not size:
        raise ValueError("it is empty")
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
