"""One writer at a time per warehouse."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from filelock import FileLock, Timeout
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from warehouse.database import is_sqlite
from warehouse.errors import LockedError
from warehouse.record import account, now

PAUSE_SECONDS = 0.5

IDLE_SECONDS = 7 * 24 * 3600
"""How long the connection that holds the lock may be idle: the server must not end it while assets are made."""

HOLDER = (
    "SELECT id, CONCAT('connection ', id, ' of ', user, ' from ', host) FROM information_schema.processlist "
    "WHERE id = IS_USED_LOCK(%s)"
)
P = ParamSpec("P")
T = TypeVar("T")

_held: dict[str, Callable[[], bool]] = {}
"""Warehouses that this process has locked, and whether it still has the lock: a step of a refresh that holds it need
not take it again."""


@contextmanager
def only_writer(
    engine: Engine, *, wait: bool = True, progress: Callable[[str], None] = lambda message: None
) -> Iterator[None]:
    """Hold the warehouse's lock; it ends with this process, however it ends.

    Taken again within the block, nothing happens, unless it was lost: then it is taken anew.

    While somebody else holds it, wait, after saying through `progress` who it is; with `wait` false, raise LockedError.
    """
    key = str(engine.url)
    outer = _held.get(key)
    if outer and outer():
        yield
        return
    with (_file_lock if is_sqlite(engine) else _server_lock)(engine, wait, progress) as is_held:
        _held[key] = is_held
        try:
            yield
        finally:
            del _held[key]
            if outer:
                _held[key] = outer


def locked(work: Callable[Concatenate[Engine, P], T]) -> Callable[Concatenate[Engine, P], T]:
    """Make a function that changes the warehouse, its first argument, the only writer while it works."""

    @wraps(work)
    def alone(engine: Engine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with only_writer(engine, progress=kwargs.get("progress", _silent)):  # type: ignore[arg-type]
            return work(engine, *args, **kwargs)

    return alone


def holder(engine: Engine) -> tuple[int, str] | None:
    """Who has the lock: the number of its connection (SQLite: of its process), and words; None when it is free."""
    if not is_sqlite(engine):
        with engine.connect() as connection:
            found = connection.exec_driver_sql(HOLDER, (_name(engine),)).one_or_none()
        return (found[0], found[1]) if found else None
    path = Path(f"{engine.url.database}.lock")
    while True:
        try:
            with FileLock(path, blocking=False):
                return None
        except Timeout:
            if who := path.read_text(encoding="utf-8"):
                return int(who.split()[1]), who
        time.sleep(PAUSE_SECONDS)  # whoever took it is about to write who that is


def unlock(engine: Engine, number: int) -> None:
    """End the connection or the process `number`; its lock ends with it. Raises when the account has not the right."""
    if is_sqlite(engine):
        os.kill(number, signal.SIGTERM)
        return
    with engine.connect() as connection:
        connection.exec_driver_sql(f"KILL {int(number)}")


def check_lock(engine: Engine) -> None:
    """Raise LockedError unless this process has the warehouse's lock: only then may it change what is served."""
    is_held = _held.get(str(engine.url))
    if is_held is None or not is_held():
        raise LockedError(
            "the lock of the warehouse was lost: its connection ended, and somebody else may be writing. The served "
            "release is as it was; run the command again"
        )


@contextmanager
def _file_lock(engine: Engine, wait: bool, progress: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    path = Path(f"{engine.url.database}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        _say_who(path.read_text(encoding="utf-8") or "another process", wait, progress)
        lock.acquire()
    try:
        path.write_text(f"process {os.getpid()} of {account()}, since {now()} UTC", encoding="utf-8")
        yield lambda: lock.is_locked
    finally:
        with suppress(OSError):  # the next has not written yet when it has the lock
            path.write_text("", encoding="utf-8")
        lock.release()


@contextmanager
def _server_lock(engine: Engine, wait: bool, progress: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    name = _name(engine)
    with engine.connect() as connection:

        def is_held() -> bool:
            try:
                query = "SELECT IS_USED_LOCK(%s) = CONNECTION_ID()"
                return bool(connection.exec_driver_sql(query, (name,)).scalar_one_or_none())
            except SQLAlchemyError:
                return False
            finally:
                connection.rollback()

        connection.exec_driver_sql(f"SET SESSION wait_timeout = {IDLE_SECONDS}")
        while not connection.exec_driver_sql("SELECT GET_LOCK(%s, 0)", (name,)).scalar_one():
            who = connection.exec_driver_sql(HOLDER, (name,)).one_or_none()
            if who:
                _say_who(who[1], wait, progress)
                progress = _silent
            time.sleep(PAUSE_SECONDS)
        connection.commit()  # the lock stays with the connection; no transaction stays open
        try:
            yield is_held
        finally:
            with suppress(SQLAlchemyError):  # a connection that has ended has released it
                connection.exec_driver_sql("DO RELEASE_LOCK(%s)", (name,))


def _name(engine: Engine) -> str:
    return f"mobiville:{engine.url.database}"[:64]


def _say_who(who: str, wait: bool, progress: Callable[[str], None]) -> None:
    if not wait:
        raise LockedError(f"the warehouse is being written by {who}; try again later, or end it: mobiville unlock")
    progress(f"waiting: the warehouse is being written by {who} (mobiville unlock ends it)")


def _silent(_message: str) -> None:
    """Once is enough."""
