"""Small contents to publish, and a look at what is served."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table

from warehouse import tables
from warehouse.database import is_sqlite
from warehouse.record import Origin
from warehouse.release import Release, SourceFile, TableVersion, publish

STARTED = datetime(2026, 1, 1)
SOURCE = SourceFile("offers_dump", "a.csv.bz2", "20211221", "0" * 64, 3)


def contents(folder: Path, table: Table, rows: list[dict[str, Any]], *sources: SourceFile) -> TableVersion:
    path = folder / f"{table.name}-{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, tables.contents_schema(table)), path)
    return TableVersion(table, [path], sources or [SOURCE])


def jobs(folder: Path, number: int, rows: int = 3) -> TableVersion:
    table = tables.cities_jobs
    return contents(
        folder, table, [{"insee_code": f"{n:05}", "rome_id": "A1101", "number": number} for n in range(rows)]
    )


def regions(folder: Path, number: int) -> TableVersion:
    row = {"code": number, "name": "Normandie", "average_delay_obtain_social_housing": 12}
    return contents(folder, tables.new_regions, [row])


def done(engine: Engine, *new: TableVersion) -> Release:
    return publish(engine, new, origin=Origin(STARTED, "1", "test"))


def one_look(engine: Engine) -> tuple[int, ...]:
    """One statement over both tables: rows, the offers' smallest and largest number, the region's code."""
    query = "SELECT COUNT(*), MIN(j.number), MAX(j.number), MIN(r.code) FROM cities_jobs j CROSS JOIN new_regions r "
    with engine.connect() as connection:
        if is_sqlite(engine):
            return tuple(connection.connection.cursor().execute(query).fetchone())
        return tuple(connection.exec_driver_sql(query).one())
