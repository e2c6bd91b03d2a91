from typing import Any

import dagster as dg
import pytest

from assets.cities import cities
from assets.common.lineage import NAMED, of_served, of_staged, raw_column, raw_schema
from assets.equipments_special import equipments_special
from assets.tensions_pcs import tensions_pcs
from resources.sources.catalogue import catalogue
from warehouse import tables


def deps(lineage: dg.TableColumnLineage, column: str) -> set[tuple[str, str]]:
    found = lineage.deps_by_column.get(column, [])
    return {(dep.asset_key.to_user_string(), dep.column_name) for dep in found}


def test_a_column_comes_from_the_file_column_that_its_comment_names() -> None:
    of_cities = of_staged(tables.cities, ["communes", "house_prices"], [])
    assert deps(of_cities, "z_moyen") == {("raw/communes", "z_moyen")}
    assert deps(of_cities, "average_houseselled") == {("raw/house_prices", "price")}
    assert deps(of_cities, "average_houserent") == set()  # its source is not among those given
    assert deps(of_cities, "distance_from_sea") == set()  # worked out: no column of a file


def test_a_table_made_from_another_of_the_same_description_keeps_its_columns() -> None:
    found = of_staged(tables.tensions, ["pcs_rome"], ["tensions"])
    assert deps(found, "ind_t") == {("tensions", "ind_t")}
    assert deps(found, "pcs") == {("tensions", "pcs"), ("raw/pcs_rome", "pcs")}
    served = of_served(tables.equipments, ["equipments", "equipments_special"])
    assert deps(served, "total") == {("equipments", "total"), ("equipments_special", "total")}


def test_every_source_that_comments_name_is_found_with_its_column() -> None:
    assert set(NAMED.values()) <= set(catalogue())
    comments = [column.comment or "" for table in tables.SERVED for column in table.columns]
    assert {found[0] for found in map(raw_column, comments) if found} == set(NAMED.values())


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
