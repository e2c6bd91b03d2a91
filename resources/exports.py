"""Exporting the served release, with what the catalogue says of its sources."""

from collections.abc import Callable, Collection
from pathlib import Path

from sqlalchemy import Engine

from raw_data import is_sample
from resources.sources.catalogue import catalogue
from warehouse.datapackage import Catalogue
from warehouse.export import export
from warehouse.release import TableVersion

ATTRIBUTION = {"title", "publisher", "licence", "landing_page"}


def export_release(
    engine: Engine,
    folder: Path,
    *,
    keep: int,
    progress: Callable[[str], None],
    staged: Collection[TableVersion] = (),
) -> Path:
    """`warehouse.export.export`, with the title, publisher, licence and page of each source."""
    sources = {name: source.model_dump(include=ATTRIBUTION) for name, source in catalogue().items()}
    return export(engine, folder, Catalogue(sources, is_sample), keep=keep, staged=staged, progress=progress)
