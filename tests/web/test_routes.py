"""The routes that the page adds to the contract, beside plain SQL on the same warehouse."""

from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text


def sql(warehouse: str, query: str, **values: Any) -> list[Any]:
    """The rows of a query."""
    engine = create_engine(warehouse)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query), values)]
    engine.dispose()
    return rows


IN_TENSION = """
    SELECT b.bassin_id, MIN(b.bassin_name), MIN(t.ind_t), COUNT(DISTINCT c.insee_com)
    FROM cities c JOIN bassins b ON b.code_commune_insee = c.insee_com JOIN tensions t ON t.bassin_id = b.bassin_id
    WHERE t.rome = :rome AND c.new_code_region = :region AND c.distance_from_sea <= 30
    GROUP BY b.bassin_id ORDER BY b.bassin_id
"""


def test_basins_are_those_of_all_pages_of_the_search(url: str, warehouse: str) -> None:
    body = {"codeRome": ["D1102"], "codeRegion": ["53"], "codeEnvironment": "side-sea"}
    basins = httpx.post(f"{url}cities/search-basins", json=body).json()
    found = [(basin["bassin_id"], basin["bassin_name"], basin["ind_t"], basin["cities"]) for basin in basins]
    assert found == sql(warehouse, IN_TENSION, rome="D1102", region=53)
    assert len(found) > 1
    total = httpx.post(f"{url}cities/search", json=body).json()["total"]
    assert sum(basin["cities"] for basin in basins) == total
    for basin in basins:
        (most,) = sql(
            warehouse,
            "SELECT c.insee_com, c.geo_point_2d_x, c.geo_point_2d_y FROM cities c"
            " JOIN bassins b ON b.code_commune_insee = c.insee_com"
            " WHERE b.bassin_id = :basin AND c.new_code_region = 53 AND c.distance_from_sea <= 30"
            " ORDER BY c.population DESC, c.insee_com LIMIT 1",
            basin=basin["bassin_id"],
        )
        assert (basin["insee_com"], basin["latitude"], basin["longitude"]) == most


def test_basins_without_a_trade(url: str, warehouse: str) -> None:
    basins = httpx.post(f"{url}cities/search-basins", json={"onlySearchInTension": False}).json()
    ((number,),) = sql(
        warehouse,
        "SELECT COUNT(DISTINCT bassin_id) FROM bassins b JOIN cities c ON c.insee_com = b.code_commune_insee",
    )
    assert len(basins) == number
    assert all("ind_t" not in basin for basin in basins)


@pytest.mark.parametrize("insee", ["29019", "75056", "01004", "2a004"])
def test_trades_of_a_city(url: str, warehouse: str, insee: str) -> None:
    answer = httpx.get(f"{url}api/cities/trades/{insee}")
    assert answer.headers["x-release"] == "1"
    trades = answer.json()["trades"]
    code = insee.upper()
    offers = dict(
        sql(
            warehouse,
            "SELECT rome_id, SUM(number) FROM cities_jobs WHERE insee_code = :code OR insee_code LIKE :districts"
            " GROUP BY rome_id",
            code=code,
            districts="751%" if code == "75056" else code,
        )
    )
    indices = dict(
        sql(
            warehouse,
            "SELECT t.rome, t.ind_t FROM tensions t JOIN bassins b ON b.bassin_id = t.bassin_id"
            " WHERE b.code_commune_insee = :code",
            code=code,
        )
    )
    labels = dict(sql(warehouse, "SELECT code, label FROM rome_codes"))
    assert offers
    assert indices
    expected = {
        rome: (labels.get(rome), offers.get(rome), indices.get(rome)) for rome in offers.keys() | indices.keys()
    }
    assert {trade["codeRome"]: (trade["label"], trade["number"], trade["ind_t"]) for trade in trades} == expected
    order = [(-(trade["number"] or 0), trade["codeRome"]) for trade in trades]
    assert order == sorted(order)


@pytest.mark.parametrize("insee", ["99999", "x", "29019' OR '1", "%00"])
def test_trades_of_no_city(url: str, insee: str) -> None:
    assert httpx.get(f"{url}cities/trades/{insee}").status_code == 404
