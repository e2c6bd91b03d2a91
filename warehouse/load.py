"""Loading a table's contents beside the served table, into `<table>__next`."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, MetaData, Table, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from warehouse.database import is_sqlite
from warehouse.errors import WarehouseError

REFUSED = {1148, 3948, 4166}
"""MySQL and MariaDB errors that say: LOAD DATA LOCAL is not allowed here."""

ROWS_PER_INSERT = 10_000


def copy_of(table: Table, name: str) -> Table:
    """The same table under another name, in a description of its own."""
    return table.to_metadata(MetaData(), name=name)


def next_of(table: Table) -> Table:
    """The table that is loaded beside `table`."""
    return copy_of(table, f"{table.name}__next")


def load(engine: Engine, table: Table, batches: Iterable[pa.RecordBatch]) -> int:
    """Make `<table>__next`, fill it, index it; return the number of its rows.

    `batches` hold the columns of `contents_schema(table)`; ids are given here, 1 to n in the order of the rows.
    Raises WarehouseError when the server does not take each row as it is.
    """
    beside = next_of(table)
    with engine.begin() as connection:
        beside.drop(connection, checkfirst=True)
        connection.execute(CreateTable(beside))
        numbered = _numbered(batches) if "id" in table.columns else batches
        rows = (_fill_sqlite if is_sqlite(engine) else _fill_mariadb)(connection, beside, numbered)
    with engine.begin() as connection:
        _check_count(connection, beside, rows)
        if not is_sqlite(engine):  # in SQLite index names are global: the swap makes them
            for index in sorted(beside.indexes, key=lambda index: str(index.name)):
                index.create(connection)
    return rows


def _check_count(connection: Connection, table: Table, rows: int) -> None:
    found = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table.name}").scalar_one()  # noqa: S608
    if found != rows:
        raise WarehouseError(f"{table.name}: {rows} rows were sent and {found} are there: a key stands twice")


def _numbered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    first = 1
    for batch in batches:
        ids = pa.array(np.arange(first, first + batch.num_rows))
        yield batch.add_column(0, "id", ids)
        first += batch.num_rows


def _fill_sqlite(connection: Connection, table: Table, batches: Iterable[pa.RecordBatch]) -> int:
    rows = 0
    for batch in batches:
        names = ", ".join(f'"{name}"' for name in batch.schema.names)
        marks = ", ".join("?" * batch.num_columns)
        values = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        if values:
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)  # noqa: S608
        rows += batch.num_rows
    return rows


def _fill_mariadb(connection: Connection, table: Table, batches: Iterable[pa.RecordBatch]) -> int:
    """LOAD DATA LOCAL INFILE, 3 to 10 times as fast as INSERT; INSERT where the server refuses it."""
    rows = 0
    with tempfile.TemporaryDirectory(prefix="mobiville-") as folder:
        for batch in batches:
            path = Path(folder) / f"{table.name}.tsv"
            path.write_bytes(as_lines(batch))
            try:
                _load_file(connection, table, path, batch.schema.names)
            except DBAPIError as error:
                if error.orig is None or error.orig.args[0] not in REFUSED:
                    raise
                _insert(connection, table, batch)
            rows += batch.num_rows
    return rows


def _load_file(connection: Connection, table: Table, path: Path, columns: list[str]) -> None:
    names = ", ".join(f"`{name}`" for name in columns)
    connection.exec_driver_sql(
        f"LOAD DATA LOCAL INFILE %s INTO TABLE {table.name} CHARACTER SET utf8mb4 "
        f"FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' ({names})",
        (path.as_posix(),),
    )
    # With LOCAL the server turns a value that does not fit, and a key that stands twice, into a mere warning.
    warnings = connection.exec_driver_sql("SHOW WARNINGS LIMIT 3").all()
    if warnings:
        raise WarehouseError(f"{table.name}: {'; '.join(str(warning[2]) for warning in warnings)}")


def _insert(connection: Connection, table: Table, batch: pa.RecordBatch) -> None:
    for start in range(0, batch.num_rows, ROWS_PER_INSERT):
        connection.execute(insert(table), batch.slice(start, ROWS_PER_INSERT).to_pylist())


def as_lines(batch: pa.RecordBatch) -> memoryview:
    r"""The rows as LOAD DATA reads them: tab between columns, \N for NULL, backslash before \, tab and newline."""
    if not batch.num_rows:
        return memoryview(b"")
    lines = pc.binary_join_element_wise(*[_as_text(column) for column in batch.columns], "\t")
    data = pc.binary_join_element_wise(lines, "", "\n")
    start, end = data.offset, data.offset + len(data)
    offsets = memoryview(data.buffers()[1]).cast("i")
    return memoryview(data.buffers()[2])[offsets[start] : offsets[end]]


def _as_text(column: pa.Array) -> pa.Array:
    text = column.cast(pa.string())
    if pa.types.is_string(column.type):
        buffer = column.buffers()[2]
        characters = buffer.to_pybytes() if buffer else b""
        for special, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
            if special.encode() in characters:  # hardly ever, and to look in each value apart takes half the time
                text = pc.replace_substring(text, special, escaped)
    return pc.fill_null(text, "\\N")
