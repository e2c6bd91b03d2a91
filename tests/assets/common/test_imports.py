"""What does not fit together is said when the code loads: what to add, and where."""

from typing import Any

import pytest

from assets.common.imports import load_imports
from resources.errors import CatalogueError
from resources.sources import catalogue as module
from resources.sources.catalogue import catalogue, require_sources
from warehouse import tables
from warehouse.errors import WarehouseError
from warehouse.tables import _int, _str, _table


def test_the_imports_of_this_project_fit_its_tables_and_sources() -> None:
    names = {key.path[-1] for asset in load_imports() for key in getattr(asset, "keys", [])}
    assert {"cities", "tensions_pcs", "city_descriptions", "helps"} <= names


def test_a_table_that_no_import_fills_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    stations = _table("stations", "Stations", _str("place", "where", "communes.insee_com"), key=("place",))
    tables.metadata.remove(stations)
    monkeypatch.setattr(tables, "SERVED", (*tables.SERVED, stations))
    said = "no import fills the table stations with stations: add the function stations for tables.stations to a module"
    with pytest.raises(CatalogueError, match=said):
        load_imports()


def test_an_import_that_nobody_publishes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.equipments.info, "parts", ("equipments",))
    said = (
        "assets/equipments_special.py: nobody publishes equipments_special: in warehouse/tables.py, "
        "name it in the parts=(…) of the table equipments"
    )
    with pytest.raises(CatalogueError) as failed:
        load_imports()
    assert str(failed.value) == said


def test_a_part_that_is_another_tables_import_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.equipments.info, "parts", ("equipments", "equipments_special", "helps"))
    with pytest.raises(CatalogueError, match="no import fills the table equipments with helps"):
        load_imports()


@pytest.mark.parametrize(
    ("field", "named", "said"),
    [
        ("source", ("weather", "x"), "helps.title comes from weather, which raw_data/sources.yaml does not have"),
        ("source", ("communes", "x"), "communes.x, a column that .* does not have: add it to .*communes"),
        ("made_from", ("romeogrs", "code_ogr"), "helps.title is made from romeogrs.code_ogr, which no import gives"),
        ("made_from", ("rome_ogrs", "x"), "helps.title is made from rome_ogrs.x, which no import gives"),
    ],
)
def test_a_column_from_what_is_not_there_is_named(
    field: str, named: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tables.helps.c.title.info, field, (named,))
    with pytest.raises(CatalogueError, match=said):
        load_imports()


def test_an_import_that_reads_a_source_that_the_catalogue_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_sources("assets.cities.cities", ["communes"])
    less = {name: source for name, source in catalogue().items() if name != "communes"}
    monkeypatch.setattr(module, "catalogue", lambda: less)
    with pytest.raises(CatalogueError, match=r"assets.cities.cities reads communes, .*: add an entry of that name"):
        require_sources("assets.cities.cities", ["communes", "coastline"])


@pytest.mark.parametrize(
    ("column", "options", "said"),
    [
        (_str("place", "where", ""), {}, r"table stations: its key is not said: add key=\(…\)"),
        (_str("place", "where", ""), {"key": ("town",)}, r"table stations: its key is \('town',\): add key="),
        (_int("place", "where"), {"key": ("place",)}, "table stations: nothing says where place comes from: after the"),
    ],
)
def test_a_table_that_is_not_wholly_described_is_refused(column: Any, options: Any, said: str) -> None:
    try:
        with pytest.raises(WarehouseError, match=said):
            _table("stations", "Stations", column, **options)
    finally:
        tables.metadata.remove(tables.metadata.tables["stations"])
