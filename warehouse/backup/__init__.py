"""Backups of what is served: made from one moment, restored beside what is served, and swapped in.

A backup is a file compressed with bzip2: the SQL of mariadb-dump, or a SQLite database. It holds the tables of the
served release and the record of releases. The file beside it, `<file>.json`, says what it is and must be: see
`Manifest`.

Whoever backs up, verifies or restores holds the warehouse's lock: a release that is swapped in meanwhile would be
mixed into the copy.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, inspect

from warehouse import tables
from warehouse.backup import mariadb, sqlite
from warehouse.backup.manifest import Manifest, TableContents, checked, drop_old, file_names, give_name, write_manifest
from warehouse.backup.stream import CompressedFile, Progress
from warehouse.database import connect, is_sqlite
from warehouse.errors import WarehouseError, full_disk_named
from warehouse.lock import only_writer
from warehouse.migrate import VERSION_TABLE, revision, upgrade
from warehouse.record import RECORD, Origin, ServedTable, count_rows
from warehouse.release import Release, clean, current_release, next_number, promote
from warehouse.swap import swap


class Database(Protocol):
    """What a module of this package does for one kind of database."""

    def write(self, engine: Engine, names: list[str], out: CompressedFile, partial: Path) -> dict[str, str]:
        """Write the tables as they are at one moment; return the sha256 of each one's rows."""

    def digests(self, engine: Engine, names: Iterable[str]) -> dict[str, str]:
        """The sha256 of each table's rows."""

    def scratch(
        self, engine: Engine, purpose: str, file: Path, names: Collection[str], progress: Progress
    ) -> AbstractContextManager[str]:
        """The URL of a database that holds what a backup gives, the tables `names`; it ends with the block. Raises
        WarehouseError, before any of it is run, when the file holds anything else.
        """

    def bring(self, engine: Engine, source: Engine, names: Iterable[str]) -> None:
        """Bring the tables of a scratch database into `<table>__next` of the warehouse, in one step."""


def backup(
    engine: Engine,
    folder: Path,
    *,
    keep: int,
    progress: Progress = lambda message: None,
    at: datetime | None = None,
) -> Path:
    """Copy the served release and the record into `folder`; return the file, which has its whole content or is not.

    The same file also stands there as that of its weekday and of its quarter (UTC), in the place of the former ones:
    `mobiville-monday.sql.bz2`, `mobiville-2026-Q4.sql.bz2`. Of the dated files the last `keep` stay, at least one.
    `at` is the present time where none is given.

    Raises WarehouseError when nothing is served, when the served tables do not have the rows of the record, or when
    mariadb-dump is missing or fails; the files that were there are then as they were.
    """
    at = at or datetime.now(UTC).replace(tzinfo=None)
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(engine, progress=progress):
        for leftover in folder.glob(".mobiville-*.partial*"):  # SQLite's journal too
            leftover.unlink()
        release = _whole_release(engine)
        dated, *others = file_names(at, release.id, "db" if is_sqlite(engine) else "sql")
        file = folder / dated
        _write(engine, release, file, at, progress)
        for name in others:
            give_name(file, folder / name)
        drop_old(folder, max(keep, 1))
    progress(f"{file.name}: release {release.id}, {file.stat().st_size:,} bytes")
    return file


def verify(engine: Engine, file: Path, *, progress: Progress = lambda message: None) -> Manifest:
    """Restore a backup in a scratch database, compare each table's rows and contents with its manifest; return that.

    MariaDB: a database of its own on the same server, dropped afterwards. SQLite: a file beside the warehouse's.
    Raises WarehouseError that names what differs.
    """
    manifest = checked(engine, file, progress)
    with only_writer(engine, progress=progress), _scratch(engine, "verify", file, manifest.tables, progress) as scratch:
        rows = count_rows(scratch, manifest.tables)
        digests = _database(engine).digests(scratch, rows)
    found = {name: TableContents(number, digests[name]) for name, number in rows.items()}
    wrong = [
        f"{name}: expected {expected}, found {found.get(name, 'no such table')}"
        for name, expected in manifest.tables.items()
        if found.get(name) != expected
    ]
    if wrong:
        raise WarehouseError(f"{file} does not give what was backed up: {'; '.join(wrong)}")
    progress(f"{file.name}: release {manifest.release}, {len(found)} tables as they were")
    return manifest


def restore(engine: Engine, file: Path, *, keep: int, progress: Progress = lambda message: None) -> Release:
    """Load a backup beside what is served, check it, and serve it in one step as a release of its own; return that.

    Rows come back as they were, ids and stamps included. `keep` releases before it stay whole, so it can be rolled
    back. A warehouse without a release and without rows gets the backup's record of releases too. Killed at any
    moment, readers keep what they have; the next run cleans up.

    Raises WarehouseError when the file is not what its manifest says, or its tables do not have the rows of the record.
    """
    origin = Origin()
    manifest = checked(engine, file, progress)
    with only_writer(engine, progress=progress):
        upgrade(engine)
        clean(engine, keep)
        with_record = current_release(engine) is None and not any(count_rows(engine, tables.metadata.tables).values())
        entries = _bring(engine, file, manifest.tables, with_record, progress)
        incoming = {name: f"{name}__next" for name in entries}
        progress(f"swapping {len(incoming)} tables")
        if with_record:  # the release of the backup is served again first: contents and record say the same
            swap(engine, incoming, {})
            clean(engine, keep)
            incoming = {}
        else:
            number = next_number(engine)
            entries = {name: replace(entry, contents_id=number) for name, entry in entries.items()}
        restored = promote(engine, entries, incoming, origin, status="restore")
        clean(engine, keep)
    progress(f"release {restored.id} serves release {manifest.release} of {manifest.made_at}")
    return restored


def _database(engine: Engine) -> Database:
    return sqlite if is_sqlite(engine) else mariadb


def _bring(
    engine: Engine, file: Path, names: Collection[str], with_record: bool, progress: Progress
) -> dict[str, ServedTable]:
    """Load a backup's tables, and its record if asked, into `<table>__next`; return what the record says of them."""
    with _scratch(engine, "restore", file, names, progress) as scratch:
        upgrade(scratch)
        entries = _whole_release(scratch).tables
        progress(f"loading {len(entries)} tables, {sum(entry.rows for entry in entries.values()):,} rows")
        record = [table.name for table in RECORD if with_record]
        _database(engine).bring(engine, scratch, [*entries, *record])
    return entries


@contextmanager
def _scratch(engine: Engine, purpose: str, file: Path, names: Collection[str], progress: Progress) -> Iterator[Engine]:
    """A database that holds what a backup gives; it ends with the block. What a killed run left goes first."""
    with _database(engine).scratch(engine, purpose, file, names, progress) as url:
        scratch = connect(url)
        try:
            yield scratch
        finally:
            scratch.dispose()


def _whole_release(engine: Engine) -> Release:
    """The served release; WarehouseError where there is none, or its tables do not have the rows of the record."""
    release = current_release(engine)
    if release is None:
        raise WarehouseError("no release is served: there is nothing to back up or restore")
    found = count_rows(engine, release.tables)
    wrong = [
        f"{name} has {found.get(name, 'no table for')} rows, the record says {entry.rows}"
        for name, entry in release.tables.items()
        if found.get(name) != entry.rows
    ]
    if wrong:
        raise WarehouseError(f"release {release.id} is not what its record says: {'; '.join(wrong)}")
    return release


def _write(engine: Engine, release: Release, file: Path, at: datetime, progress: Progress) -> None:
    """Write the backup and its manifest under temporary names; they get their own when they are whole."""
    there = set(inspect(engine).get_table_names())
    names = [*release.tables, *(table.name for table in RECORD), VERSION_TABLE]
    partial = file.with_name(f".{file.name}.partial")
    try:
        with full_disk_named(file.parent), partial.open("wb") as out:
            written = CompressedFile(out, progress)
            names = [name for name in names if name in there]
            digests = _database(engine).write(engine, names, written, partial.with_suffix(".copy.partial"))
            written.finish()
            os.fsync(out.fileno())
        file.unlink(missing_ok=True)  # one of the same second: it must not stand beside another's manifest
        write_manifest(file, _manifest(engine, release, at, digests, written.sha256.hexdigest()))
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _manifest(engine: Engine, release: Release, at: datetime, digests: dict[str, str], sha256: str) -> Manifest:
    with engine.connect() as connection:
        at_revision = revision(connection)
    rows = count_rows(engine, digests)
    return Manifest(
        database="sqlite" if is_sqlite(engine) else "mariadb",
        release=release.id,
        published_at=release.published_at.isoformat(),
        made_at=at.replace(microsecond=0).isoformat(),
        revision=at_revision,
        sha256=sha256,
        tables={name: TableContents(rows[name], digest) for name, digest in digests.items()},
    )
