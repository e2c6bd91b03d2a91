"""The record of releases, read: which release is served, its tables, and the files that they were made from."""

import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from sqlalchemy import Connection, Engine, func, inspect, select, table

from warehouse import tables

RECORD = (tables.releases, tables.release_tables, tables.release_sources)


def now() -> datetime:
    """The present time as the record has it: UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def account() -> str:
    """The account that runs this process: its name, or its number where the system has no name for it (a container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@dataclass(frozen=True)
class Origin:
    """Where a release comes from: when its making began (UTC), by which version of the code, by whom."""

    started_at: datetime = field(default_factory=now)
    code_version: str = field(default_factory=lambda: version("mobiville-warehouse"))
    started_by: str = field(default_factory=account)


@dataclass(frozen=True, order=True)
class SourceFile:
    """A file that contents were made from, and what became of its rows: read = used + merged + rejected."""

    source_id: str
    file_name: str
    vintage: str | None
    sha256: str
    rows_read: int | None = None
    rows_used: int | None = None
    rows_merged: int | None = None
    rows_rejected: int | None = None


def geography(files: Iterable[SourceFile]) -> str | None:
    """Which communes codes are of, in words: "COG 2026"; without a COG "communes 2015", those of the communes file."""
    vintages: dict[str, set[str]] = {}
    for file in files:
        vintages.setdefault(file.source_id, set()).add(file.vintage or "unknown")
    for source, words in (("cog", "COG"), ("communes", "communes")):
        if found := vintages.get(source):  # two where a table is still of the one before
            return f"{words} {', '.join(sorted(found - {'unknown'}))}".strip()
    return None


@dataclass(frozen=True)
class ServedTable:
    """One table of a release."""

    name: str
    contents_id: int
    loaded_at: datetime
    rows: int
    sha256: str
    fingerprint: str
    sources: list[SourceFile] = field(default_factory=list)

    @property
    def max_age(self) -> timedelta:
        """How old its contents may be."""
        age: timedelta = tables.metadata.tables[self.name].info["max_age"]
        return age

    def is_stale(self) -> bool:
        """Whether its contents were loaded longer ago than that."""
        return now() - self.loaded_at > self.max_age


@dataclass(frozen=True)
class Release:
    """A release, with the tables that it serves."""

    id: int
    started_at: datetime
    published_at: datetime
    status: str
    code_version: str
    started_by: str
    tables: dict[str, ServedTable]

    @property
    def files(self) -> list[SourceFile]:
        """The files that its tables were made from."""
        return [file for table in self.tables.values() for file in table.sources]

    def contents(self) -> dict[str, int]:
        """The contents that it serves: of each table, the release that loaded them."""
        return {name: table.contents_id for name, table in self.tables.items()}


def current_release(engine: Engine) -> Release | None:
    """The release that readers see; None while there is none."""
    found = history(engine, limit=1)
    return found[0] if found else None


def history(engine: Engine, limit: int | None = None) -> list[Release]:
    """The releases there have been, the newest first."""
    with engine.connect() as connection:
        return recorded(connection, limit) if inspect(connection).has_table(tables.releases.name) else []


def recorded(connection: Connection, limit: int | None = None) -> list[Release]:
    """What the record says, the newest release first."""
    query = select(tables.releases).order_by(tables.releases.c.id.desc()).limit(limit)
    return [Release(**row._mapping, tables=_tables_of(connection, row.id)) for row in connection.execute(query).all()]


def _tables_of(connection: Connection, release: int) -> dict[str, ServedTable]:
    of_tables, of_sources = tables.release_tables, tables.release_sources
    found = {
        row.table_name: ServedTable(*row[1:])
        for row in connection.execute(
            select(of_tables).where(of_tables.c.release_id == release).order_by(of_tables.c.table_name)
        )
    }
    for row in connection.execute(
        select(of_sources).where(of_sources.c.release_id == release).order_by(*of_sources.primary_key.columns)
    ):
        found[row.table_name].sources.append(SourceFile(*row[2:]))
    return found


def count_rows(engine: Engine, names: Iterable[str]) -> dict[str, int]:
    """The number of rows of each table that is there."""
    there = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
            for name in names
            if name in there
        }
