"""The warehouse, as assets are given it."""

import getpass
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version

import dagster as dg

from warehouse.database import connect
from warehouse.release import Contents, Release, publish


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The database that readers read."""

    url: str

    def publish(self, contents: Sequence[Contents], started_at: datetime, progress: Callable[[str], None]) -> Release:
        """Publish contents in one step, as whoever runs this process; return the release served then."""
        engine = connect(self.url)
        try:
            return publish(
                engine,
                contents,
                started_at=started_at,
                code_version=version("mobiville-warehouse"),
                started_by=getpass.getuser(),
                progress=progress,
            )
        finally:
            engine.dispose()
