import re
from typing import Any

import dagster as dg
import pytest

from assets.cities import cities
from assets.common.lineage import WHOLE_FILE, of_served, of_staged, raw_schema, staged_key
from assets.equipments_special import equipments_special
from assets.tensions_pcs import tensions_pcs
from pipelines.definitions import definitions
from resources.settings import Settings
from resources.sources.catalogue import catalogue
from warehouse import tables


def deps(lineage: dg.TableColumnLineage, column: str) -> set[tuple[str, str]]:
    found = lineage.deps_by_column.get(column, [])
    return {(dep.asset_key.to_user_string(), dep.column_name) for dep in found}


def test_a_column_comes_from_the_file_columns_that_its_description_names() -> None:
    of_cities = of_staged(tables.cities, ["communes", "house_prices", "coastline"], ["old_regions"])
    assert deps(of_cities, "z_moyen") == {("raw/communes", "z_moyen")}
    assert deps(of_cities, "average_houseselled") == {("raw/house_prices", "price")}
    assert deps(of_cities, "average_houserent") == set()  # its source is not among those given
    assert ("raw/coastline", WHOLE_FILE) in deps(of_cities, "distance_from_sea")
    assert ("staged/old_regions", "new_code") in deps(of_cities, "new_code_region")
    assert "cache_living_environment" not in of_cities.deps_by_column


def test_a_table_made_from_another_of_the_same_description_keeps_its_columns() -> None:
    found = of_staged(tables.tensions, ["pcs_rome"], ["tensions"])
    assert deps(found, "ind_t") == {("staged/tensions", "ind_t")}
    assert deps(found, "pcs") == {("raw/pcs_rome", "pcs")}
    served = of_served(tables.equipments)
    assert deps(served, "total") == {("staged/equipments", "total"), ("staged/equipments_special", "total")}


def test_the_staged_parts_give_every_column_that_something_fills() -> None:
    """Of each served column, the lineage of its parts is whole; a column that nothing fills says so in its comment."""
    graph = definitions(Settings()).resolve_asset_graph()
    for table in tables.SERVED:
        for part in table.info["parts"]:
            parents = graph.get(staged_key(part)).parent_keys
            sources, inputs = (
                [key.path[-1] for key in parents if (key.path[0] == "raw") is raw] for raw in (True, False)
            )
            lineage = of_staged(table, sources, inputs)
            for column in tables.contents_columns(table):
                if column.info["source"] or column.info["made_from"]:
                    assert deps(lineage, column.name), f"{part}.{column.name}"
                else:
                    assert re.search("nothing fills it|always 0|the web tier counts", str(column.comment)), column


@pytest.mark.parametrize("asset", [cities, tensions_pcs, equipments_special], ids=lambda asset: asset.key.path[-1])
def test_an_asset_says_where_it_comes_from_and_how_to_rebuild_it(asset: Any) -> None:
    spec = asset.get_asset_spec()
    assert f"`mobiville refresh --only {spec.key.path[-1]}`" in spec.description
    assert spec.owners == ["team:mobiville-data"]
    if asset is cities:
        source = catalogue()["communes"]
        assert f"[{source.title}]({source.landing_page})" in spec.description
        assert source.licence in spec.description


def test_a_source_shows_its_columns_under_every_spelling() -> None:
    columns = {column.name: column.description for column in raw_schema(catalogue()["house_prices"]).columns}
    assert columns["price"] == "in the file: PrixMoyen_M2, Prixm2Moyen"
