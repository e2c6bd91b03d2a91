"""The warehouse, as assets are given it."""

import getpass
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version

import dagster as dg

from warehouse.database import connect
from warehouse.lock import only_writer
from warehouse.release import Contents, Release, publish


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The database that readers read."""

    url: str
    keep_releases: int = 1

    def publish(self, contents: Sequence[Contents], started_at: datetime, progress: Callable[[str], None]) -> Release:
        """Publish contents in one step, as whoever runs this process; return the release served then."""
        engine = connect(self.url)
        try:
            with only_writer(engine, progress=progress):
                return publish(
                    engine,
                    contents,
                    started_at=started_at,
                    code_version=version("mobiville-warehouse"),
                    started_by=getpass.getuser(),
                    keep=self.keep_releases,
                    progress=progress,
                )
        finally:
            engine.dispose()
