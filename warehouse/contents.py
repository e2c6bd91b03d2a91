"""The rows of a served table, read back as they were loaded."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine, Table, select

from warehouse import tables

ROWS_AT_A_TIME = 50_000


def read_contents(engine: Engine, table: Table) -> Iterator[pa.RecordBatch]:
    """The rows of a served table in their order, a bounded number at a time; columns: `contents_schema(table)`."""
    schema = tables.contents_schema(table)
    order = [table.c.id] if "id" in table.c else list(table.primary_key.columns)
    columns = [table.c[name].label(name) for name in schema.names]
    with engine.connect() as connection:
        query = str(select(*columns).order_by(*order).compile(engine))  # as text: what is JSON comes as it is written
        found = connection.execution_options(stream_results=True).exec_driver_sql(query)
        for rows in found.partitions(ROWS_AT_A_TIME):
            values = zip(*rows, strict=True)
            arrays = [_array(list(column), field.type) for column, field in zip(values, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Values of a column. SQLite has days as text."""
    return pa.array(values).cast(kind) if pa.types.is_date(kind) else pa.array(values, kind)
