"""Weekly offers, beside what SQL counts, on both databases."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from api.app import create_app
from api.search.counts import Trends
from tests.warehouse.factories import contents, done
from warehouse import tables
from warehouse.database import connect

ROMES, REGIONS = ("A1101", "D1102", "N4105"), (1, 11, 53, 94)
COUNTED = """
    SELECT week, SUM(number), MAX(days) FROM offers_history
    WHERE rome_id = :rome AND (:region IS NULL OR code_region = :region) GROUP BY week ORDER BY week
"""


@pytest.fixture
def engine(warehouse_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A warehouse with the offers of 60 weeks, some without any."""
    rng, first = random.Random(3), date(2024, 12, 30)
    rows = [
        {"week": first + timedelta(weeks=week), "code_region": region, "rome_id": rome}
        | {"number": rng.choice((0, 1, 999_999)), "days": rng.randint(1, 7)}
        for week in range(60)
        for region in REGIONS
        for rome in ROMES
        if rng.random() < 0.6 and not (rome == "A1101" and week % 7 == 3)
    ]
    engine = connect(warehouse_url)
    done(engine, contents(tmp_path, tables.offers_history, rng.sample(rows, len(rows))))
    yield engine
    engine.dispose()


def counted(engine: Engine, rome: str, region: int | None) -> list[dict[str, object]]:
    with engine.connect() as connection:
        rows = connection.execute(text(COUNTED), {"rome": rome, "region": region}).all()
    return [{"week": str(week), "number": int(number), "days": days} for week, number, days in rows]


def test_offers_of_a_trade_week_by_week(engine: Engine, warehouse_url: str) -> None:
    with TestClient(create_app(warehouse_url)) as client:
        for rome in (*ROMES, "B1101"):
            for region in (None, *REGIONS, 24):
                where = "" if region is None else f"&region={region}"
                answer = client.get(f"/trends?rome={rome}{where}")
                assert answer.status_code == 200
                assert answer.json() == counted(engine, rome, region), (rome, region)
        assert len(client.get("/trends?rome=A1101").json()) in range(40, 52)


def test_a_year_of_half_a_million_rows_takes_a_few_megabytes(engine: Engine) -> None:
    with engine.connect() as connection:
        trends = Trends(connection)
        rows = connection.execute(text("SELECT COUNT(*) FROM offers_history")).scalar_one()
    arrays = trends._of_rome.values()
    assert sum(map(len, arrays)) == rows
    assert {array.itemsize for array in arrays} == {9}


def test_what_is_asked_is_a_trade_as_text(client: TestClient, api_url: str) -> None:
    engine = connect(api_url)
    with engine.connect() as connection:
        query = "SELECT rome_id, code_region FROM offers_history ORDER BY number DESC, rome_id LIMIT 1"
        rome, region = connection.execute(text(query)).one()
    found = counted(engine, rome, region)
    engine.dispose()
    assert found != []
    for address in (f"/trends?rome={rome}&region={region}", f"/api/trends/?region={region}&rome={rome.lower()}&x=1"):
        answer = client.get(address)
        assert answer.json() == found
        assert answer.headers["x-release"] == "1"
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.head(address).headers["content-length"] == answer.headers["content-length"]
    everywhere = client.get(f"/trends?rome={rome}").json()
    assert client.get(f"/trends?rome={rome}&region=").json() == everywhere
    assert sum(week["number"] for week in everywhere) > sum(int(str(week["number"])) for week in found)


def test_what_is_no_question_is_422_and_names_the_field(client: TestClient) -> None:
    for query in ("", "rome=", "region=53"):
        answer = client.get(f"/trends?{query}")
        assert (answer.status_code, answer.json()["message"]) == (422, "rome: Field required")
    for region in ("x", "1.5", "true", "9" * 5_000):
        answer = client.get(f"/trends?rome=D1102&region={region}")
        assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (422, "region")


def test_an_unknown_trade_or_region_has_no_week(client: TestClient) -> None:
    for rome in ("Z9999", "x", "%00", "%F0%9F%92%A9", "D1102%27--", "D1102" * 900):
        answer = client.get(f"/trends?rome={rome}")
        assert (answer.status_code, answer.json()) == (200, [])
    for region in (99, -1, 10**11):
        answer = client.get(f"/trends?rome=D1102&region={region}")
        assert (answer.status_code, answer.json()) == (200, [])


def test_a_release_without_weekly_offers_has_none(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM offers_history"))
        assert Trends(connection).of("A1101", None) == []
