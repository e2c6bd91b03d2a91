import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, Table, event, inspect, select
from sqlalchemy.exc import OperationalError

from warehouse import release as module
from warehouse import tables
from warehouse.database import WarehouseError, connect, is_sqlite, parse_url, shown
from warehouse.load import load
from warehouse.release import Contents, Release, SourceFile, publish, served

STARTED = datetime(2026, 1, 1)
SOURCE = SourceFile("offers_dump", "a.csv.bz2", "20211221", "0" * 64, 3)


def contents(folder: Path, table: Table, rows: list[dict[str, Any]], *sources: SourceFile) -> Contents:
    path = folder / f"{table.name}-{len(list(folder.iterdir()))}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, tables.contents_schema(table)), path)
    return Contents(table, [path], sources or [SOURCE])


def jobs(folder: Path, number: int, rows: int = 3) -> Contents:
    table = tables.cities_jobs
    return contents(
        folder, table, [{"insee_code": f"{n:05}", "rome_id": "A1101", "number": number} for n in range(rows)]
    )


def regions(folder: Path, number: int) -> Contents:
    row = {"code": number, "name": "Normandie", "average_delay_obtain_social_housing": 12}
    return contents(folder, tables.new_regions, [row])


def done(engine: Engine, *new: Contents) -> Release:
    return publish(engine, new, started_at=STARTED, code_version="1", started_by="test")


def rows_of(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table))]


def indexes(engine: Engine, table: str) -> set[tuple[str, ...]]:
    there = inspect(engine)
    named = [tuple(str(c) for c in index["column_names"]) for index in there.get_indexes(table)]
    return {*named, *(tuple(unique["column_names"]) for unique in there.get_unique_constraints(table))}


def test_contents_are_served_with_ids_in_their_order_indexes_and_view(warehouse: Engine, tmp_path: Path) -> None:
    release = done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    assert rows_of(warehouse, tables.cities_jobs) == [(n + 1, f"{n:05}", "A1101", 7) for n in range(3)]
    assert indexes(warehouse, "cities_jobs") == {("insee_code", "rome_id"), ("rome_id",), ("number",)}
    assert ("code",) in indexes(warehouse, "new_regions")
    with warehouse.connect() as connection:
        view = connection.exec_driver_sql("SELECT * FROM socialhousings").all()
    assert [tuple(row) for row in view] == [(28, "Normandie", 12)]
    assert served(warehouse) == release
    assert release.tables["cities_jobs"].rows == 3
    assert release.tables["cities_jobs"].sources == [SOURCE]


def test_nothing_is_served_before_the_first_release(warehouse: Engine) -> None:
    assert served(warehouse) is None


def test_the_same_contents_again_publish_nothing(warehouse: Engine, tmp_path: Path) -> None:
    first = done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    assert done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28)) == first


def test_only_what_changed_is_loaded_and_the_rest_is_carried_over(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    second = done(warehouse, jobs(tmp_path, 8), regions(tmp_path, 28))
    assert second.id == 2
    assert {name: table.contents_id for name, table in second.tables.items()} == {"cities_jobs": 2, "new_regions": 1}
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {8}
    assert served(warehouse) == second


def test_one_table_alone_is_published_and_the_others_stay(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    alone = done(warehouse, regions(tmp_path, 11))
    assert set(alone.tables) == {"cities_jobs", "new_regions"}
    assert len(rows_of(warehouse, tables.cities_jobs)) == 3


def test_another_file_with_the_same_rows_is_a_release_that_loads_nothing(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7))
    other = SourceFile("offers_dump", "b.csv.bz2", "20211222", "1" * 64, 3)
    second = done(warehouse, Contents(tables.cities_jobs, jobs(tmp_path, 7).parts, [other]))
    assert second.tables["cities_jobs"].contents_id == 1
    assert second.tables["cities_jobs"].sources == [other]


def test_the_previous_release_is_kept_whole_and_older_ones_are_dropped(warehouse: Engine, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        done(warehouse, jobs(tmp_path, number))
    kept = {name for name in inspect(warehouse).get_table_names() if "__" in name}
    assert kept == {"cities_jobs__r2"}


def test_what_a_killed_refresh_left_is_cleaned(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1))
    load(warehouse, tables.cities_jobs, jobs(tmp_path, 2).batches())
    done(warehouse, regions(tmp_path, 28))
    assert not [name for name in inspect(warehouse).get_table_names() if "__" in name]
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {1}


def test_every_text_and_number_comes_back_as_it_was(warehouse: Engine, tmp_path: Path) -> None:
    odd = ["tab\tnewline\nreturn\rback\\slash", "\\N", "NULL", "", "'quote\" ;--", "é ’ 😀", None, "0012", " x "]
    rows = [{"insee_com": f"{n:05}", "nom_comm": text, "population": 0.1 * n} for n, text in enumerate(odd)]
    done(warehouse, contents(tmp_path, tables.cities, rows))
    city = tables.cities.c
    with warehouse.connect() as connection:
        found = connection.execute(select(city.nom_comm, city.population, city.z_moyen).order_by(city.id)).all()
    assert [tuple(row) for row in found] == [(text, 0.1 * n, None) for n, text in enumerate(odd)]


def test_a_failure_while_loading_leaves_what_is_served(warehouse: Engine, tmp_path: Path) -> None:
    first = done(warehouse, regions(tmp_path, 28))
    twice = contents(tmp_path, tables.new_regions, [{"code": 1}, {"code": 1}])
    with pytest.raises(Exception, match=r"(?i)unique|duplicate|twice"):
        done(warehouse, twice)
    assert served(warehouse) == first
    assert [row[1] for row in rows_of(warehouse, tables.new_regions)] == [28]


def test_a_value_that_does_not_fit_is_an_error_not_a_shorter_value(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)
    row = {"insee_code": "0" * 11, "rome_id": "A1101", "number": 1}
    with pytest.raises(WarehouseError, match="insee_code"):
        done(engine, contents(tmp_path, tables.cities_jobs, [row]))


def test_a_server_that_refuses_files_gets_inserts(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)

    @event.listens_for(engine, "before_cursor_execute")
    def refuse(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("LOAD DATA"):
            raise OperationalError(statement, None, Exception(1148, "not allowed"))

    done(engine, jobs(tmp_path, 7))
    assert len(rows_of(engine, tables.cities_jobs)) == 3


def test_a_reader_in_a_transaction_is_named_when_the_swap_cannot_happen(
    mariadb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWAP_ATTEMPTS", 1)
    engine = connect(mariadb_url)
    first = done(engine, jobs(tmp_path, 7))
    with engine.begin() as reader:
        number = reader.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        reader.execute(select(tables.cities_jobs)).all()
        with pytest.raises(WarehouseError, match=f"connection {number} of root"):
            done(engine, jobs(tmp_path, 8))
    assert served(engine) == first
    assert done(engine, jobs(tmp_path, 8)).id == 2


def test_readers_never_see_an_empty_or_mixed_warehouse(warehouse: Engine, warehouse_url: str, tmp_path: Path) -> None:
    both = [(jobs(tmp_path, n, rows=50), regions(tmp_path, n)) for n in (1, 2)]
    done(warehouse, *both[0])
    seen, errors, stop = set(), [], threading.Event()

    def read() -> None:
        reader = connect(warehouse_url)
        for _ in _until(stop):
            try:
                seen.add(_one_look(reader))
            except Exception as error:
                errors.append(error)
        reader.dispose()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(1, 11):
        done(warehouse, *both[n % 2])
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert seen == {(50, 1, 1, 1), (50, 2, 2, 2)}


def _until(stop: threading.Event) -> Iterator[None]:
    while not stop.is_set():
        yield


def _one_look(engine: Engine) -> tuple[int, ...]:
    """One statement over both tables: rows, the offers' smallest and largest number, the region's code."""
    query = "SELECT COUNT(*), MIN(j.number), MAX(j.number), MIN(r.code) FROM cities_jobs j CROSS JOIN new_regions r "
    with engine.connect() as connection:
        if is_sqlite(engine):
            return tuple(connection.connection.cursor().execute(query).fetchone())
        return tuple(connection.exec_driver_sql(query).one())


@pytest.mark.parametrize("url", ["postgresql://a:secret@h/d", "not a url: secret", "mariadb+pymysql://root:secret@h"])
def test_an_address_that_is_no_warehouse_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        parse_url(url)
    assert "secret" not in str(refused.value)
    assert shown("mysql://u:secret@h/d") == "mysql+pymysql://u:***@h/d"
