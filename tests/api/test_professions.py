"""What is asked of outside services live: cached, joined, bounded, partial, and never in the way of the warehouse."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import live
from api.app import create_app
from resources.errors import ServiceError
from resources.settings import Settings
from tests.api.test_robustness import hold_to_description
from tests.services import Answer, Asked, Service, service

OFFERS = "/offresdemploi/v2/offres/search"
TENSION = "/stats-offres-demandes-emploi/v1/indicateur/stat-perspective-employeur"
SALARIES = "/stats-offres-demandes-emploi/v1/indicateur/salaire-rome-fap/NAT/FR"
HIRING = "/stats-perspectives-retour-emploi/v1/indicateur/stat-acces-emploi"
COMPANIES = "/labonneboite/v2/recherche"


def offers(total: int) -> Answer:
    kinds = [{"filtre": "typeContrat", "agregation": [{"nbResultats": total - 1}, {"nbResultats": 1}]}]
    return Answer({"resultats": [{"id": "1"}], "filtresPossibles": kinds}, 206)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """France Travail, which knows everything."""
    with service() as running:
        monkeypatch.setenv("MOBIVILLE_FT_CLIENT_ID", "PAR_mobiville")
        monkeypatch.setenv("MOBIVILLE_FT_CLIENT_SECRET", "hunter2")
        monkeypatch.setenv("MOBIVILLE_FT_TOKEN_URL", f"{running.url}/token")
        monkeypatch.setenv("MOBIVILLE_FT_API_URL", running.url)
        running.on("/token", Answer({"access_token": "t", "expires_in": 1499}))
        running.on(OFFERS, offers(7))
        salaries = [{"valeurPrincipaleMontant": 1800}, {"valeurPrincipaleMontant": 2400.5}]
        running.on(SALARIES, Answer({"valeursParPeriode": [{"codePeriode": "2024", "salaireValeurMontant": salaries}]}))
        running.on(TENSION, tension)
        running.on(HIRING, Answer({"listeValeursParPeriode": [{"valeurSecondaireTaux": 61.5}]}))
        running.on(COMPANIES, Answer({"hits": 12, "items": [{"siret": "1", "company_name": "SARL"}]}))
        yield running


def tension(asked: Asked) -> Answer:
    value = {"BASBMO": 3, "DEP": 5}[asked.json["codeTypeTerritoire"]]
    return Answer({"listeValeursParPeriode": [{"codeNomenclature": "PERSPECTIVE", "valeurPrincipaleNombre": value}]})


@pytest.fixture
def api(outside: Service, api_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(api_url)) as client:
        yield client


def place(served: dict[str, list[dict[str, Any]]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A commune and a tension row of its basin."""
    for basin in served["bassins"]:
        for row in served["tensions"]:
            if row["bassin_id"] == basin["bassin_id"] and len(basin["code_commune_insee"]) == 5:
                return basin, row
    raise AssertionError("the sample has one")


def test_what_the_description_allows_is_answered_as_it_says(
    outside: Service, api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "A_SECOND", dict.fromkeys(live.THREADS, 1_000))
    assert hold_to_description(create_app(api_url), live=True) == 4


def test_offers_and_their_total(api: TestClient, outside: Service) -> None:
    found = api.post("/professions/search", json={"codeRome": ["A1101"], "insee": ["75056", "01004"]})
    assert found.json() == {"resultats": [{"id": "1"}], "totalOffres": 7}
    assert found.headers["cache-control"] == "no-store"
    (asked,) = outside.asked_for(OFFERS)
    assert asked.query == {"codeROME": "A1101", "commune": "75101,01004", "distance": "30"}
    assert api.post("/api/professions/search", json={"codeRome": ["A1101"], "insee": ["75056", "01004"]}).json()
    assert len(outside.asked_for(OFFERS)) == 1
    assert len(outside.asked_for("/token")) == 1


def test_counts_of_lists_and_those_that_fail_are_null(api: TestClient, outside: Service) -> None:
    def counted(asked: Asked) -> Answer:
        return Answer(status=500) if asked.query["commune"] == "01004" else offers(9)

    outside.on(OFFERS, counted)
    lists = [["69123"], ["01004"], ["13055", "75101"]]
    found = api.post("/professions/searchCountList", json={"codeRome": ["A1101"], "inseeList": lists})
    assert found.json() == [
        {"insee": ["69123"], "total": 9},
        {"insee": ["01004"], "total": None, "unavailable": True},
        {"insee": ["13055", "75101"], "total": 9},
    ]
    communes = {asked.query["commune"] for asked in outside.asked_for(OFFERS)}
    assert communes == {"69381", "01004", "13201,75101"}
    assert {asked.query["range"] for asked in outside.asked_for(OFFERS)} == {"0-0"}


def test_what_is_known_of_a_trade_in_a_commune(
    api: TestClient, outside: Service, served: dict[str, list[dict[str, Any]]]
) -> None:
    basin, row = place(served)
    body = {"codeRome": row["rome"], "insee": basin["code_commune_insee"]}
    whole = {
        "bassinId": basin["bassin_id"],
        "bassinTensionIndT": row["ind_t"],
        "min": 1800,
        "max": 2400.5,
        "bassinTension": 3,
        "deptTension": 5,
        "hiringRate": 61.5,
    }
    assert api.post("/professions/infos-travail", json=body).json() == whole
    assert {asked.json["codeTerritoire"] for asked in outside.asked_for(TENSION)} >= {str(basin["bassin_id"])}


def test_parts_that_fail_are_null_and_asked_again_soon(
    api: TestClient,
    outside: Service,
    served: dict[str, list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "KEPT_FAILURE_SECONDS", 0.3)
    basin, row = place(served)
    body = {"codeRome": row["rome"], "insee": basin["code_commune_insee"]}
    outside.on(HIRING, Answer(status=500))
    outside.on(SALARIES, Answer(b"<html>"))
    found = api.post("/professions/infos-travail", json=body).json()
    assert (found["hiringRate"], found["min"], found["max"]) == (None, None, None)
    assert (found["bassinTension"], found["deptTension"], found["unavailable"]) == (3, 5, True)
    asked = len(outside.asked)
    assert api.post("/professions/infos-travail", json=body).json() == found
    assert len(outside.asked) == asked
    time.sleep(0.4)
    outside.on(HIRING, Answer({"listeValeursParPeriode": [{"valeurSecondaireTaux": 50}]}))
    assert api.post("/professions/infos-travail", json=body).json()["hiringRate"] == 50


def test_a_commune_that_is_not_there_has_what_is_known_of_the_trade(api: TestClient) -> None:
    found = api.post("/professions/infos-travail", json={"codeRome": "A1101", "insee": "99999"}).json()
    assert (found["bassinId"], found["deptTension"], found["min"]) == (None, None, 1800)


def test_a_former_code_is_asked_for_as_the_commune_that_it_is_in_now(
    api: TestClient, outside: Service, served: dict[str, list[dict[str, Any]]]
) -> None:
    basin_of = {basin["code_commune_insee"]: basin["bassin_id"] for basin in served["bassins"]}
    former = next(row for row in served["former_communes"] if row["current_code"] in basin_of)
    old, now = former["code"], former["current_code"]
    api.post("/professions/search", json={"codeRome": ["A1101"], "insee": [old]})
    assert [asked.query["commune"] for asked in outside.asked_for(OFFERS)] == [now]
    api.post("/cities/search-close-companies", json={"codeRome": "A1101", "insee": old})
    assert [asked.query["citycode"] for asked in outside.asked_for(COMPANIES)] == [now]
    found = api.post("/professions/infos-travail", json={"codeRome": "A1101", "insee": old}).json()
    assert found["bassinId"] == basin_of[now]
    assert found["deptTension"] == 5


def test_companies(api: TestClient, outside: Service) -> None:
    body = {"codeRome": "A1101", "insee": "13055", "sort": "distance"}
    found = api.post("/cities/search-close-companies", json=body).json()
    assert found["companies_count"] == 12
    assert found["companies"][0]["name"] == "SARL"
    asked = outside.asked_for(COMPANIES)[0].query
    assert (asked["citycode"], asked["rome"], asked["sort_by"]) == ("13201", "A1101", "distance")


def test_the_same_question_of_many_is_asked_once(api: TestClient, outside: Service) -> None:
    outside.on(OFFERS, Answer(offers(7).content, 206, delay=0.3))
    body = {"codeRome": ["A1101"], "insee": ["01004"]}
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: api.post("/professions/search", json=body).json(), range(12)))
    assert [answer["totalOffres"] for answer in found] == [7] * 12
    assert len(outside.asked_for(OFFERS)) == 1


def test_one_slow_service_holds_up_neither_the_others_nor_the_warehouse(
    api: TestClient, outside: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ANSWER_SECONDS", 3)
    outside.on(OFFERS, Answer(offers(7).content, 206, delay=10))
    lists = [[f"01{number:03}"] for number in range(1, 51)]
    slow = {"codeRome": ["A1101"], "inseeList": lists}
    with ThreadPoolExecutor(4) as pool:
        started = time.monotonic()
        waiting = [pool.submit(api.post, "/professions/searchCountList", json=slow) for _ in range(2)]
        time.sleep(0.2)
        assert api.post("/cities/autocomplete", json={"query": "ly"}).status_code == 200
        body = {"codeRome": "A1101", "insee": "13055"}
        assert api.post("/cities/search-close-companies", json=body).json()["companies_count"] == 12
        assert not any(future.done() for future in waiting)
        answers = [future.result().json() for future in waiting]
    assert time.monotonic() - started < 10 * live.ANSWER_SECONDS  # fifty wait at once
    assert answers[0] == [{"insee": insee, "total": None, "unavailable": True} for insee in lists]


def test_too_many_questions_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_WAITING", 5)
    gate = threading.Event()
    asked = live.Live(Settings())
    futures = [asked.submit("offers", lambda: gate.wait(10)) for _ in range(5)]
    with pytest.raises(ServiceError, match="too many questions wait"):
        asked.submit("offers", lambda: None)
    gate.set()
    assert all(future.result() for future in futures)
    assert asked.submit("offers", lambda: 7).result() == 7
    asked.close()


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Answer(status=429, headers={"Retry-After": "0"}), 2),
        (Answer(status=429, headers={"Retry-After": "60"}), 1),
        (Answer(status=403), 1),
        (Answer(b"<html>"), 2),
    ],
)
def test_a_service_that_does_not_answer_is_said(api: TestClient, outside: Service, answer: Answer, tries: int) -> None:
    outside.on(OFFERS, answer)
    found = api.post("/professions/search", json={"codeRome": ["A1101"], "insee": ["01004"]})
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    assert found.json() == {"resultats": [], "totalOffres": None, "unavailable": True}
    assert len(outside.asked_for(OFFERS)) == tries


LIVE: dict[str, tuple[dict[str, Any], Any]] = {
    "/professions/search": (
        {"codeRome": "A1101", "insee": "01004"},
        {"resultats": [], "totalOffres": None, "unavailable": True},
    ),
    "/professions/searchCountList": (
        {"codeRome": ["A1101"], "inseeList": [["01004"], ["75056"]]},
        [{"insee": [insee], "total": None, "unavailable": True} for insee in ("01004", "75056")],
    ),
    "/cities/search-close-companies": (
        {"codeRome": "A1101", "insee": "01004", "sort": "distance"},
        {"companies": [], "companies_count": None, "unavailable": True},
    ),
}


@pytest.mark.parametrize("route", LIVE)
def test_without_credentials_the_live_part_is_empty_and_it_is_said(client: TestClient, route: str) -> None:
    body, empty = LIVE[route]
    found = client.post(route, json=body)
    assert (found.status_code, found.json()) == (200, empty)


def test_what_the_warehouse_knows_of_a_trade_is_answered_without_credentials(
    client: TestClient, served: dict[str, list[dict[str, Any]]]
) -> None:
    """The web tier takes a missing index for an opportunity."""
    indices: dict[tuple[int, str], int] = {}
    for row in served["tensions"]:
        key = (row["bassin_id"], row["rome"])
        indices[key] = min(row["ind_t"], indices.get(key, 9))
    compared = set()
    for basin in served["bassins"][::7]:
        for rome in ("D1102", "G1602", "A0000"):
            body = {"codeRome": rome, "insee": basin["code_commune_insee"]}
            found = client.post("/professions/infos-travail", json=body).json()
            assert found == {
                **{"bassinId": basin["bassin_id"], "bassinTensionIndT": indices.get((basin["bassin_id"], rome))},
                **dict.fromkeys(["min", "max", "bassinTension", "deptTension", "hiringRate"]),
                "unavailable": True,
            }
            compared.add(found["bassinTensionIndT"])
    assert len(compared) > 2


def test_a_dead_service_delays_an_answer_by_two_seconds_at_most(api: TestClient, outside: Service) -> None:
    assert live.ANSWER_SECONDS < 2
    for path in (OFFERS, TENSION, SALARIES, HIRING, COMPANIES):
        outside.on(path, Answer({}, delay=10))
    bodies = {route: body for route, (body, _) in LIVE.items()}
    bodies["/professions/infos-travail"] = {"codeRome": "A1101", "insee": "75056"}
    for route, body in bodies.items():
        started = time.monotonic()
        found = api.post(route, json=body)
        assert time.monotonic() - started < 2 * live.ANSWER_SECONDS  # one wait, not one per service
        assert found.status_code == 200
        assert "unavailable" in found.text


@pytest.mark.parametrize(
    ("company", "page"),
    [
        ({"siret": "12345678901234", "url": "https://example.org/c"}, "https://example.org/c"),
        ({"siret": "12345678901234"}, "https://annuaire-entreprises.data.gouv.fr/etablissement/12345678901234"),
        ({"siret": 12345678901234, "url": ""}, "https://annuaire-entreprises.data.gouv.fr/etablissement/12345678901234"),
        ({"siret": "12345678901234", "url": "javascript:alert(1)"},
         "https://annuaire-entreprises.data.gouv.fr/etablissement/12345678901234"),
        ({"siret": "1/../x"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_company_has_its_page(api: TestClient, outside: Service, company: dict[str, Any], page: str | None) -> None:
    outside.on(COMPANIES, Answer({"hits": 1, "items": [company]}))
    found = api.post("/cities/search-close-companies", json={"codeRome": "A1101", "insee": "01004"}).json()
    assert [item["url"] for item in found["companies"]] == [page]
    assert "unavailable" not in found


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("/professions/search", {"codeRome": ["A1101' OR '1'='1"], "insee": ["01004"]}, "codeRome"),
        ("/professions/search", {"codeRome": ["A1101"], "insee": ["01004&range=0-0"]}, "insee"),
        ("/professions/search", {"codeRome": ["A1101\n"], "insee": []}, "codeRome"),
        ("/professions/search", {"codeRome": ["A٢٢٢٢"], "insee": []}, "codeRome"),
        ("/professions/search", {"codeRome": [], "insee": ["01004"] * 51}, "insee"),
        ("/professions/searchCountList", {"codeRome": ["A1101"], "inseeList": [["../x"]]}, "inseeList"),
        ("/professions/searchCountList", {"codeRome": ["A1101"], "inseeList": [[]]}, "inseeList"),
        ("/professions/infos-travail", {"codeRome": "A1101", "insee": 1004}, "insee"),
        ("/cities/search-close-companies", {"codeRome": ["%41"], "insee": "01004"}, "codeRome"),
        ("/cities/search-close-companies", {"codeRome": [], "insee": "01004"}, "codeRome"),
    ],
)
def test_what_is_no_code_reaches_no_service(
    api: TestClient, outside: Service, route: str, body: dict[str, Any], field: str
) -> None:
    found = api.post(route, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert found.status_code == 422
    assert field in found.json()["message"]
    assert outside.asked == []


def test_the_secret_is_nowhere(
    api: TestClient, outside: Service, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    outside.on("/token", Answer({"error": "invalid_client"}, 400))
    found = api.post("/professions/search", json={"codeRome": ["A1101"], "insee": ["01004"]})
    assert found.json()["unavailable"] is True
    printed = capfd.readouterr()
    assert "hunter2" not in found.text + printed.out + printed.err
