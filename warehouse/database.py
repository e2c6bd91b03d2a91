"""Connections to the warehouse, MariaDB or SQLite, and the few things that the two do differently."""

from pathlib import Path

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError

from warehouse.errors import WarehouseError

LOCK_WAIT_SECONDS = 3
"""How long a rename may wait for readers: while it waits, new readers queue behind it."""


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
    """The URL with its password hidden."""
    return parse_url(url).render_as_string(hide_password=True)


def connect(url: str) -> Engine:
    """An engine that reads and writes the warehouse. A SQLite file is made, with its folder, when it is not there."""
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine
    return create_engine(
        parsed,
        pool_pre_ping=True,
        connect_args={
            "local_infile": True,
            "charset": "utf8mb4",
            "init_command": f"SET time_zone = '+00:00', lock_wait_timeout = {LOCK_WAIT_SECONDS}",
        },
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers go on while a transaction writes (WAL); DDL belongs to the transaction; a rename leaves views alone."""
    connection.isolation_level = None  # SQLAlchemy's BEGIN is the only one
    for pragma in ("journal_mode = WAL", "busy_timeout = 10000", "legacy_alter_table = ON"):
        connection.execute(f"PRAGMA {pragma}")


def is_sqlite(engine: Engine) -> bool:
    """Whether the warehouse is a SQLite file."""
    return engine.dialect.name == "sqlite"
