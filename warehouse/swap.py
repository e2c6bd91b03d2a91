"""The one step in which readers pass from a release to the next."""

import time
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, Table, inspect
from sqlalchemy.exc import OperationalError

from warehouse import tables
from warehouse.database import LOCK_WAIT_SECONDS, is_sqlite
from warehouse.errors import WarehouseError
from warehouse.record import RECORD

SWAP_ATTEMPTS = 5
SWAP_PAUSE_SECONDS = 1
LOCK_WAIT_TIMEOUT = 1205
"""MariaDB's error number for a lock that did not come in time."""


def swap(engine: Engine, incoming: Mapping[str, str], outgoing: Mapping[str, int]) -> None:
    """Put what stands beside, and the record, in the place of what is served, in one step that readers see whole."""
    there = set(inspect(engine).get_table_names())
    renames = []
    for name, beside in incoming.items():
        if name in there:
            renames.append((name, f"{name}__r{outgoing.get(name, 0)}"))
        renames.append((beside, name))
    for table in RECORD:
        if table.name in there:
            renames.append((table.name, f"{table.name}__old"))
        renames.append((f"{table.name}__next", table.name))
    if is_sqlite(engine):
        _rename_in_sqlite(engine, renames, [tables.metadata.tables[name] for name in incoming])
    else:
        _rename_in_mariadb(engine, renames)


def _rename_in_sqlite(engine: Engine, renames: Sequence[tuple[str, str]], changed: Sequence[Table]) -> None:
    with engine.begin() as connection:
        for table in changed:  # index names are global in SQLite: the served table has them
            for index in table.indexes:
                index.drop(connection, checkfirst=True)
        for now, then in renames:
            connection.exec_driver_sql(f"ALTER TABLE {now} RENAME TO {then}")
        for table in changed:
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                index.create(connection)
        _create_views(connection)


def _rename_in_mariadb(engine: Engine, renames: Sequence[tuple[str, str]]) -> None:
    statement = "RENAME TABLE " + ", ".join(f"{now} TO {then}" for now, then in renames)
    for attempt in range(1, SWAP_ATTEMPTS + 1):
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(statement)
                _create_views(connection)
            return
        except OperationalError as error:
            if error.orig is None or error.orig.args[0] != LOCK_WAIT_TIMEOUT:
                raise
            if attempt == SWAP_ATTEMPTS:
                raise WarehouseError(
                    "the release is loaded, but readers hold the served tables in an open transaction and it could "
                    f"not be swapped in ({SWAP_ATTEMPTS} attempts of {LOCK_WAIT_SECONDS} s): {_blockers(engine)}. "
                    "The served release is as it was. End those connections and refresh again."
                ) from error
            time.sleep(SWAP_PAUSE_SECONDS)


def _blockers(engine: Engine) -> str:
    """The connections that have a transaction open, in words."""
    query = (
        "SELECT p.id, p.user, p.host, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) FROM information_schema.innodb_trx t "
        "JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.id <> CONNECTION_ID()"
    )
    try:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(query).all()
    except OperationalError:
        return "which they are only an account with the PROCESS privilege may see"
    return ", ".join(f"connection {r[0]} of {r[1]} from {r[2]}, open for {r[3]} s" for r in rows) or "unknown"


def _create_views(connection: Connection) -> None:
    there = inspect(connection)
    for name, query in tables.VIEWS.items():
        if name not in there.get_view_names() and there.has_table(query.rsplit(maxsplit=1)[-1]):
            connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
