"""Dagster's history on SQLite, written fast: its connections stay open.

Dagster opens the file of the run and that of all runs anew for each event, and SQLite moves its journal into the file
whenever the last connection closes: 6 ms of work and several waits for the disk per event, of which a refresh has some
six hundred. Kept open it is a tenth of that. It also asks before each event of an asset or a check whether the file has
the table and the column for it: they are asked for once.

The class is changed in place. One of our own, named in dagster.yaml, would override the same private methods, and need
more: dagster.yaml has no path relative to itself, and who has a dagster.yaml of their own would not get it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import sqlalchemy as sa
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

OPEN = 4
"""How many files stay open; a run writes to two."""
SECONDS = 600
"""How long another process that writes is waited for."""


def keep_open() -> None:
    """Let every SQLite history of this process keep its connections."""
    SqliteEventLogStorage._connect = _connect  # type: ignore[method-assign]
    SqliteEventLogStorage.store_event = _store_event  # type: ignore[method-assign]
    SqliteEventLogStorage.dispose = _dispose  # type: ignore[method-assign]
    SqliteEventLogStorage.has_table = _has_table  # type: ignore[method-assign]
    SqliteEventLogStorage._has_asset_key_col_on_connection = _has_column  # type: ignore[method-assign]


@contextmanager
def _connect(self: SqliteEventLogStorage, shard: str) -> Iterator[sa.Connection]:
    with self._db_lock, _engine(self, shard).begin() as connection:
        yield connection


def _engine(storage: SqliteEventLogStorage, shard: str) -> sa.Engine:
    engines: dict[str, sa.Engine] = storage.__dict__.setdefault("_engines", {})
    if shard not in engines:
        engine = sa.create_engine(storage.conn_string_for_shard(shard), connect_args={"timeout": SECONDS})
        if shard not in storage._initialized_dbs:
            storage._initdb(engine)
            storage._initialized_dbs.add(shard)
        # A switched off machine may lose the last events, and nothing else: the journal is whole.
        sa.event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA synchronous = NORMAL"))
        if len(engines) == OPEN:
            engines.pop(next(iter(engines))).dispose()
        engines[shard] = engine
    return engines[shard]


_store = SqliteEventLogStorage.store_event


def _store_event(self: SqliteEventLogStorage, event: EventLogEntry) -> None:
    """Store it, and touch the run's file: the UI watches that, and the event may stand in the journal beside it."""
    _store(self, event)
    os.utime(self.path_for_shard(event.run_id))


_end = SqliteEventLogStorage.dispose


def _dispose(self: SqliteEventLogStorage) -> None:
    """Close the connections too: SQLite moves the journal, which is many times as large, into the file then."""
    _end(self)
    for engine in self.__dict__.pop("_engines", {}).values():
        engine.dispose()


def _until_it_has(asked: Callable[..., bool]) -> Callable[..., bool]:
    """The same question, which is not put again once the answer was yes: a history loses no table and no column."""

    @wraps(asked)
    def ask(self: SqliteEventLogStorage, *arguments: Any) -> bool:
        known: set[tuple[str, str]] = self.__dict__.setdefault("_has", set())
        key = (asked.__name__, arguments[-1])  # the name of the table or column
        if key not in known and asked(self, *arguments):
            known.add(key)
        return key in known

    return ask


_has_table = _until_it_has(SqliteEventLogStorage.has_table)
_has_column = _until_it_has(SqliteEventLogStorage._has_asset_key_col_on_connection)
