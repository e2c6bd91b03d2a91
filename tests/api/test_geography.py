"""Communes of before: what the API says of them, and of the geography, on a small release in which some merged."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create_app
from api.release import CACHE
from tests.warehouse.factories import contents, done
from warehouse import tables
from warehouse.database import connect
from warehouse.record import geography
from warehouse.release import SourceFile

COG = SourceFile("cog", "communes-cog-2026.json", "2026", "1" * 64)
COMMUNES = SourceFile("communes", "cities-france.csv", "2015", "2" * 64)

BEFORE = "Bellegarde-sur-Valserine"
"""The commune whose code 01033 was, delegated in it now."""
CITIES = [
    ("01033", "VALSERHONE", "Valserhône", "01200"),
    ("01004", "BELLEVILLE", "Belleville", "01500"),
    ("61324", "PASSAIS-VILLAGES", "Passais Villages", "61350"),
    ("69123", "LYON", "Lyon", "69001/69003"),
    ("69383", "LYON-3E--ARRONDISSEMENT", "Lyon 3e Arrondissement", "69003"),
    *((f"0200{n}", f"SAINT-ELOI-{n}", None, "02000") for n in range(9)),
]
FORMER = [
    ("01018", None, "01033"),
    ("01091", "Châtillon-en-Michaille", "01033"),
    ("01205", "Lancrans", "01033"),
    ("01036", "Bellême", "61324"),
    ("01037", "L'Épine aux Bois", "61324"),
    ("01038", "Saint-Éloi", "61324"),
    ("01039", "Saint-Élophe", "01033"),
    ("01040", "Saint-Elouan", "01033"),
    ("01041", "Lyonne", "99999"),
]


@pytest.fixture
def engine(warehouse_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A warehouse with the cities and what they were before."""
    engine = connect(warehouse_url)
    keys = ("insee_com", "nom_comm", "name", "postal_code")
    former = [dict(zip(("code", "name", "current_code"), row, strict=True)) for row in FORMER]
    cities = [dict(zip(keys, row, strict=True)) | {"population": 1.0} for row in CITIES]
    cities[0]["former_name"] = BEFORE
    done(
        engine,
        contents(tmp_path, tables.cities, cities, COMMUNES, COG),
        contents(tmp_path, tables.former_communes, former, COMMUNES, COG),
    )
    yield engine
    engine.dispose()


@pytest.fixture
def asked(engine: Engine, warehouse_url: str) -> Iterator[TestClient]:
    """A client of the API on it."""
    with TestClient(create_app(warehouse_url), follow_redirects=False) as client:
        yield client


def test_a_city_says_which_communes_are_in_it(asked: TestClient, engine: Engine) -> None:
    query = "SELECT code, name FROM former_communes WHERE current_code = '{}' ORDER BY code"
    for insee in ("01033", "61324", "01004"):
        with engine.connect() as connection:
            rows = [row._asdict() for row in connection.exec_driver_sql(query.format(insee))]
        own = [{"code": "01033", "name": BEFORE}] if insee == "01033" else []
        assert asked.get(f"/cities/load/{insee}").json()["former"] == own + rows
        assert len(rows) == sum(current == insee for *_, current in FORMER)


def test_a_former_code_leads_to_the_present_one(asked: TestClient) -> None:
    etag = asked.get("/release").headers["etag"]
    for method, prefix, end in itertools.product(("GET", "HEAD"), ("", "/api"), ("", "/", "?a=b/")):
        address = f"http://testserver{prefix}/cities/load/01091{end}"
        answer = asked.request(method, address, headers={"If-None-Match": "*"})
        assert (answer.status_code, answer.content) == (308, b"")
        assert urljoin(address, answer.headers["location"]) == f"http://testserver{prefix}/cities/load/01033"
        assert [answer.headers[name] for name in ("etag", "x-release", "cache-control")] == [etag, "1", CACHE]


@pytest.mark.parametrize("what", ["figures", "trades"])
def test_it_leads_there_wherever_a_city_is_asked_for(asked: TestClient, what: str) -> None:
    moved = asked.get(f"/cities/{what}/01091")
    assert (moved.status_code, moved.headers["location"]) == (308, "01033")
    assert asked.get(f"/cities/{what}/{moved.headers['location']}").status_code == 200


def test_what_was_never_a_commune_is_not_found(asked: TestClient) -> None:
    for unknown in ("99999", "01041/x", "Lancrans", "01018x"):
        assert asked.get(f"/cities/load/{unknown}").status_code == 404
    moved = asked.get("/cities/load/01041")  # to a commune that is not served
    assert asked.get(f"/cities/load/{moved.headers['location']}").status_code == 404


def completed(client: TestClient, query: str) -> list[str]:
    answer = client.post("/cities/autocomplete", json={"query": query}).json()
    assert all(city.keys() == {"name", "nom_comm", "insee_com", "postal_code"} for city in answer)
    return [city["insee_com"] for city in answer]


COMPLETED = {
    "lancr": ["01033"],
    "CHATILLON EN": ["01033"],
    "l’epine-aux": ["61324"],
    "bell": ["01004", "01033", "61324"],  # a present name, then former ones by name
    "bellegarde sur": ["01033"],
    "saint-el": [*(f"0200{n}" for n in range(9)), "61324"],  # ten at most
    "saint-elou": ["01033"],
    "l": ["69123", "61324", "01033"],  # L'Épine, Lancrans
    "valserhône": ["01033"],
    "lyonn": [],  # what it is in now is not served
    "lyon 3": ["69383"],
    "lyon": ["69123"],
    "69003": ["69123", "69383"],
    "012": ["01033"],
    "01018": [],
    "saint": [*(f"0200{n}" for n in range(9)), "61324"],
}


def test_a_former_name_is_found_after_the_present_ones(asked: TestClient) -> None:
    for query, found in COMPLETED.items():
        assert completed(asked, query) == found, query


def test_release_names_the_geography(asked: TestClient) -> None:
    assert asked.get("/release").json()["geography"] == "COG 2026"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([SourceFile("communes", "a", "unknown", "3" * 64), COMMUNES], "communes 2015"),
        ([COMMUNES, COG, SourceFile("cog", "a", "2021", "3" * 64), COG], "COG 2021, 2026"),
        ([COMMUNES, SourceFile("cog", "a", None, "3" * 64)], "COG"),
        ([SourceFile("bpe", "a", "2021", "3" * 64)], None),
    ],
)
def test_the_geography_is_that_of_the_files(files: list[SourceFile], words: str | None) -> None:
    assert geography(files) == words
