"""Nothing that a client sends ends in a 500 or in SQL."""

import json
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from api.app import create_app
from api.routes.professions import LIVE_TAG

VALID: dict[str, dict[str, Any]] = {
    "search": {"codeRome": ["D1102"], "codeRegion": [11], "index": 0, "opportunity": 1, "onlySearchInTension": True}
    | {"codeCity": "small-city", "codeEnvironment": "side-sea", "sortBy": "mer"},
    "autocomplete": {"query": "par"},
    "search-by-skill": {"label": "boulang"},
    "search-close-cities": {"latitude": 48.8, "longitude": 2.3, "inseeCode": "75056"},
    "search-similar-cities": {"codeRome": "D1102", "city": {"id": 1, "population": 1, "z_moyen": 2}},
}

WRONG: dict[tuple[str, str], list[Any]] = {
    ("search", "codeRegion"): [{}, [1.5], [True], [[11]], [{}], 1.5, True],
    ("search", "codeCity"): [1, [], "nope", True, ["small-city"]],
    ("search", "codeEnvironment"): [1, {}, "sun", False],
    ("search", "codeRome"): [1, {}, [1], [["D1102"]], [True]],
    ("search", "index"): ["ten", 1.5, "1.5", [], True, -1, "-1", {}],
    ("search", "onlySearchInTension"): ["perhaps", 2, [], {}],
    ("search", "opportunity"): [0, 3, "3", "x", 1.5, True, []],
    ("search", "sortBy"): [1, "sun", [], True],
    ("autocomplete", "query"): [1, [], {}, True],
    ("search-by-skill", "label"): [1, [], {}, False],
    ("search-close-cities", "latitude"): [None, "", "north", "nan", "inf", [], True, {}],
    ("search-close-cities", "longitude"): [None, "x", [], False],
    ("search-close-cities", "inseeCode"): [75056, [], True],
    ("search-similar-cities", "codeRome"): [1, {}, [1]],
    ("search-similar-cities", "city"): [
        None,
        1,
        "x",
        [],
        {},
        {"id": "one"},
        {"id": 1.5},
        {"id": 1, "population": "few"},
    ],
}

AS_TEXT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("search", {"codeRome": "D1102"}, {"codeRome": ["D1102"]}),
    ("search", {"codeRegion": "11"}, {"codeRegion": [11]}),
    ("search", {"codeRegion": 11}, {"codeRegion": [11]}),
    ("search", {"codeRegion": ["11", None, ""]}, {"codeRegion": [11]}),
    ("search", {"codeRegion": ""}, {"codeRegion": []}),
    ("search", {"codeRegion": [None]}, {"codeRegion": []}),
    ("search", {"codeRome": ["D1102", None, ""]}, {"codeRome": ["D1102"]}),
    ("search", {"index": "3"}, {"index": 3}),
    ("search", {"index": 3.0}, {"index": 3}),
    ("search", {"index": "", "sortBy": "", "codeCity": "", "opportunity": ""}, {"index": 0}),
    ("search", {"index": None, "sortBy": None, "onlySearchInTension": None}, {"index": 0}),
    ("search", {"opportunity": "1"}, {"opportunity": 1}),
    ("search", {"onlySearchInTension": "false"}, {"onlySearchInTension": False}),
    ("autocomplete", {"query": None}, {"query": ""}),
    ("search-by-skill", {"label": None}, {"label": ""}),
    ("search-close-cities", {"latitude": "48.8", "longitude": " 2.3 "}, {"latitude": 48.8, "longitude": 2.3}),
    ("search-close-cities", {"inseeCode": ""}, {"inseeCode": None}),
    ("search-similar-cities", {"codeRome": ["D1102"]}, {"codeRome": "D1102"}),
    (
        "search-similar-cities",
        {"city": {"id": "1", "population": "1", "z_moyen": ""}},
        {"city": {"id": 1, "population": 1}},
    ),
]


@pytest.mark.parametrize(("route", "texts", "plain"), AS_TEXT, ids=str)
def test_texts_of_an_address_bar_say_the_same(
    client: TestClient, route: str, texts: dict[str, Any], plain: dict[str, Any]
) -> None:
    rest = {"codeRome": ["D1102"]} if route == "search" else VALID[route]
    found = client.post(f"/cities/{route}", json=rest | texts)
    assert (found.status_code, found.json()) == (200, client.post(f"/cities/{route}", json=rest | plain).json())


HOSTILE = [
    "' OR '1'='1", "'; DROP TABLE cities; --", "\\'; SELECT SLEEP(9); --", '" OR 1=1 --', "1 UNION SELECT 1,2,3",
    "%' OR '%'='", "A1101' OR SLEEP(9)='", "\\", "\x00", "\ud800", "\udfff\ud83d", "%s %d {0} :name ?", "${7*7}",
    "../../etc/passwd", "<script>alert(1)</script>", "𝒳" * 50, "\r\nSet-Cookie: a=b", "NULL", "é' -- ", "x" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize(("place", "values"), WRONG.items(), ids=lambda value: str(value)[:40])
def test_a_wrong_type_is_422_and_its_field_is_named(
    client: TestClient, place: tuple[str, str], values: list[Any]
) -> None:
    route, field = place
    assert client.post(f"/cities/{route}", json=VALID[route]).status_code == 200
    for value in values:
        answer = client.post(f"/cities/{route}", json=VALID[route] | {field: value})
        assert (answer.status_code, field in answer.json()["message"]) == (422, True), (value, answer.text)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("search", '{"index": NaN}'), ("search", '{"index": 1e999}'), ("search", '{"codeRegion": [NaN]}'),
        ("search-close-cities", '{"latitude": NaN, "longitude": 1}'),
        ("search-close-cities", '{"latitude": 1, "longitude": -Infinity}'),
        ("search-close-cities", '{"latitude": 1e999, "longitude": 1}'),
        ("search-similar-cities", '{"codeRome": "A1101", "city": {"id": 1, "population": NaN}}'),
        ("search", '{"index": ' + "9" * 5_000 + "}"), ("search", "[" * 200_000), ("search", ""), ("search", "x"),
        ("search", "null"), ("search", "[]"), ("search", '"text"'), ("search", b'{"codeRome": ["\xff"]}'),
        ("search", '{"codeCity": "\\ud800"}'), ("search", '{"sortBy": "\\u0000"}'),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_json_cannot_say_is_422(client: TestClient, route: str, body: str | bytes) -> None:
    answer = client.post(f"/cities/{route}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["message"]


@pytest.mark.parametrize("index", [2**31, 2**63, 2**64, 10**400])
def test_integers_of_any_size(client: TestClient, index: int) -> None:
    answer = client.post("/cities/search", json={"codeRome": ["D1102"], "index": index})
    assert (answer.status_code, answer.json()["list"], answer.json()["index"]) == (200, [], index)
    city = {"id": index, "population": 10**30, "z_moyen": -index if index < 10**300 else 1}
    assert client.post("/cities/search-similar-cities", json={"codeRome": "D1102", "city": city}).status_code == 200


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_hostile_texts_are_only_texts(client: TestClient, text: str) -> None:
    """Sent to every text of every route: what was there is there, and nothing is found by it."""
    before = client.get("/release").json()
    bodies = {
        "search": {"codeRome": [text], "codeRegion": [text], "onlySearchInTension": False},
        "autocomplete": {"query": text},
        "search-by-skill": {"label": text},
        "search-close-cities": {"latitude": 48.8, "longitude": 2.3, "inseeCode": text},
        "search-similar-cities": {"codeRome": text, "city": {"id": 1, "population": 1}},
    }
    answers = {
        route: client.post(f"/cities/{route}", content=json.dumps(body), headers={"Content-Type": "application/json"})
        for route, body in bodies.items()
    }
    assert {route: answer.status_code for route, answer in answers.items()} == dict.fromkeys(bodies, 200)
    assert answers["search"].json()["total"] == 0
    assert answers["autocomplete"].json() == []
    assert answers["search-similar-cities"].json()["result"] == []
    everywhere = client.post("/cities/search-close-cities", json={"latitude": 48.8, "longitude": 2.3})
    assert answers["search-close-cities"].json() == everywhere.json()
    assert client.get("/release").json() == before


def test_a_code_that_is_asked_for_without_tension_does_not_reach_sql(client: TestClient) -> None:
    body = json.dumps({"codeRome": ["\ud800", "D1102"], "onlySearchInTension": False})
    answer = client.post("/cities/search", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    rest = client.post("/cities/search", json={"codeRome": ["D1102"], "onlySearchInTension": False})
    assert answer.json() == rest.json()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_in_any_field_is_answered(client: TestClient, data: st.DataObject) -> None:
    route = data.draw(st.sampled_from(sorted(VALID)))
    field = data.draw(st.sampled_from(sorted(VALID[route])))
    body = json.dumps(VALID[route] | {field: data.draw(anything)})
    answer = client.post(f"/cities/{route}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 422), answer.text


def test_what_the_description_allows_is_answered_as_it_says(api_url: str) -> None:
    """All that the warehouse answers; tests/api/test_professions.py has the routes that ask outside."""
    assert hold_to_description(create_app(api_url), live=False) == 17


def hold_to_description(app: FastAPI, *, live: bool) -> int:
    """Schemathesis makes requests from the OpenAPI description, and holds the answers against it; how many routes."""
    found = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [result.ok() for result in found.get_all_operations() if isinstance(result, Ok)]
    chosen = [operation for operation in operations if (LIVE_TAG in (operation.tags or [])) == live]
    for operation in chosen:

        @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.validate_response(case.call())

        check()
    return len(chosen)
