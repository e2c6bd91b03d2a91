"""Fetching, as assets are given it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from resources.sources.catalogue import catalogue

if TYPE_CHECKING:
    from resources.downloads.snapshots import Outcome, Try

FILES = tuple(name for name, source in catalogue().items() if source.downloads)
"""Sources that are official files."""

ROME, DESCRIPTIONS = "rome_api", "city_descriptions"

FETCHED = (*FILES, ROME)
"""What is fetched by default. City descriptions have a weekly job of their own."""


class Fetcher(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Fetches from outside services, with Settings from the environment: no secret is in Dagster's configuration."""

    def fetch(self, names: Sequence[str], progress: Callable[[str], None], try_sources: "Try") -> list["Outcome"]:
        """See `resources.fetching.fetch`."""
        from resources.fetching import fetch  # what speaks HTTP takes a tenth of a second, which a refresh does without

        return fetch(names, progress, try_sources)
