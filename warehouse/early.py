"""Loads that begin before the release: what is staged and checked is loaded while other tables are computed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from warehouse.database import connect
from warehouse.record import ServedTable, current_release
from warehouse.release import TableVersion, drop_tables, loaded, side_by_side


class EarlyLoads:
    """Contents that are loaded beside the served tables, in threads, while others are made; for whoever holds the lock.

    `publish` takes them instead of loading again. What it does not take is dropped at the end, and after a kill by the
    next release.
    """

    def __init__(self, url: str, progress: Callable[[str], None]) -> None:
        self.engine, self._progress = connect(url), progress
        release = current_release(self.engine)
        self._old, self._number = (release.tables, release.id + 1) if release else ({}, 1)
        self._pool = ThreadPoolExecutor(side_by_side(self.engine))
        self._loads: dict[str, tuple[str, Future[ServedTable]]] = {}

    def begin(self, content: TableVersion) -> None:
        """Load the contents, once a connection is free."""
        name = content.table.name
        load = self._pool.submit(loaded, self.engine, content, self._old.get(name), self._number, self._progress)
        self._loads[name] = (content.fingerprint, load)

    def names(self) -> set[str]:
        """The tables that are loaded, or being loaded."""
        return {f"{name}__next" for name in self._loads}

    def take(self, content: TableVersion) -> ServedTable | None:
        """The table as the release will serve it, once it is loaded; None where it was not, or with other contents:
        then the place beside the served table is free again.
        """
        if content.table.name not in self._loads:
            return None
        fingerprint, load = self._loads.pop(content.table.name)
        wait([load])
        return load.result() if fingerprint == content.fingerprint else None

    def end(self) -> None:
        """Stop loading, and drop what was not taken."""
        self._pool.shutdown(cancel_futures=True)
        drop_tables(self.engine, self.names())
        self.engine.dispose()
