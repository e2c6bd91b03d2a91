"""Loads that begin before the release."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from tests.warehouse.factories import contents, jobs, regions
from warehouse import tables
from warehouse.early import EarlyLoads
from warehouse.release import publish


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def early(warehouse: Engine, warehouse_url: str, said: list[str]) -> Iterator[EarlyLoads]:
    loads = EarlyLoads(warehouse_url, said.append)
    yield loads
    loads.end()


def beside(engine: Engine) -> set[str]:
    return {name for name in inspect(engine).get_table_names() if name.endswith("__next")}


def test_what_is_loaded_early_is_loaded_once(
    warehouse: Engine, early: EarlyLoads, said: list[str], tmp_path: Path
) -> None:
    first, second = replace(jobs(tmp_path, 1), fingerprint="a"), replace(regions(tmp_path, 1), fingerprint="b")
    early.begin(first)
    release = publish(warehouse, [first, second], early=early, progress=said.append)
    assert sorted(said) == ["loading cities_jobs", "loading new_regions", "swapping 2 tables"]
    assert {name: table.rows for name, table in release.tables.items()} == {
        "cities_jobs": first.rows(),
        "new_regions": second.rows(),
    }
    assert release.tables["cities_jobs"].sha256 == first.sha256()
    assert beside(warehouse) == set()


def test_what_no_release_takes_is_dropped(
    warehouse: Engine, warehouse_url: str, said: list[str], tmp_path: Path
) -> None:
    loads = EarlyLoads(warehouse_url, said.append)
    loads.begin(replace(jobs(tmp_path, 1), fingerprint="a"))
    loads.end()
    assert beside(warehouse) == set()


def test_other_contents_than_those_that_were_loaded_are_loaded(
    warehouse: Engine, early: EarlyLoads, said: list[str], tmp_path: Path
) -> None:
    early.begin(replace(jobs(tmp_path, 1), fingerprint="a"))
    other = replace(jobs(tmp_path, 2), fingerprint="b")
    release = publish(warehouse, [other], early=early, progress=said.append)
    assert release.tables["cities_jobs"].sha256 == other.sha256()


def test_a_load_that_fails_fails_the_release_and_nothing_else(
    warehouse: Engine, early: EarlyLoads, said: list[str], tmp_path: Path
) -> None:
    before = publish(warehouse, [jobs(tmp_path, 1)])
    rows = [{"code": "01", "name": "Ain"}] * 2  # a key that stands twice
    twice = replace(contents(tmp_path, tables.departements, rows), fingerprint="c")
    early.begin(twice)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate|twice"):
        publish(warehouse, [twice], early=early)
    assert publish(warehouse, [jobs(tmp_path, 1)]) == before
