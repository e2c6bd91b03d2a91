"""Tables that are not what the record says of them are noticed, and repaired."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.warehouse.factories import contents, done, jobs, one_look, regions
from warehouse import tables
from warehouse.damage import damage
from warehouse.release import current_release, publish, rollback

HARMS = {
    "DROP TABLE cities_jobs": "the table is not there",
    "DELETE FROM cities_jobs WHERE id = 2": "the record says 3 rows, the table has 2",
    "UPDATE cities_jobs SET number = 9 WHERE id = 2": "its contents are not those that were loaded",
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_table_is_named_and_loaded_again(warehouse: Engine, tmp_path: Path, harm: str) -> None:
    done(warehouse, jobs(tmp_path, 1), regions(tmp_path, 1))
    served = [jobs(tmp_path, 2), regions(tmp_path, 1)]
    done(warehouse, *served)
    assert damage(warehouse, current_release(warehouse), deep=True) == {}
    with warehouse.begin() as connection:
        connection.exec_driver_sql(harm)
    deep = harm.startswith("UPDATE")
    assert damage(warehouse, current_release(warehouse), deep=deep) == {"cities_jobs": HARMS[harm]}
    said: list[str] = []
    repaired = publish(warehouse, served, deep=deep, progress=said.append)
    assert f"cities_jobs is damaged: {HARMS[harm]}" in said
    assert (repaired.id, repaired.tables["cities_jobs"].contents_id) == (3, 2)
    assert damage(warehouse, repaired, deep=True) == {}
    assert one_look(warehouse) == (3, 2, 2, 1)
    rollback(warehouse, 1, keep=1)
    assert one_look(warehouse) == (3, 1, 1, 1)


def test_contents_of_every_kind_have_the_checksum_that_they_were_loaded_with(warehouse: Engine, tmp_path: Path) -> None:
    odd = ["'", "\\", "\\N", "a\nb\tc\r", "é😀", "", None]
    rows = [{"title": value, "description": value, "count_vue": n} for n, value in enumerate(odd)]
    city = {"insee_com": "01004", "population": 14.081, "geo_point_2d_x": 1 / 3, "geo_point_2d_y": -0.1}
    json = {"rome": "A1101", "json": '{"a": [1.50, "é"]}'}
    columns = tables.contents_schema(tables.regions_tensions_criterions).names
    filled = {name: json.get("json" if name == "json" else "rome") for name in columns}
    done(
        warehouse,
        contents(tmp_path, tables.helps, rows),
        contents(tmp_path, tables.cities, [city]),
        contents(tmp_path, tables.regions_tensions_criterions, [filled]),
        contents(
            tmp_path,
            tables.offers_history,
            [{"week": date(2021, 12, 20), "code_region": 1, "rome_id": "A1101", "number": 3, "days": 1}],
        ),
    )
    assert damage(warehouse, current_release(warehouse), deep=True) == {}
