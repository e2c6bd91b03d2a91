"""What the tables of a database hold, whoever made them and in whatever order."""

import hashlib
import json
from collections.abc import Mapping

from sqlalchemy import Column, Double, Table, create_engine

from warehouse import tables

AS_JSON = "json"
"""The column of one row whose text is compared as the document that it is."""


def contents(environment: Mapping[str, str]) -> dict[str, str]:
    """A digest of the rows of each table, without ids and stamps.

    Doubles are rounded to six places: their last bits tell the order in which something was added up.
    """
    engine = create_engine(environment["MOBIVILLE_WAREHOUSE_URL"])
    try:
        with engine.connect() as connection:
            found = {}
            for name, table in tables.metadata.tables.items():
                if AS_JSON in table.columns:
                    rows = connection.exec_driver_sql(f"SELECT `{AS_JSON}` FROM {name}").scalars()
                    text = json.dumps([json.loads(row) for row in rows], sort_keys=True)
                    found[name] = hashlib.sha256(text.encode()).hexdigest()
                else:
                    found[name] = str(connection.exec_driver_sql(_digest(table)).one())
            return found
    finally:
        engine.dispose()


def _digest(table: Table) -> str:
    values = ", ".join(map(_text, tables.contents_columns(table)))
    return f"SELECT COUNT(*), SUM(CRC32(CONCAT_WS('\t', {values}))) FROM {table.name}"


def _text(column: Column[object]) -> str:
    value = f"ROUND(`{column.name}`, 6)" if isinstance(column.type, Double) else f"`{column.name}`"
    return f"COALESCE({value}, 'NULL')"
