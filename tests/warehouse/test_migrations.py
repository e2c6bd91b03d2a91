from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect

from tests.warehouse.factories import contents, done, jobs, regions
from warehouse import tables
from warehouse.migrate import differences, migrate
from warehouse.release import current_release


def test_migrations_make_the_tables_as_they_are_described(warehouse: Engine) -> None:
    migrate(warehouse)
    assert differences(warehouse) == []
    assert {table.name for table in tables.SERVED} <= set(inspect(warehouse).get_table_names())


def test_what_is_published_differs_in_nothing_from_the_description(warehouse: Engine, tmp_path: Path) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        table.name: [{c.name: _any(c.type.python_type) for c in table.columns if c.name not in tables.STAMPS}]
        for table in tables.SERVED
    }
    for name, found in rows.items():
        found[0].pop("id", None)
        if name == "regions_tensions_criterions":
            found[0]["json"] = "[]"
    done(warehouse, *(contents(tmp_path, table, rows[table.name]) for table in tables.SERVED))
    assert differences(warehouse) == []


def _any(kind: type) -> Any:
    return {int: 1, float: 1.0, date: date(2021, 12, 20)}.get(kind, "1")


def test_what_is_served_stays_served_and_twice_is_once(warehouse: Engine, tmp_path: Path) -> None:
    first = done(warehouse, jobs(tmp_path, 1), regions(tmp_path, 28))
    revision = migrate(warehouse)
    assert current_release(warehouse) == first
    assert migrate(warehouse) == revision
    assert done(warehouse, jobs(tmp_path, 2), regions(tmp_path, 28)).id == 2


def test_a_database_of_the_old_system_is_adopted(warehouse: Engine, tmp_path: Path) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE cities_jobs (id INTEGER PRIMARY KEY, insee_code VARCHAR(255))")
        connection.exec_driver_sql("INSERT INTO cities_jobs VALUES (1, 'old')")
        connection.exec_driver_sql("CREATE TABLE migrations (name VARCHAR(255))")
    migrate(warehouse)
    with warehouse.connect() as connection:
        assert connection.exec_driver_sql("SELECT insee_code FROM cities_jobs").scalar_one() == "old"
    done(warehouse, jobs(tmp_path, 1))
    with warehouse.connect() as connection:
        assert connection.exec_driver_sql("SELECT insee_code FROM cities_jobs__r0").scalar_one() == "old"
    assert "migrations" in inspect(warehouse).get_table_names()
