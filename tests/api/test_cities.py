"""Each route beside what is worked out from the tables in another way, on both databases."""

import itertools
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api import expected
from tests.api.expected import Row, Tables
from warehouse.criteria import CRITERIA


def post(client: TestClient, route: str, body: Any) -> Any:
    answer = client.post(f"/cities/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


SEARCHES: list[Row] = [
    {"codeRome": ["D1102"]},
    {"codeRome": ["D1102"], "codeRegion": [11]},
    {"codeRome": ["D1102", "G1602"], "codeRegion": ["53", 76]},
    {"codeRome": ["D1102", "K2204", "N1103"], "sortBy": "mer"},
    {"codeRome": ["G1602"], "sortBy": "montagne"},
    {"codeRome": ["G1602"], "opportunity": 1},
    {"codeRome": ["G1602"], "opportunity": 2, "sortBy": "mer"},
    {"codeRome": ["G1602"], "onlySearchInTension": False, "codeRegion": [84]},
    {"onlySearchInTension": False, "sortBy": "montagne"},
    {"codeRome": ["K2204"], "codeCity": "small-city", "codeEnvironment": "mountain"},
    {"codeRome": [], "codeRegion": []},
    {"codeRome": ["Z9999"]},
    {"codeRome": ["G1602"], "codeRegion": [99]},
    {"codeRome": ["D1102"], "departement": ["29"]},
    {"codeRome": ["D1102"], "departement": "01"},
    {"departement": ["2A", "971", "2B"], "onlySearchInTension": False, "sortBy": "mer"},
    {"codeRome": ["D1102"], "departement": ["29"], "codeRegion": [84]},
    {"codeRome": ["D1102"], "departement": ["1", "99", "29019"]},
    {"codeRome": ["G1602"], "codeCity": "extra-big-city", "codeEnvironment": "small-city"},
    *({"codeRome": ["K2204"], "codeEnvironment": criterion.key} for criterion in CRITERIA),
]


@pytest.mark.parametrize("body", SEARCHES, ids=json.dumps)
def test_a_search_finds_every_city_in_order_ten_at_a_time(client: TestClient, served: Tables, body: Row) -> None:
    every = expected.search(served, body)
    for index in sorted({0, 3, max(len(every) - 4, 0), len(every) + 5}):
        assert post(client, "search", body | {"index": index}) == {
            "list": every[index : index + 10],
            "total": len(every),
            "index": index,
        }


def test_the_searches_find_something(served: Tables) -> None:
    """What is compared with nothing is not compared."""
    assert sum(len(expected.search(served, body)) > 10 for body in SEARCHES) >= 10


def test_null_and_empty_texts_narrow_nothing_and_unknown_keys_are_ignored(client: TestClient) -> None:
    nothing = {"codeRegion": None, "codeCity": "", "codeEnvironment": None, "sortBy": "", "opportunity": None}
    asked = {"codeRome": ["D1102"]}
    assert (
        post(client, "search", asked | nothing | {"index": None, "codeDepartement": 3, "onlySearchInTension": None})[
            "list"
        ]
        == (post(client, "search", asked)["list"])
    )


def test_codes_compare_without_case(client: TestClient) -> None:
    assert post(client, "search", {"codeRome": ["d1102"]}) == post(client, "search", {"codeRome": ["D1102"]})
    assert client.get("/cities/load/2a004").json()["insee_com"] == "2A004"
    everywhere = {"onlySearchInTension": False}
    corse = post(client, "search", everywhere | {"departement": ["2A"]})
    assert corse["total"] > 0
    assert post(client, "search", everywhere | {"departement": "2a"}) == corse


def test_a_region_that_is_no_number_has_no_city(client: TestClient) -> None:
    body = {"codeRome": ["D1102"], "codeRegion": ["x", "\x00", "9" * 5_000, 10**400, -1]}
    assert post(client, "search", body)["total"] == 0


def test_a_department_that_there_is_not_has_no_city(client: TestClient) -> None:
    """Also where no department is known of a city; a long text is not compared with every city."""
    body = {"onlySearchInTension": False, "departement": ["\x00", "29\x00", "\u0301", "x" * 500_000, *["y"] * 900]}
    assert post(client, "search", body)["total"] == 0


def test_criterions(client: TestClient, served: Tables) -> None:
    answer = client.get("/cities/criterions").json()
    assert answer["regions"] == served["regions_tensions_criterions"][0]["json"]
    labels = {row["rome"]: row["rome_label"] for row in served["tensions"]}
    assert {item["key"]: item["label"] for item in answer["codeRomes"]} == labels
    assert answer["codeRomes"][0].keys() == {"key", "label"}
    accents = str.maketrans("éèêâîôçÉÂ", "eeeaiocEA")
    ordered = [item["label"].translate(accents).casefold() for item in answer["codeRomes"]]
    assert ordered == sorted(ordered)
    assert answer["criterions"][0] == {
        "label": "Mer",
        "tag": "environment",
        "icon": "waves",
        "weight": 4,
        "key": "side-sea",
    }
    assert [item["key"] for item in answer["criterions"]] == [criterion.key for criterion in CRITERIA]
    assert answer["criterions"][3]["subLabel"] == "moins de 20 000 habitants"


def test_a_city_has_all_its_columns_and_what_belongs_to_it(client: TestClient, served: Tables) -> None:
    regions = {row["code"]: row for row in served["new_regions"]}
    departements = {row["code"]: row for row in served["departements"]}
    chosen = [*served["cities"][::40], *(c for c in served["cities"] if c["insee_com"] in ("75101", "75056", "01033"))]
    for city in chosen:
        facilities = [row for row in served["equipments"] if row["depcom"] == city["insee_com"]]
        answer = client.get(f"/cities/load/{city['insee_com']}").json()
        assert answer == expected.plain(city) | {
            "nom_comm": city["nom_comm"].replace("--", "-").replace("-1ER-ARRONDISSEMENT", ""),
            "equipments": sorted(facilities, key=lambda row: row["id"]),
            "newRegion": regions.get(city["new_code_region"]),
            "departement": departements.get(city["code_dept"]),
            "former": [{"code": city["insee_com"], "name": city["former_name"]}] * bool(city["former_name"])
            + [
                {"code": row["code"], "name": row["name"]}
                for row in sorted(served["former_communes"], key=lambda row: row["code"])
                if row["current_code"] == city["insee_com"]
            ],
        }
    assert client.get("/cities/load/75101").json()["nom_comm"] == "PARIS"


@pytest.mark.parametrize("insee", ["99999", "29", "x", "29019'--", "%00", "%F0%9F%92%A9", "2" * 4_000])
def test_an_unknown_city_is_not_found(client: TestClient, insee: str) -> None:
    answer = client.get(f"/cities/load/{insee}")
    assert (answer.status_code, answer.json()) == (404, {"message": "no city has this INSEE code"})


@pytest.mark.parametrize("query", ["", "b", "BRE", "saint-", "l'", "paris", "Évr", "zzz", "%", "_"])
def test_autocomplete_knows_the_beginning_of_names(client: TestClient, served: Tables, query: str) -> None:
    start = query.upper().replace("É", "E")
    matching = [c for c in served["cities"] if c["nom_comm"].startswith(start) and not expected.is_district(c)]
    assert post(client, "autocomplete", {"query": query}) == [
        {key: city[key] for key in ("name", "nom_comm", "insee_com", "postal_code")}
        for city in sorted(matching, key=lambda c: (c["nom_comm"], c["insee_com"]))[:10]
    ]


def test_a_space_is_as_good_as_a_hyphen_in_a_name(client: TestClient) -> None:
    assert (
        post(client, "autocomplete", {"query": "saint e"}) == post(client, "autocomplete", {"query": "SAINT-E"}) != []
    )


@pytest.mark.parametrize(("latitude", "longitude"), [(48.85, 2.35), (48.4, -4.5), (43.3, 5.4), (0, 0), (-1e308, 1e308)])
def test_close_cities(client: TestClient, served: Tables, latitude: float, longitude: float) -> None:
    for but in ("", "75056", "29019"):
        body = {"latitude": latitude, "longitude": longitude, "inseeCode": but}
        found = post(client, "search-close-cities", body)
        for city in found:
            assert city.pop("distance") == pytest.approx(expected.kilometres(latitude, longitude, city), abs=0.001)
        assert found == expected.close(served, latitude, longitude, but)


def test_a_city_is_left_out_by_a_former_code_too(client: TestClient, served: Tables) -> None:
    cities = {city["insee_com"]: city for city in served["cities"]}
    left_out = 0
    for former in served["former_communes"]:
        if city := cities.get(former["current_code"]):
            around = {"latitude": city["geo_point_2d_x"], "longitude": city["geo_point_2d_y"]}
            codes = [
                [near["insee_com"] for near in post(client, "search-close-cities", around | {"inseeCode": code})]
                for code in ("", former["code"])
            ]
            left_out += city["insee_com"] in codes[0]
            assert city["insee_com"] not in codes[1]
    assert left_out


def test_similar_cities(client: TestClient, served: Tables) -> None:
    keys = ("id", "population", "distance_from_sea", "z_moyen")
    compared = 0
    for city, rome in itertools.product(served["cities"][::30], ("D1102", "K2204", "Z9999")):
        given = {key: city[key] for key in keys}
        result, criterions = expected.similar(served, given, rome)
        answer = post(client, "search-similar-cities", {"codeRome": rome, "city": given})
        assert answer == {"result": result, "criterions": criterions}
        compared += len(result)
    assert compared > 50


def test_what_is_unknown_of_a_city_is_not_compared(client: TestClient) -> None:
    answer = post(client, "search-similar-cities", {"codeRome": "D1102", "city": {"id": 0, "population": None}})
    assert answer["criterions"] == []
    assert len(answer["result"]) == 6


@pytest.mark.parametrize(
    ("query", "first"),
    [("st malo", "35288"), ("St-Denis", "97411"), ("ste marie", "97228"), ("marseile", "13055"), ("bordaux", "33063")],
)
def test_a_city_is_found_however_it_is_typed(client: TestClient, query: str, first: str) -> None:
    assert first in [city["insee_com"] for city in post(client, "autocomplete", {"query": query})]


@pytest.mark.parametrize("query", ["zzzz", "99999", "____", "q w e r t y"])
def test_what_is_like_no_name_finds_no_city(client: TestClient, query: str) -> None:
    assert post(client, "autocomplete", {"query": query}) == []
