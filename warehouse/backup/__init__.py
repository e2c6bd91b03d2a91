"""Backups of what is served: made from one moment, restored beside what is served, and swapped in.

A backup is a file compressed with bzip2: the SQL of mariadb-dump, or a SQLite database. It holds the tables of the
served release and the record of releases. The file beside it, `<file>.json`, says what it is and must be: see `Note`.

Who backs up, verifies or restores holds the warehouse's lock: a release that is swapped in meanwhile would be mixed
into the copy.
"""

import bz2
import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import URL, Engine, inspect
from sqlalchemy.schema import CreateTable

from warehouse import tables
from warehouse.database import WarehouseError, connect, is_sqlite
from warehouse.load import next_of
from warehouse.lock import only_writer
from warehouse.migrate import VERSION_TABLE, revision, upgrade
from warehouse.release import RECORD, Release, clean, current_release, next_number, promote, swap

Progress = Callable[[str], None]

BLOCK = 1 << 20
"""Bytes that are read, compressed and written at a time."""
SAY_EVERY = 16 << 20
"""Bytes between two words of progress."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DATED = re.compile(r"mobiville-\d{8}-\d{6}-r\d+\.(sql|db)\.bz2")


@dataclass(frozen=True)
class TableNote:
    """A table in a backup: its rows, number, and the sha256 of their contents."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Note:
    """What a backup is: the file is refused when its sha256 differs, what it gives when the tables differ."""

    database: str  # mariadb or sqlite
    release: int
    published_at: str  # UTC
    made_at: str  # UTC
    revision: str | None  # of warehouse/migrations
    sha256: str  # of the file
    tables: dict[str, TableNote]


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
        head = _whole(engine)
        kind = "db" if is_sqlite(engine) else "sql"
        file = folder / f"mobiville-{at:%Y%m%d-%H%M%S}-r{head.id}.{kind}.bz2"
        note = _write(engine, head, file, at, progress)
        for name in (WEEKDAYS[at.weekday()], f"{at.year}-Q{(at.month + 2) // 3}"):
            _stand_also(file, folder / f"mobiville-{name}.{kind}.bz2")
        _drop_old(folder, max(keep, 1))
    progress(f"{file.name}: release {note.release}, {file.stat().st_size:,} bytes")
    return file


def verify(engine: Engine, file: Path, *, progress: Progress = lambda message: None) -> Note:
    """Restore a backup where nobody reads, compare each table's rows and contents with its note; return the note.

    MariaDB: into a database of its own on the same server, dropped afterwards. SQLite: into a file beside the
    warehouse's. Raises WarehouseError that names what differs.
    """
    note = _checked(engine, file, progress)
    with only_writer(engine, progress=progress), _scratch(engine, "verify", file, progress) as scratch:
        found = {name: TableNote(rows, "") for name, rows in _counts(scratch, note.tables).items()}
        digests = _digests(scratch, note.tables)
        found = {name: replace(table, sha256=digests[name]) for name, table in found.items()}
    wrong = [
        f"{name}: noted {note.tables[name]}, found {found[name]}" for name in found if found[name] != note.tables[name]
    ]
    if wrong:
        raise WarehouseError(f"{file} does not give what was backed up: {'; '.join(wrong)}")
    progress(f"{file.name}: release {note.release}, {len(found)} tables as they were")
    return note


def restore(
    engine: Engine,
    file: Path,
    *,
    code_version: str,
    started_by: str,
    keep: int,
    progress: Progress = lambda message: None,
) -> Release:
    """Load a backup beside what is served, check it, and serve it in one step as a release of its own; return that.

    Rows come back as they were, ids and stamps included. `keep` releases before it stay whole, so it can be rolled
    back. A warehouse without a release and without rows gets the backup's record of releases too. Killed at any
    moment, readers keep what they have; the next run cleans up.

    Raises WarehouseError when the file is not what its note says, or its tables do not have the rows of the record.
    """
    started_at = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    note = _checked(engine, file, progress)
    with only_writer(engine, progress=progress):
        upgrade(engine)
        clean(engine, keep)
        with _scratch(engine, "restore", file, progress) as scratch:
            upgrade(scratch)
            head = _whole(scratch)
            bring_record = _is_empty(engine)
            names = [*head.tables, *(table.name for table in RECORD if bring_record)]
            progress(f"loading {len(head.tables)} tables, {sum(e.rows for e in head.tables.values()):,} rows")
            (_bring_sqlite if is_sqlite(engine) else _bring_mariadb)(engine, scratch, names)
        incoming = {name: f"{name}__next" for name in head.tables}
        entries = head.tables
        progress(f"swapping {len(incoming)} tables")
        if bring_record:  # the release of the backup is served again first: contents and record tell the same
            swap(engine, incoming, {})
            clean(engine, keep)
            incoming = {}
        else:
            number = next_number(engine)
            entries = {name: replace(entry, contents_id=number) for name, entry in entries.items()}
        restored = promote(
            engine,
            entries,
            incoming,
            started_at=started_at,
            code_version=code_version,
            started_by=started_by,
            status="restore",
        )
        clean(engine, keep)
    progress(f"release {restored.id} serves release {note.release} of {note.made_at}")
    return restored


def _whole(engine: Engine) -> Release:
    """The served release; WarehouseError where there is none, or its tables do not have the rows of the record."""
    head = current_release(engine)
    if head is None:
        raise WarehouseError("no release is served: there is nothing to back up or restore")
    found = _counts(engine, head.tables)
    wrong = [
        f"{name} has {found.get(name, 'no table for')} rows, the record says {entry.rows}"
        for name, entry in head.tables.items()
        if found.get(name) != entry.rows
    ]
    if wrong:
        raise WarehouseError(f"release {head.id} is not what its record says: {'; '.join(wrong)}")
    return head


def _is_empty(engine: Engine) -> bool:
    return current_release(engine) is None and not any(_counts(engine, tables.metadata.tables).values())


def _counts(engine: Engine, names: Iterable[str]) -> dict[str, int]:
    """The rows of each table, number; a table that is not there is left out."""
    there = set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name}").scalar_one()  # noqa: S608
            for name in names
            if name in there
        }


def _names(engine: Engine, head: Release) -> list[str]:
    """The tables that a backup holds."""
    there = set(inspect(engine).get_table_names())
    return [name for name in (*head.tables, *(table.name for table in RECORD), VERSION_TABLE) if name in there]


# -- writing


def _write(engine: Engine, head: Release, file: Path, at: datetime, progress: Progress) -> Note:
    """Write the backup and its note under temporary names; they get their own when they are whole."""
    names = _names(engine, head)
    partial = file.with_name(f".{file.name}.partial")
    try:
        with partial.open("wb") as out:
            written = _Compressed(out, progress)
            if is_sqlite(engine):
                digests = _write_sqlite(engine, names, written, partial.with_suffix(".copy.partial"))
            else:
                digests = _write_mariadb(engine, names, written)
            written.finish()
            os.fsync(out.fileno())
        note = _noted(engine, head, at, digests, written.sha256.hexdigest())
        file.unlink(missing_ok=True)  # one of the same second: it must not stand beside another's note
        _note_of(file).write_text(json.dumps(asdict(note), indent=2), encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return note


def _noted(engine: Engine, head: Release, at: datetime, digests: dict[str, str], sha256: str) -> Note:
    with engine.connect() as connection:
        at_revision = revision(connection)
    rows = _counts(engine, digests)
    return Note(
        database="sqlite" if is_sqlite(engine) else "mariadb",
        release=head.id,
        published_at=head.published_at.isoformat(),
        made_at=at.replace(microsecond=0).isoformat(),
        revision=at_revision,
        sha256=sha256,
        tables={name: TableNote(rows[name], digest) for name, digest in digests.items()},
    )


class _Compressed:
    """A file that is compressed while it is written; `sha256` is that of the file."""

    def __init__(self, out: BinaryIO, progress: Progress) -> None:
        self._out = out
        self._bz2 = bz2.BZ2Compressor()
        self._meter = _Meter("backed up", progress)
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._meter.add(len(data))
        self._put(self._bz2.compress(data))

    def finish(self) -> None:
        self._put(self._bz2.flush())
        self._out.flush()

    def _put(self, data: bytes) -> None:
        self.sha256.update(data)
        self._out.write(data)


class _Meter:
    """Says how many bytes are done, each time that SAY_EVERY more are."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what, self._progress, self._done = what, progress, 0

    def add(self, size: int) -> None:
        before, self._done = self._done, self._done + size
        if before // SAY_EVERY != self._done // SAY_EVERY:
            self._progress(f"{self._what} {self._done:,} bytes")


def _note_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _stand_also(file: Path, other: Path) -> None:
    """Give a backup and its note another name too, in the place of what has that name."""
    # Killed in between, the name has no note and is refused for that, never taken for something else.
    _note_of(other).unlink(missing_ok=True)
    for source, target in ((file, other), (_note_of(file), _note_of(other))):
        partial = target.with_name(f".{target.name}.partial")
        try:
            os.link(source, partial)
        except OSError:  # a file system without links
            shutil.copyfile(source, partial)
        partial.replace(target)


def _drop_old(folder: Path, keep: int) -> None:
    dated = sorted(path for path in folder.iterdir() if _DATED.fullmatch(path.name))
    for path in dated[:-keep]:
        path.unlink()
    for note in folder.glob("mobiville-*.bz2.json"):
        if not note.with_suffix("").exists():
            note.unlink()


# -- reading


def _checked(engine: Engine, file: Path, progress: Progress) -> Note:
    """The note of a backup that is what its note says, and fits the warehouse; WarehouseError for any other."""
    try:
        fields = json.loads(_note_of(file).read_text(encoding="utf-8"))
        fields["tables"] = {name: TableNote(**table) for name, table in fields["tables"].items()}
        note = Note(**fields)
        found = hashlib.sha256()
        meter = _Meter("checked", progress)
        with file.open("rb") as data:
            while block := data.read(BLOCK):
                found.update(block)
                meter.add(len(block))
    except FileNotFoundError as error:
        raise WarehouseError(f"{error.filename} is not there: a backup is two files, FILE and FILE.json") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WarehouseError(f"{_note_of(file)} is not the note of a backup") from None
    if found.hexdigest() != note.sha256:
        raise WarehouseError(
            f"{file} is not the file that was backed up: expected sha256 {note.sha256}, found {found.hexdigest()}. "
            "It is refused; the warehouse is as it was."
        )
    if (note.database == "sqlite") != is_sqlite(engine):
        raise WarehouseError(f"{file} is a backup of {note.database}, the warehouse is {engine.dialect.name}")
    return note


def _blocks(file: Path, progress: Progress) -> Iterator[bytes]:
    meter = _Meter("restored", progress)
    with bz2.open(file) as data:
        while block := data.read(BLOCK):
            meter.add(len(block))
            yield block


@contextmanager
def _scratch(engine: Engine, purpose: str, file: Path, progress: Progress) -> Iterator[Engine]:
    """A database that holds what a backup gives; it ends with the block. What a killed run left goes first."""
    with (_scratch_sqlite if is_sqlite(engine) else _scratch_mariadb)(engine, purpose, file, progress) as url:
        scratch = connect(url)
        try:
            yield scratch
        finally:
            scratch.dispose()


def _digests(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    if is_sqlite(engine):
        return _digests_sqlite(Path(str(engine.url.database)), names)
    digests = _Digests()
    for line in _dumped(engine.url, list(names)):
        digests.add(line)
    return digests.of(names)


# -- SQLite


def _write_sqlite(engine: Engine, names: list[str], out: _Compressed, path: Path) -> dict[str, str]:
    """Copy the database to `path` as it is at one moment, leave in the copy the tables `names`, write it, drop it."""
    try:
        with closing(engine.raw_connection()) as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
            live = source.driver_connection
            assert isinstance(live, sqlite3.Connection)
            live.backup(copy)
            there = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for name in [row[0] for row in there if row[0] not in names]:
                copy.execute(f'DROP TABLE "{name}"')
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("VACUUM")
        with path.open("rb") as data:
            while block := data.read(BLOCK):
                out.write(block)
        return _digests_sqlite(path, names)
    finally:
        path.unlink(missing_ok=True)


def _digests_sqlite(path: Path, names: Iterable[str]) -> dict[str, str]:
    digests = {}
    with closing(sqlite3.connect(path)) as copy:
        for name in names:
            digest = hashlib.sha256()
            for row in copy.execute(f"SELECT * FROM {name} ORDER BY rowid"):  # noqa: S608
                digest.update(repr(row).encode())
            digests[name] = digest.hexdigest()
    return digests


@contextmanager
def _scratch_sqlite(engine: Engine, purpose: str, file: Path, progress: Progress) -> Iterator[str]:
    folder = Path(f"{engine.url.database}.{purpose}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        path = folder / "scratch.db"
        with path.open("wb") as out:
            out.writelines(_blocks(file, progress))
        yield f"sqlite:///{path}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bring_sqlite(engine: Engine, scratch: Engine, names: Iterable[str]) -> None:
    """Copy the tables into `<table>__next` of the warehouse, in one transaction."""
    described = tables.metadata.tables | tables.record.tables
    with closing(engine.raw_connection()) as raw:
        cursor = raw.cursor()
        cursor.execute("ATTACH DATABASE ? AS incoming", (str(scratch.url.database),))
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


# -- MariaDB


def _write_mariadb(engine: Engine, names: list[str], out: _Compressed) -> dict[str, str]:
    """Write the SQL that makes and fills the tables, all from one moment."""
    digests = _Digests()
    with closing(_dumped(engine.url, names)) as lines:  # however it ends, the server's snapshot ends with it
        for line in lines:
            digests.add(line)
            out.write(line)
    return digests.of(names)


class _Digests:
    """The sha256 of each table's rows, from the lines of a dump, whose every INSERT may hold many rows.

    The words around the rows and where one INSERT ends do not count: they differ between versions of the program.
    """

    def __init__(self) -> None:
        self._of: defaultdict[str, Any] = defaultdict(hashlib.sha256)
        self._table = ""

    def add(self, line: bytes) -> None:
        if start := re.match(rb"INSERT INTO `(\w+)` VALUES\s*", line):
            self._table = start[1].decode()
            line = line[start.end() :]
        elif not line.startswith(b"("):
            return
        if line:
            self._of[self._table].update(line.rstrip(b"\n")[:-1])  # without the comma or semicolon

    def of(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self._of[name].hexdigest() for name in names}


def _dumped(url: URL, names: list[str]) -> Generator[bytes, None, None]:
    """The lines of mariadb-dump."""
    options = [
        *("--single-transaction", "--order-by-primary", "--skip-comments", "--skip-triggers", "--no-tablespaces"),
        *("--skip-add-locks", "--skip-disable-keys", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
    ]
    command = [_program("mariadb-dump", "mysqldump"), *options]
    with _running(url, command, [str(url.database), *names], stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield from process.stdout


def _filled(url: URL, blocks: Iterable[bytes]) -> None:
    """Run SQL in a database."""
    command = [_program("mariadb", "mysql"), "--batch", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"]
    with _running(url, command, [str(url.database)], stdin=subprocess.PIPE) as process:
        assert process.stdin
        with suppress(BrokenPipeError):  # the program ended: its own words say why
            for block in blocks:
                process.stdin.write(block)
        with suppress(BrokenPipeError):
            process.stdin.close()


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise WarehouseError(
            f"the program {names[0]} is not there: backups of MariaDB need its client programs "
            "(Debian, Ubuntu: apt install mariadb-client; Fedora: dnf install mariadb; macOS: brew install mariadb)"
        )
    return found


@contextmanager
def _running(
    url: URL, command: list[str], arguments: list[str], *, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A client program that knows how to reach the server; WarehouseError with its own words when it fails.

    It reads the password from a file that has no name: no command line shows it, and no kill leaves it behind.
    """
    with tempfile.TemporaryFile() as options, tempfile.TemporaryFile() as said:
        options.write(_client_options(url).encode())
        options.flush()
        called = [command[0], f"--defaults-file=/dev/fd/{options.fileno()}", *command[1:], *arguments]
        with subprocess.Popen(  # noqa: S603
            called, stdin=stdin, stdout=stdout, stderr=said, pass_fds=[options.fileno()]
        ) as process:
            yield process
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines() or ["no word of why"]
            raise WarehouseError(f"{Path(command[0]).name} ended with {process.returncode}: {words[-1]}")


def _client_options(url: URL) -> str:
    """The option file of the client programs: server and account, as SQLAlchemy and PyMySQL read them from a URL."""
    found = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "socket": url.query.get("unix_socket"),
        "ssl-ca": url.query.get("ssl_ca"),
        "ssl-cert": url.query.get("ssl_cert"),
        "ssl-key": url.query.get("ssl_key"),
        # Newer clients refuse a server whose certificate nobody vouches for; PyMySQL does when told whom to trust.
        "loose-ssl-verify-server-cert": "1" if "ssl_ca" in url.query else "0",
    }
    lines = [f"{name}={_quoted(str(value))}" for name, value in found.items() if value is not None]
    return "\n".join(["[client]", *lines, ""])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@contextmanager
def _scratch_mariadb(engine: Engine, purpose: str, file: Path, progress: Progress) -> Iterator[str]:
    url = engine.url
    left = re.compile(rf"{re.escape(str(url.database))}_(verify|restore)_[0-9a-f]{{8}}")
    name = f"{url.database}_{purpose}_{secrets.token_hex(4)}"
    with engine.connect() as connection:
        for database in connection.exec_driver_sql("SHOW DATABASES").scalars().all():
            if left.fullmatch(database):
                connection.exec_driver_sql(f"DROP DATABASE {database}")
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        scratch = url.set(database=name)
        _filled(scratch, _blocks(file, progress))
        yield scratch.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")


def _bring_mariadb(engine: Engine, scratch: Engine, names: Iterable[str]) -> None:
    """Move the tables to `<table>__next` of the warehouse, in one step."""
    here, there = engine.url.database, scratch.url.database
    renames = ", ".join(f"`{there}`.{name} TO `{here}`.{name}__next" for name in names)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"RENAME TABLE {renames}")
