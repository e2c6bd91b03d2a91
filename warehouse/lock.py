"""One writer at a time per warehouse."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine

from warehouse.database import is_sqlite
from warehouse.errors import LockedError
from warehouse.record import account, now

PAUSE_SECONDS = 0.5

_held: set[str] = set()
"""Warehouses that this process has locked: a step of a refresh that holds the lock need not take it again."""


@contextmanager
def only_writer(
    engine: Engine, *, wait: bool = True, progress: Callable[[str], None] = lambda message: None
) -> Iterator[None]:
    """Hold the warehouse's lock; it ends with this process, however it ends.

    While somebody else holds it, wait, after saying through `progress` who it is; with `wait` false, raise LockedError.
    """
    key = str(engine.url)
    if key in _held:
        yield
        return
    with (_file_lock if is_sqlite(engine) else _server_lock)(engine, wait, progress):
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)


@contextmanager
def _file_lock(engine: Engine, wait: bool, progress: Callable[[str], None]) -> Iterator[None]:
    path = Path(f"{engine.url.database}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        _say_who(path.read_text(encoding="utf-8") or "another process", wait, progress)
        lock.acquire()
    try:
        path.write_text(f"process {os.getpid()} of {account()}, since {now()} UTC", encoding="utf-8")
        yield
    finally:
        lock.release()


@contextmanager
def _server_lock(engine: Engine, wait: bool, progress: Callable[[str], None]) -> Iterator[None]:
    name = f"mobiville:{engine.url.database}"[:64]
    with engine.connect() as connection:
        while not connection.exec_driver_sql("SELECT GET_LOCK(%s, 0)", (name,)).scalar_one():
            who = connection.exec_driver_sql(
                "SELECT CONCAT('connection ', id, ' of ', user, ' from ', host) FROM information_schema.processlist "
                "WHERE id = IS_USED_LOCK(%s)",
                (name,),
            ).scalar_one_or_none()
            if who:
                _say_who(who, wait, progress)
                progress = _silent
            time.sleep(PAUSE_SECONDS)
        connection.commit()  # the lock stays with the connection; no transaction stays open
        try:
            yield
        finally:
            connection.exec_driver_sql("DO RELEASE_LOCK(%s)", (name,))


def _say_who(who: str, wait: bool, progress: Callable[[str], None]) -> None:
    if not wait:
        raise LockedError(f"the warehouse is being written by {who}; try again when it is done")
    progress(f"waiting: the warehouse is being written by {who}")


def _silent(_message: str) -> None:
    """Once is enough."""
