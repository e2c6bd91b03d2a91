"""Reading the warehouse: one short transaction per request, that sees one release whole.

On MariaDB a consistent snapshot. The swap of a release is one RENAME of every table that changed, the record among
them; a request reads the record first, and holds it until it ends: the swap comes before or after. Where the swap has
the next table already and waits for the record, the server ends the request's transaction (error 1213, deadlock);
where it came between the snapshot and a read, it says so (1412). Either way the request's work is done again.
On SQLite a read transaction sees the database as it was at its first read.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, NullPool, create_engine, select
from sqlalchemy.exc import DBAPIError

from warehouse import tables
from warehouse.database import LOCK_WAIT_SECONDS, is_sqlite, parse_url
from warehouse.errors import MobivilleError

ATTEMPTS = 8
PATIENCE_SECONDS = 5
"""How often, and until when, a request's work is begun again: when releases swap or connections end under it."""
PAUSE_SECONDS = 0.05
STATEMENT_SECONDS = 5
"""MariaDB ends a statement that takes longer."""
REQUEST_SECONDS = 30
"""SQLite ends a statement when its connection, which serves one request, is older."""
CONNECT_SECONDS = 3
POOL = 10
"""Connections at most, per worker."""
POOL_WAIT_SECONDS = 5

NO_TABLE = 1146
SWAPPED = {1205, 1213, 1412, NO_TABLE}
"""MariaDB's error numbers that say: a release was swapped in meanwhile."""

T = TypeVar("T")


class NotServedError(MobivilleError):
    """The warehouse has no release yet."""


@dataclass(frozen=True)
class Stamp:
    """Which release is served, and since when (UTC)."""

    id: int
    published_at: datetime


class Memory:
    """What is worked out once per release, and kept while that release is served."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # what is worked out may be made from something that is
        self._stamp: Stamp | None = None
        self._known: dict[object, Any] = {}

    def get(self, stamp: Stamp, key: object, make: Callable[[], T]) -> T:
        """What `make` gave for this release and key; it is called once, the others wait for it."""
        with self._lock:
            if stamp != self._stamp:
                self._stamp, self._known = stamp, {}
            if key not in self._known:
                self._known[key] = make()
            return cast(T, self._known[key])


@dataclass(frozen=True)
class Snapshot:
    """The served release, as one request sees it."""

    connection: Connection
    stamp: Stamp
    memory: Memory

    def once(self, make: Callable[["Snapshot"], T], key: object = None) -> T:
        """What `make` gives for this release, worked out once per release (and key, by default the function)."""
        return self.memory.get(self.stamp, key or make, lambda: make(self))


class Database:
    """The warehouse that the API reads."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.memory = Memory()
        self._begin = "BEGIN" if is_sqlite(self.engine) else "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

    def served(self) -> Stamp:
        """Which release is served. Raises as `read` does."""
        return self._patiently(_stamp)

    def read(self, work: Callable[[Snapshot], T]) -> T:
        """Do the work in one transaction over one release.

        Raises NotServedError when there is no release, and SQLAlchemy's errors when the database is away or too slow.
        """

        def in_transaction(connection: Connection) -> T:
            connection.exec_driver_sql(self._begin)
            try:
                return work(Snapshot(connection, _stamp(connection), self.memory))
            finally:
                if not connection.invalidated:
                    connection.exec_driver_sql("ROLLBACK")

        return self._patiently(in_transaction)

    def _patiently(self, work: Callable[[Connection], T]) -> T:
        """Do the work, again where a release was swapped in or a connection that had ended was found in the pool."""
        ends = time.monotonic() + PATIENCE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.engine.connect() as connection:
                    return work(connection)
            except DBAPIError as error:
                given_up = attempt == ATTEMPTS or time.monotonic() > ends
                if given_up or not (_was_swapped(error) or error.connection_invalidated):
                    raise
                if _was_swapped(error):
                    time.sleep(PAUSE_SECONDS)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the connections."""
        self.engine.dispose()


def _stamp(connection: Connection) -> Stamp:
    record = tables.releases.c
    try:
        row = connection.execute(select(record.id, record.published_at).order_by(record.id.desc()).limit(1)).first()
    except DBAPIError as error:
        if _number(error) == NO_TABLE or "no such table" in str(error.orig):
            raise NotServedError from None
        raise
    if row is None:
        raise NotServedError
    return Stamp(*row)


def _was_swapped(error: DBAPIError) -> bool:
    return _number(error) in SWAPPED


def _number(error: DBAPIError) -> object:
    return error.orig.args[0] if error.orig and error.orig.args else None


def _engine(url: str) -> Engine:
    """An engine that only reads. Errors do not repeat what a client sent."""
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        address = f"{Path(str(parsed.database)).resolve().as_uri()}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: _open_sqlite(address),
            poolclass=NullPool,  # a file that takes the place of another is seen
            hide_parameters=True,
        )
    return create_engine(
        parsed,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=300,
        pool_reset_on_return=None,  # `read` ends its transactions
        skip_autocommit_rollback=True,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={
            "charset": "utf8mb4",
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": 2 * STATEMENT_SECONDS,
            "init_command": f"SET time_zone = '+00:00', lock_wait_timeout = {LOCK_WAIT_SECONDS}, "
            f"tx_isolation = 'REPEATABLE-READ', max_statement_time = {STATEMENT_SECONDS}",
        },
    )


def _open_sqlite(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, uri=True, timeout=POOL_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    ends = time.monotonic() + REQUEST_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > ends, 100_000)  # every so many steps of a statement
    return connection
