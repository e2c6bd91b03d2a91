"""Raw files that are read before the steps that need them: in a thread, while Dagster starts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assets.common.lineage import staged_key
from assets.common.staleness import Plan
from assets.equipments import counted
from resources.errors import SourceError
from resources.raw_data import AHEAD, Begun, RawData
from resources.settings import Settings
from resources.sources.audit import Reading

STEPS = {
    "communes": ("cog", "cities"),
    "offers_dump": ("cities_jobs", "offers_history"),
    "bpe": ("equipments",),
}
"""The sources that two steps read, or that take longest, and the steps that read them."""


@contextmanager
def reading_ahead(settings: Settings, plan: Plan) -> Iterator[None]:
    """Read the files that take longest for the steps of a plan, and those that two of them read, one after the other.

    The steps take the reading when their turn has come, and with it the error, if there was one.
    """
    raw_data, pool = RawData.from_settings(settings), ThreadPoolExecutor(1)
    begun = []
    for source, steps in STEPS.items():
        try:
            path = raw_data.path(source)
        except SourceError:  # the step will say so
            continue
        if waiting := sum(staged_key(step) in plan.staged for step in steps):
            AHEAD[path] = Begun(pool.submit(_read, raw_data, source, path), waiting)
            begun.append(path)
    try:
        yield
    finally:
        for path in begun:
            AHEAD.pop(path, None)
        pool.shutdown(cancel_futures=True)


def _read(raw_data: RawData, source: str, path: Path) -> Reading[Any]:
    return counted(raw_data) if source == "bpe" else raw_data.typed(source, path)
