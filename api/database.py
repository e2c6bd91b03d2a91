"""Reading the warehouse: connections that only read, and a transaction that sees one release whole.

On MariaDB a release is swapped in by one RENAME of every table that changed, the record among them. The transaction
first names every table that it will read, in one statement: the swap has to wait from then on. Its snapshot is taken by
the first row that is read, after that, so that names and rows are of the same release.
On SQLite a read transaction sees the database as it was at its first read.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, select
from sqlalchemy.exc import DBAPIError, OperationalError

from warehouse import tables
from warehouse.database import LOCK_WAIT_SECONDS, is_sqlite, parse_url
from warehouse.errors import MobivilleError

STATEMENT_SECONDS = 30
"""MariaDB ends a statement that takes longer."""
CONNECT_SECONDS = 3
NO_TABLE = 1146
"""MariaDB's error number for a table that is not there."""


class NotServedError(MobivilleError):
    """The warehouse has no release yet."""


class Database:
    """The warehouse that the API reads."""

    def __init__(self, url: str) -> None:
        parsed = parse_url(url)
        self.file = Path(str(parsed.database)).resolve() if parsed.drivername == "sqlite" else None
        self.engine = _engine(url)

    def served(self) -> tuple[int, datetime]:
        """Which release is served, and since when (UTC).

        Raises NotServedError, and SQLAlchemy's errors when the database is away.
        """
        served = tables.releases.c
        query = select(served.id, served.published_at).order_by(served.id.desc()).limit(1)
        try:
            with self.engine.connect() as connection:
                row = connection.execute(query).first()
        except DBAPIError as error:
            if (error.orig and error.orig.args[:1] == (NO_TABLE,)) or "no such table" in str(error.orig):
                raise NotServedError from None
            raise
        if row is None:
            raise NotServedError
        return row.id, row.published_at

    @contextmanager
    def snapshot(self, names: Sequence[str]) -> Iterator[Connection]:
        """A transaction in which the named tables are those of one release, and stay it.

        Raises SQLAlchemy's errors: when the database is away or too slow, or a table is not there.
        """
        before = self._state()
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN" if is_sqlite(self.engine) else "START TRANSACTION READ ONLY")
            try:
                connection.exec_driver_sql(f"SELECT 1 FROM {', '.join(names)} LIMIT 0")  # noqa: S608
                yield connection
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("ROLLBACK")
        if before != self._state():
            raise OperationalError("read", {}, sqlite3.OperationalError("the file changed while it was read"))

    def _state(self) -> tuple[int, int] | None:
        """What changes with the contents of a SQLite file that is read without locks; None of any other."""
        if self.file is None or not _needs_no_locks(self.file):
            return None
        found = self.file.stat()
        return found.st_mtime_ns, found.st_size

    def close(self) -> None:
        """End the connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    """An engine that only reads. Errors do not repeat what was sent."""
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        file = Path(str(parsed.database)).resolve()
        # without a pool a file that takes the place of another is seen
        return create_engine("sqlite://", creator=lambda: _open(file), poolclass=NullPool, hide_parameters=True)
    return create_engine(
        parsed,
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        pool_reset_on_return=None,  # `snapshot` ends its transactions
        skip_autocommit_rollback=True,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": STATEMENT_SECONDS + CONNECT_SECONDS,
            "init_command": f"SET time_zone = '+00:00', lock_wait_timeout = {LOCK_WAIT_SECONDS}, "
            f"tx_isolation = 'REPEATABLE-READ', max_statement_time = {STATEMENT_SECONDS}",
        },
    )


def _open(file: Path) -> sqlite3.Connection:
    address = file.as_uri() + ("?immutable=1" if _needs_no_locks(file) else "?mode=ro")
    return sqlite3.connect(address, uri=True, timeout=CONNECT_SECONDS, isolation_level=None, check_same_thread=False)


def _needs_no_locks(file: Path) -> bool:
    """Whether SQLite could not make its lock file (-shm) beside this one, and nobody writes: there is no log (-wal)."""
    if not file.is_file() or file.with_name(f"{file.name}-wal").exists():
        return False
    try:
        with sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True) as connection:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
    return False
