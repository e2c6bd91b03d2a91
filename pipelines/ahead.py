"""Raw files that are read before the steps that need them: in a thread, while Dagster is imported and starts."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from resources.errors import SourceError
from resources.settings import Settings
from resources.sources.audit import Reading
from resources.sources.facilities import counted
from resources.sources.reader import AHEAD, Begun, Reader

STEPS = {
    "communes": ("cog", "cities"),
    "offers_dump": ("cities_jobs", "offers_history"),
    "bpe": ("equipments",),
}
"""The sources that two steps read, or that take longest, and the steps that read them."""


class Ahead:
    """Reads files one after the other. The steps take the reading when their turn has come, and with it the error, if
    there was one.
    """

    def __init__(self, settings: Settings) -> None:
        self._files, self._pool = Reader.from_settings(settings), ThreadPoolExecutor(1)
        self._begun: dict[str, tuple[Path, Future[Reading[Any]]]] = {}

    def begin(self, sources: Collection[str]) -> None:
        """Read those of the sources that are read ahead, if they are not already."""
        for source in STEPS:
            if source in sources and source not in self._begun:
                try:
                    path = self._files.path(source)
                except SourceError:  # the step will say so
                    continue
                self._begun[source] = path, self._pool.submit(_read, self._files, source, path)

    @contextmanager
    def kept_for(self, steps: Collection[str]) -> Iterator[None]:
        """Read what these steps need, and nothing else; let them have it."""
        paths = self._handed_over({source: sum(step in steps for step in STEPS[source]) for source in STEPS})
        try:
            yield
        finally:
            for path in paths:
                AHEAD.pop(path, None)
            self._pool.shutdown(cancel_futures=True)

    def _handed_over(self, waiting: Mapping[str, int]) -> list[Path]:
        """The files read, whose readings now belong to the steps that wait: the last to take one frees its memory."""
        self.begin([source for source, steps in waiting.items() if steps])
        begun, self._begun = self._begun, {}
        for source, (path, reading) in begun.items():
            if waiting[source]:
                AHEAD[path] = Begun(reading, waiting[source])
            else:
                reading.cancel()
        return [path for path, _ in begun.values()]


def _read(files: Reader, source: str, path: Path) -> Reading[Any]:
    return counted(files) if source == "bpe" else files.typed(source, path)
