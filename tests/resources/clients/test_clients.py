"""Every client of an outside service, before every fault that such a service has."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from resources.clients.france_travail import FranceTravail
from resources.clients.http import Http
from resources.clients.wikimedia import Wikimedia
from resources.downloads.partial import Downloader
from resources.errors import ServiceError
from resources.settings import Settings
from tests.resources.conftest import settings_for
from tests.services import Answer, Service, service

METIER = {
    "appellations": [{"code": "10001", "libelle": "Conducteur"}],
    "competencesMobilisees": [{"libelle": "Tailler"}],
}
OFFERS = {"resultats": [{"id": "1"}], "filtresPossibles": []}
PAGE = {"query": {"pages": [{"title": "Lyon", "extract": "Lyon est une commune.", "lastrevid": 1, "fullurl": "u"}]}}
BINDINGS = {"results": {"bindings": [{"code": {"value": "69123"}, "title": {"value": "Lyon"}}]}}
SALARIES = {"valeursParPeriode": [{"codePeriode": "2025", "salaireValeurMontant": [{"valeurPrincipaleMontant": 1900}]}]}
STATS = "/stats-offres-demandes-emploi/v1/indicateur"
PERIODS = {"listeValeursParPeriode": [{"codeNomenclature": "PERSPECTIVE", "valeurPrincipaleNombre": 4}]}

CLIENTS: dict[str, tuple[str, Any, Callable[[Settings], Any]]] = {
    "rome": (
        "/rome-metiers/v1/metiers/metier/A1101",
        METIER,
        lambda s: FranceTravail(s, Http.from_settings(s)).rome("A1101"),
    ),
    "offers": (
        "/offresdemploi/v2/offres/search",
        OFFERS,
        lambda s: FranceTravail(s, Http.from_settings(s)).offers(["A1101"], ["69381"]),
    ),
    "salaries": (
        f"{STATS}/salaire-rome-fap/NAT/FR",
        SALARIES,
        lambda s: FranceTravail(s, Http.from_settings(s)).salaries("A1101"),
    ),
    "tension": (
        f"{STATS}/stat-perspective-employeur",
        PERIODS,
        lambda s: FranceTravail(s, Http.from_settings(s)).tension("A1101", "DEP", "69"),
    ),
    "companies": (
        "/labonneboite/v2/recherche",
        {"hits": 1, "items": [{"siret": "1"}]},
        lambda s: FranceTravail(s, Http.from_settings(s)).companies(["A1101"], "69381", by_distance=False),
    ),
    "token": (
        "/token",
        {"access_token": "t", "expires_in": 1499},
        lambda s: FranceTravail(s, Http.from_settings(s)).token("x"),
    ),
    "wikidata": ("/sparql", BINDINGS, lambda s: Wikimedia(s, Http.from_settings(s)).titles(["69123"])),
    "wikipedia": ("/w/api.php", PAGE, lambda s: Wikimedia(s, Http.from_settings(s)).articles(["Lyon"])),
    "sheet": (
        "/sheet",
        b"FICHE;1;2\n",
        lambda s: Downloader(Http.from_settings(s), s.cache, 1).fetch_small("sheets", f"{s.mirror}/sheet"),
    ),
}
JSON_CLIENTS = [name for name, (_, good, _) in CLIENTS.items() if not isinstance(good, bytes)]


def scripted(outside: Service, name: str, *faults: Answer) -> Callable[[Settings], Any]:
    path, good, call = CLIENTS[name]
    outside.on("/token", Answer({"access_token": "t", "expires_in": 1499}))
    outside.on(path, *faults, Answer(good))
    return call


def in_one_second() -> dict[str, str]:
    return {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)}


TRANSIENT = {
    "500": lambda: Answer(status=500),
    "503": lambda: Answer(status=503, headers={"Retry-After": "0"}),
    "429, seconds": lambda: Answer(status=429, headers={"Retry-After": "0"}),
    "429, date": lambda: Answer(status=429, headers=in_one_second()),
    "no answer in time": lambda: Answer(delay=0.6),
    "reset in the middle": lambda: Answer({"a": "b" * 200_000}, cut=100_000),
    "truncated": lambda: Answer({"a": "b"}, claimed=500),
}


@pytest.mark.parametrize("fault", TRANSIENT)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_transient_failure_is_retried(outside: Service, settings: Settings, name: str, fault: str) -> None:
    call = scripted(outside, name, TRANSIENT[fault]())
    assert call(settings)
    assert len(outside.asked_for(CLIENTS[name][0])) == 2


@pytest.mark.parametrize("name", CLIENTS)
def test_a_slow_response_is_read_to_its_end(outside: Service, settings: Settings, name: str) -> None:
    path, good, call = CLIENTS[name]
    outside.on("/token", Answer({"access_token": "t", "expires_in": 1499}))
    outside.on(path, Answer(good, delay=0.2, drip=0.0005))
    assert call(settings)
    assert len(outside.asked_for(path)) == 1


LASTING = {
    "500 every time": (Answer(status=500), 3, "answered 500"),
    "403": (Answer(status=403), 1, "403"),
    "too large": (Answer(b"x" * 30_000_000), 1, "is dropped|MB arrived"),
    "asks for a long wait": (Answer(status=429, headers={"Retry-After": "3600"}), 1, "asks to wait 3600 s"),
    "silent": (Answer(delay=0.6), 3, "did not respond within 0.4 s"),
}


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("name", CLIENTS)
def test_a_lasting_failure_is_an_error_that_names_the_service_and_no_secret(
    outside: Service, settings: Settings, name: str, fault: str
) -> None:
    path, _, call = CLIENTS[name]
    answer, tries, said = LASTING[fault]
    outside.on("/token", Answer({"access_token": "t0ken", "expires_in": 1499}))
    outside.on(path, answer)
    with pytest.raises(Exception, match=said) as raised:
        call(settings)
    assert len(outside.asked_for(path)) == tries
    assert "hunter2" not in repr(raised.value)
    assert "t0ken" not in repr(raised.value)


@pytest.mark.parametrize(
    "answer",
    [Answer(b"<html>maintenance", headers={"Content-Type": "text/html"}), Answer(b'{"a": '), Answer(b"\xff\xfe\x00")],
    ids=["a page", "broken", "no text"],
)
@pytest.mark.parametrize("name", JSON_CLIENTS)
def test_a_response_that_is_not_json_is_retried_and_then_an_error(
    outside: Service, settings: Settings, name: str, answer: Answer
) -> None:
    assert scripted(outside, name, answer)(settings)
    outside.on(CLIENTS[name][0], answer)
    with pytest.raises(ServiceError, match="instead of JSON"):
        CLIENTS[name][2](settings)


@pytest.mark.parametrize("name", JSON_CLIENTS)
@pytest.mark.parametrize("answer", [{}, [], {"query": 1}, 7, None, {"error": "x"}])
def test_json_of_another_shape_is_an_error_or_an_empty_result(
    outside: Service, settings: Settings, name: str, answer: Any
) -> None:
    outside.on("/token", Answer({"access_token": "t", "expires_in": 1499}))
    outside.on(CLIENTS[name][0], Answer(answer))
    try:
        found = CLIENTS[name][2](settings)
    except ServiceError:
        return
    assert not found or found == {"resultats": [], "totalOffres": 0} or found == {"companies_count": 0, "companies": []}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody signed, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*made, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key").read_text() + (folder / "cert").read_text())
    return both


@pytest.mark.parametrize("name", CLIENTS)
def test_a_self_signed_certificate_is_refused_without_a_retry(name: str, certificate: Path, tmp_path: Path) -> None:
    with service(tls=certificate) as outside, pytest.raises(ServiceError, match="its certificate is not trusted"):
        CLIENTS[name][2](settings_for(outside, tmp_path))


def test_an_unreachable_service_is_named(settings: Settings) -> None:
    away = settings.model_copy(update={"wikidata_url": "http://127.0.0.1:1/sparql"})
    with pytest.raises(ServiceError, match=r"Wikidata \(127.0.0.1:1\): the connection failed"):
        CLIENTS["wikidata"][2](away)


@pytest.mark.parametrize("name", [name for name in CLIENTS if name not in ("token", "wikidata", "wikipedia", "sheet")])
def test_a_redirect_to_another_host_does_not_get_the_token(outside: Service, settings: Settings, name: str) -> None:
    path, good, call = CLIENTS[name]
    outside.on("/token", Answer({"access_token": "t0ken", "expires_in": 1499}))
    with service() as other:
        there = f"http://localhost:{other.url.rpartition(':')[2]}/elsewhere"
        other.on("/elsewhere", Answer(good))
        status = 307 if name == "tension" else 302
        outside.on(path, Answer(status=status, headers={"Location": there}))
        assert call(settings)
        (asked,) = other.asked
    assert outside.asked_for(path)[0].headers["authorization"] == "Bearer t0ken"
    assert "authorization" not in asked.headers


def test_the_secret_is_never_redirected(outside: Service, settings: Settings) -> None:
    with service() as other:
        outside.on("/token", Answer(status=307, headers={"Location": f"{other.url}/token"}))
        with pytest.raises(ServiceError, match="has moved: see MOBIVILLE_FT_TOKEN_URL"):
            CLIENTS["token"][2](settings)
        assert other.asked == []


def test_every_request_carries_the_contact(outside: Service, settings: Settings) -> None:
    for name in CLIENTS:
        scripted(outside, name)(settings)
    assert all("(data@example.org)" in asked.headers["user-agent"] for asked in outside.asked)


def test_the_proxy_of_the_environment_is_used(
    outside: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside.on("/sparql", Answer(BINDINGS))
    monkeypatch.setenv("HTTP_PROXY", outside.url)
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    away = settings.model_copy(update={"wikidata_url": "http://wikidata.invalid/sparql"})
    assert CLIENTS["wikidata"][2](away) == {"69123": "Lyon"}
    assert outside.asked[0].headers["host"] == "wikidata.invalid"
