"""What the web tier's pages ask for, as they ask for it, and what they must be told."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api import expected
from tests.api.expected import Row, Tables
from tests.conftest import ROOT

RECORDED = ROOT.parent / "shared" / "front" / "requests.jsonl"
"""Requests of the original front, where they are at hand."""

SAME_KIND: list[Row] = [
    *({"method": "POST", "path": "/cities/autocomplete", "body": {"query": query}}
      for query in ("Bretagne", "bres", "saint-é", "Brest (29200)", "l'ha", "PARIS", "Régions les plus attractives")),
    {"method": "GET", "path": "/cities/criterions", "body": None},
    *({"method": "GET", "path": f"/cities/load/{insee}", "body": None}
      for insee in ("29019", "75056", "75101", "2A004", "99999")),
    *({"method": "POST", "path": "/cities/search",
       "body": {"codeRome": "K2204", "codeRegion": "53", "sortBy": "", "onlySearchInTension": True, "index": 0} | more}
      for more in ({}, {"codeCity": "small-city"}, {"codeEnvironment": "side-sea"}, {"opportunity": "1"},
                   {"opportunity": "2"}, {"index": 10}, {"codeRegion": "84"}, {"codeRome": None}, {"sortBy": "mer"})),
    *({"method": "POST", "path": "/cities/search-by-skill", "body": {"label": label}}
      for label in ("boulang", "Boulangerie - viennoiserie", "Boulangerie (Boulanger / Boulangère, …)")),
    {"method": "POST", "path": "/cities/search-close-cities",
     "body": {"latitude": 48.39, "longitude": -4.49, "codeRome": "D1102", "inseeCode": "29019"}},
    *({"method": "POST", "path": "/cities/search-close-companies",
       "body": {"codeRome": "D1102", "insee": insee, "sort": "distance"}} for insee in ("29019", "75056")),
    {"method": "GET", "path": "/helps/get-previews", "body": None},
    *({"method": "POST", "path": "/professions/infos-travail", "body": {"codeRome": rome, "insee": insee}}
      for rome in ("D1102", "K2204") for insee in ("29019", "75056", "75101", "2A004")),
    {"method": "POST", "path": "/professions/search", "body": {"codeRome": ["D1102"], "insee": ["29019"]}},
    {"method": "POST", "path": "/professions/searchCountList",
     "body": {"codeRome": ["D1102"], "inseeList": [["29019"], ["75056"]]}},
]  # fmt: skip


def _requests() -> list[Row]:
    recorded = RECORDED.read_text("utf-8").splitlines() if RECORDED.is_file() else []
    return [*SAME_KIND, *map(json.loads, recorded)]


def _searched(tables: Tables, body: Row) -> Any:
    every, index = expected.search(tables, body), int(body.get("index") or 0)
    return {"list": every[index : index + 10], "total": len(every), "index": index}


def _completed(tables: Tables, body: Row) -> Any:
    start = expected.unaccented(body["query"]).upper().replace(" ", "-")
    found = [c for c in tables["cities"] if c["nom_comm"].replace(" ", "-").startswith(start)]
    chosen = sorted((c for c in found if not expected.is_district(c)), key=lambda c: (c["nom_comm"], c["insee_com"]))
    return [{key: city[key] for key in ("name", "nom_comm", "insee_com", "postal_code")} for city in chosen[:10]]


def _informed(tables: Tables, body: Row) -> Any:
    cities = {city["insee_com"]: city for city in tables["cities"]}
    basins, insee = expected.basin_of(tables), body["insee"]
    whole = next((city for city, start in expected.DISTRICTS.items() if insee.startswith(start)), insee)
    basin = basins.get(insee, basins.get(whole))
    rows = expected.tensions(tables, [body["codeRome"]]).get(basin or 0, [])
    unknown = dict.fromkeys(["min", "max", "bassinTension", "deptTension", "hiringRate"])
    assert insee in cities or insee not in basins
    return {"bassinId": basin, "bassinTensionIndT": expected.least(rows), **unknown, "unavailable": True}


def _check(tables: Tables, path: str, body: Row, answer: Any) -> None:
    """Hold an answer against what the tables say, worked out row by row."""
    match path:
        case "/cities/search":
            assert answer == _searched(tables, body)
        case "/cities/autocomplete":
            assert answer == _completed(tables, body)
        case "/cities/search-close-cities":
            place = float(body["latitude"]), float(body["longitude"])
            for city in answer:
                assert city.pop("distance") == pytest.approx(expected.kilometres(*place, city), abs=0.001)
            assert answer == expected.close(tables, *place, body["inseeCode"])
        case "/professions/infos-travail":
            assert answer == _informed(tables, body)
        case "/professions/search":
            assert answer == {"resultats": [], "totalOffres": None, "unavailable": True}
        case "/professions/searchCountList":
            assert answer == [{"insee": i, "total": None, "unavailable": True} for i in body["inseeList"]]
        case "/cities/search-close-companies":
            assert answer == {"companies": [], "companies_count": None, "unavailable": True}
        case "/cities/search-by-skill":
            titles = {(row["code_rome"], row["ogr_label"]) for row in tables["romeogrs"]}
            assert answer
            assert {(item["codeRome"], item["label"]) for item in answer} <= titles
        case "/cities/criterions":
            assert answer["regions"] == tables["regions_tensions_criterions"][0]["json"]
        case "/helps/get-previews":
            assert [help_["slug"] for help_ in answer] == [row["slug"] for row in tables["helps"]]
        case _ if path.startswith("/cities/load/"):
            (city,) = (c for c in tables["cities"] if c["insee_com"] == path.rpartition("/")[2])
            assert answer.items() >= (expected.plain(city) | {"nom_comm": answer["nom_comm"]}).items()
            facilities = [row for row in tables["equipments"] if row["depcom"] == city["insee_com"]]
            assert answer["equipments"] == facilities
        case _:
            assert path.startswith("/helps/get-previews/")
            (row,) = (row for row in tables["helps"] if row["slug"] == path.rpartition("/")[2])
            assert answer == row


@pytest.mark.parametrize(
    "request_", _requests(), ids=lambda r: f"{r['path']} {json.dumps(r['body'], ensure_ascii=True)}"
)
def test_a_request_of_the_web_tier_is_answered(client: TestClient, served: Tables, request_: Row) -> None:
    path, body = request_["path"], request_["body"]
    known = {city["insee_com"] for city in served["cities"]}
    slugs = {row["slug"] for row in served["helps"]}
    is_there = path.rpartition("/")[2] in known | slugs or not path.startswith(
        ("/cities/load/", "/helps/get-previews/")
    )
    for prefix in ("", "/api"):
        answer = client.request(request_["method"], prefix + path, json=body)
        assert answer.status_code == (200 if is_there else 404), answer.text
        if is_there:
            _check(served, path, body, answer.json())


def test_the_requests_find_something(served: Tables) -> None:
    """What is compared with nothing is not compared."""
    searches = [request_["body"] for request_ in SAME_KIND if request_["path"] == "/cities/search"]
    assert sum(bool(_searched(served, body)["list"]) for body in searches) >= 6
    informed = [_informed(served, r["body"]) for r in SAME_KIND if r["path"] == "/professions/infos-travail"]
    assert sum(info["bassinTensionIndT"] is not None for info in informed) >= 2


def test_what_is_said_of_paris_counts_its_districts(client: TestClient, served: Tables) -> None:
    """On a search's list, and on the city's own page."""
    for city, start in expected.DISTRICTS.items():
        own = [row for row in served["cities_jobs"] if expected.belongs(row["insee_code"], city)]
        counted: dict[str, int] = {}
        for row in own:
            counted[row["rome_id"]] = counted.get(row["rome_id"], 0) + row["number"]
        trades = client.get(f"/cities/trades/{city}").json()["trades"]
        assert {trade["codeRome"]: trade["number"] for trade in trades if trade["number"]} == counted != {}
        assert [row["insee_code"] for row in own if row["insee_code"].startswith(start)], "the sample has some"
        for rome, number in list(counted.items())[:5]:
            region = next(c["new_code_region"] for c in served["cities"] if c["insee_com"] == city)
            body = {"codeRome": rome, "codeRegion": str(region), "onlySearchInTension": "false"}
            (found,) = (c for c in client.post("/cities/search", json=body).json()["list"] if c["insee_com"] == city)
            assert found["citiesJobs.number"] == number


@pytest.mark.parametrize(
    ("query", "insee"),
    [
        *[(text, "69381") for text in ("lyon 1", "Lyon 1er", "lyon 1er arrondissement", "lyon 1er arr.")],
        *[("paris 12", "75112"), ("Paris 3e", "75103"), ("Marseille 1er", "13201"), ("75011", "75111")],
        ("29200", "29019"),
    ],
)
def test_districts_and_postal_codes_are_found_where_no_name_begins_so(
    client: TestClient, served: Tables, query: str, insee: str
) -> None:
    found = client.post("/cities/autocomplete", json={"query": query}).json()
    assert insee in [city["insee_com"] for city in found]
    if query.isdigit():
        codes = {c["insee_com"] for c in served["cities"] if query in (c["postal_code"] or "").split("/")}
        assert {city["insee_com"] for city in found} == codes
        names = [city["nom_comm"] for city in found]
        assert names == sorted(names)


def test_a_name_comes_before_a_district(client: TestClient) -> None:
    found = client.post("/cities/autocomplete", json={"query": "lyon"}).json()
    assert not any("ARRONDISSEMENT" in city["nom_comm"] for city in found)


def test_similar_leaves_the_city_out_by_its_code(client: TestClient, served: Tables) -> None:
    """Its id may be that of another warehouse."""
    compared = 0
    for city in served["cities"][::30]:
        keys = ("insee_com", "population", "distance_from_sea", "z_moyen")
        for rome in ("D1102", "K2204"):
            given = {key: city[key] for key in keys} | {"id": served["cities"][0]["id"]}
            result, _ = expected.similar(served, city, rome)
            answer = client.post("/cities/search-similar-cities", json={"codeRome": rome, "city": given}).json()
            assert answer["result"] == result
            compared += len(result)
    assert compared > 30


def test_the_recorded_requests_are_whole() -> None:
    if not RECORDED.is_file():
        pytest.skip("the recorded requests are not at hand")
    assert len(Path(RECORDED).read_text("utf-8").splitlines()) == 83
