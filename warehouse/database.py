"""Connections to the warehouse, MariaDB or SQLite, and the few things that the two do differently."""

import re
import socket
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError

from warehouse.errors import WarehouseError

SILENCE_SECONDS = 120
"""How long a server may say nothing to a statement, unless the URL says otherwise (`?read_timeout=600`)."""
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""A server that is gone without a word is noticed within a minute: seconds before and between probes, their number."""
DISK_FULL = {1021, 1114}
"""MariaDB's errors of a disk, or a tablespace, that has no room left."""
LOCK_WAIT_SECONDS = 3
"""How long a rename may wait for readers: while it waits, new readers queue behind it."""


SQL_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""Of every session, whatever the server's is: backslashes escape, and a value that does not fit is an error."""


def parse_url(url: str) -> URL:
    """The SQLAlchemy URL of a warehouse: `sqlite:///FILE`, `mysql+pymysql://…` or `mariadb+pymysql://…`.

    Raises WarehouseError for anything else, without repeating the text, which may hold a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("unreadable")
    if parsed.drivername in ("mysql", "mariadb"):
        parsed = parsed.set(drivername=f"{parsed.drivername}+pymysql")
    if parsed.drivername not in ("sqlite", "mysql+pymysql", "mariadb+pymysql") or not parsed.database:
        raise WarehouseError(
            "MOBIVILLE_WAREHOUSE_URL is not the address of a warehouse: expected sqlite:///FILE or "
            "mariadb+pymysql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    return parsed


def shown(url: str) -> str:
    """The URL of a warehouse, without its secrets."""
    parse_url(url)
    return without_secrets(url)


def without_secrets(text: str) -> str:
    """An address without its password, be it before the host or in the query, even where it is not well formed."""
    text = re.sub(r"://([^:/@?]*)[:@].*@", r"://\1:***@", text)
    return re.sub(r"([?&][^=&]*(?:pass|pwd|secret|token|key)[^=&]*=)[^&#]*", r"\1***", text, flags=re.IGNORECASE)


def connect(url: str, *, local_infile: bool = True) -> Engine:
    """An engine that reads and writes the warehouse. A SQLite file is made, with its folder, when it is not there.

    With `local_infile`, MariaDB may ask for files of this machine: LOAD DATA LOCAL, which fills tables fastest.
    """
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        event.listen(engine, "handle_error", _full_disk_said)
        return engine
    silence = {name: SILENCE_SECONDS for name in ("read_timeout", "write_timeout") if name not in parsed.query}
    session = f"SET time_zone = '+00:00', lock_wait_timeout = {LOCK_WAIT_SECONDS}, sql_mode = '{SQL_MODE}'"
    arguments = {"local_infile": local_infile, "charset": "utf8mb4", "init_command": session, **silence}
    engine = create_engine(parsed, pool_pre_ping=True, connect_args=arguments)
    event.listen(engine, "connect", _keep_alive)
    event.listen(engine, "handle_error", _full_disk_said)
    return engine


def _full_disk_said(context: ExceptionContext) -> None:
    error = context.original_exception
    if (error.args and error.args[0] in DISK_FULL) or re.search("No space left|disk is full", str(error)):
        where = context.dialect.name == "sqlite" and context.engine and context.engine.url.database
        raise WarehouseError(
            f"the disk of {where or 'the database server'} is full ({error.args[-1]}): make room on it, "
            "then run the command again"
        ) from error


def _keep_alive(connection: Any, _record: object) -> None:
    if connection._sock.family != socket.AF_UNIX:
        for name, value in KEEPALIVE.items():
            if hasattr(socket, name):  # macOS has no TCP_KEEPIDLE
                connection._sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers go on while a transaction writes (WAL); DDL belongs to the transaction; a rename leaves views alone."""
    connection.isolation_level = None  # SQLAlchemy's BEGIN is the only one
    for pragma in ("journal_mode = WAL", "busy_timeout = 10000", "legacy_alter_table = ON"):
        connection.execute(f"PRAGMA {pragma}")


def is_sqlite(engine: Engine) -> bool:
    """Whether the warehouse is a SQLite file."""
    return engine.dialect.name == "sqlite"
