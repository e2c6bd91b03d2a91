"""Backups of a SQLite warehouse: a copy of the database, with the tables of the backup alone."""

import hashlib
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.schema import CreateTable

from warehouse import tables
from warehouse.backup.stream import BLOCK, CompressedFile, Progress, unpacked
from warehouse.errors import WarehouseError
from warehouse.load import next_of


def digests(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """The sha256 of each table's rows."""
    return _digests_of(Path(str(engine.url.database)), names)


def write(engine: Engine, names: list[str], out: CompressedFile, partial: Path) -> dict[str, str]:
    """Write the tables as they are at one moment, by way of a copy of the database; return the sha256 of their rows."""
    try:
        with (
            closing(engine.raw_connection()) as source,
            closing(sqlite3.connect(partial, isolation_level=None)) as copy,
        ):
            live = source.driver_connection
            assert isinstance(live, sqlite3.Connection)
            live.backup(copy)
            there = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for name in [row[0] for row in there if row[0] not in names]:
                copy.execute(f'DROP TABLE "{name}"')
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("VACUUM")
        with partial.open("rb") as data:
            while block := data.read(BLOCK):
                out.write(block)
        return _digests_of(partial, names)
    finally:
        partial.unlink(missing_ok=True)


def _digests_of(path: Path, names: Iterable[str]) -> dict[str, str]:
    found = {}
    with closing(sqlite3.connect(path)) as copy:
        for name in names:
            digest = hashlib.sha256()
            for row in copy.execute(f"SELECT * FROM {name} ORDER BY rowid"):  # noqa: S608
                digest.update(repr(row).encode())
            found[name] = digest.hexdigest()
    return found


@contextmanager
def scratch(engine: Engine, purpose: str, file: Path, names: Collection[str], progress: Progress) -> Iterator[str]:
    """The URL of a database that holds what a backup gives, in a folder beside the warehouse's file."""
    folder = Path(f"{engine.url.database}.{purpose}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        path = folder / "scratch.db"
        with path.open("wb") as out:
            out.writelines(unpacked(file, progress))
        _refuse_others(file, path, names)
        yield f"sqlite:///{path}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_others(file: Path, path: Path, names: Collection[str]) -> None:
    """Raise WarehouseError when a database holds anything but the tables of the backup, their indexes and our views."""
    query = "SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND type <> 'index'"
    known = {f"table {name}" for name in names} | {f"view {name}" for name in tables.VIEWS}
    try:
        with closing(sqlite3.connect(path)) as copy:
            others = sorted({row[0] for row in copy.execute(query)} - known)
    except sqlite3.DatabaseError as error:
        raise WarehouseError(f"{file} is no copy of a SQLite database: {error}. It is refused.") from None
    if others:
        raise WarehouseError(f"{file}: {', '.join(others)} is none of this backup. It is refused.")


def bring(engine: Engine, source: Engine, names: Iterable[str]) -> None:
    """Copy the tables into `<table>__next` of the warehouse, in one transaction."""
    described = tables.metadata.tables | tables.record.tables
    with closing(engine.raw_connection()) as raw:
        cursor = raw.cursor()
        cursor.execute("ATTACH DATABASE ? AS incoming", (str(source.url.database),))
        try:
            cursor.execute("BEGIN IMMEDIATE")
            for name in names:
                columns = ", ".join(f'"{column.name}"' for column in described[name].columns)
                beside = next_of(described[name])
                cursor.execute(str(CreateTable(beside).compile(engine)))
                cursor.execute(f"INSERT INTO {beside.name} ({columns}) SELECT {columns} FROM incoming.{name}")  # noqa: S608
            cursor.execute("COMMIT")
        finally:
            if raw.driver_connection and raw.driver_connection.in_transaction:
                cursor.execute("ROLLBACK")
            cursor.execute("DETACH DATABASE incoming")
