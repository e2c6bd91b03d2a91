"""The warehouse, as assets are given it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import dagster as dg
from sqlalchemy import Engine

from resources.exports import export_release
from warehouse.database import connect
from warehouse.diff import diff
from warehouse.early import EarlyLoads
from warehouse.record import Origin
from warehouse.release import Release, TableVersion, current_release, history, publish

EARLY: dict[str, EarlyLoads] = {}
"""What this process loads already, by the URL of the database: see `pipelines.run.refresh`."""


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The database that readers read."""

    url: str
    exports: str = ""
    keep_releases: int = 1
    keep_record: int | None = None

    def publish(
        self, contents: Sequence[TableVersion], started_at: datetime, progress: Callable[[str], None], *, deep: bool
    ) -> Release:
        """Publish contents in one step, as whoever runs this process; return the release served then."""
        with self._engine() as engine:
            return publish(
                engine,
                contents,
                origin=Origin(started_at),
                keep=self.keep_releases,
                keep_record=self.keep_record,
                deep=deep,
                early=EARLY.get(self.url),
                progress=progress,
            )

    def export(self, staged: Sequence[TableVersion], progress: Callable[[str], None]) -> Path:
        """Write the served release to the folder of exports, see `warehouse.export.export`; return its folder there."""
        with self._engine() as engine:
            folder = Path(self.exports)
            return export_release(engine, folder, keep=self.keep_releases, staged=staged, progress=progress)

    def rows(self) -> dict[str, int]:
        """How many rows each served table has."""
        with self._engine() as engine:
            release = current_release(engine)
        return {name: table.rows for name, table in release.tables.items()} if release else {}

    def changes(self, release: Release) -> dict[str, dict[str, int]]:
        """For each table that a release loaded in the place of another's contents: rows added, removed and changed."""
        loaded = [name for name, table in release.tables.items() if table.contents_id == release.id]
        with self._engine() as engine:
            before = next((old for old in history(engine, limit=2) if old.id < release.id), None)
            if before is None or not loaded:
                return {}
            found = diff(engine, before.id, release.id, first=0)
        return {name: {kind: change.rows for kind, change in kinds.items()} for name, kinds in found.items()}

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        if early := EARLY.get(self.url):  # its connections are open: each new one takes 50 ms
            yield early.engine
            return
        engine = connect(self.url)
        try:
            yield engine
        finally:
            engine.dispose()
