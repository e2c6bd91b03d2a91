from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from resources.clients.france_travail import FranceTravail, Rome
from resources.clients.http import Http
from resources.clients.jsonl_cache import open_cache, read_cache
from resources.clients.rome_api import CACHE_FILE, FRESH_DAYS, fetch_rome
from resources.errors import CacheError, NoCredentialsError, ServiceError
from resources.settings import Settings
from tests.services import Answer, Asked, Service

METIERS = "/rome-metiers/v1/metiers/metier"


def client(settings: Settings) -> FranceTravail:
    return FranceTravail(settings, Http.from_settings(settings))


def metier(*titles: tuple[str, str], skills: tuple[str, ...] = ()) -> Answer:
    return Answer(
        {
            "appellations": [{"code": code, "libelle": label} for code, label in titles],
            "competencesMobiliseesPrincipales": [{"type": "COMPETENCE-DETAILLEE", "libelle": s} for s in skills[:1]],
            "competencesMobilisees": [{"type": "SAVOIR", "libelle": s} for s in skills],
        }
    )


@pytest.fixture
def tokens(outside: Service) -> Service:
    def token(asked: Asked) -> Answer:
        return Answer({"access_token": f"t{len(outside.asked_for('/token'))}", "expires_in": 1499})

    outside.on("/token", token)
    return outside


def test_a_token_is_requested_once_per_scope_by_any_number_of_threads(tokens: Service, settings: Settings) -> None:
    found = client(settings)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(found.token, ["a"] * 16)) == {"t1"}
    assert found.token("b") == "t2"
    assert [asked.form["scope"] for asked in tokens.asked] == ["a", "b"]
    assert tokens.asked[0].form | {"scope": ""} == {
        "grant_type": "client_credentials",
        "client_id": "PAR_mobiville",
        "client_secret": "hunter2",
        "scope": "",
    }


def test_an_expired_token_is_renewed(outside: Service, settings: Settings) -> None:
    outside.on("/token", Answer({"access_token": "short", "expires_in": 20}), Answer({"access_token": "next"}))
    found = client(settings)
    assert [found.token("a"), found.token("a"), found.token("a")] == ["short", "next", "next"]


def test_a_token_that_the_api_rejects_is_renewed_once(tokens: Service, settings: Settings) -> None:
    tokens.on(f"{METIERS}/A1101", Answer(status=401), metier(("7", "Berger")))
    assert client(settings).rome("A1101") == Rome([(7, "Berger")], [])
    sent = [asked.headers["authorization"] for asked in tokens.asked_for(f"{METIERS}/A1101")]
    assert sent == ["Bearer t1", "Bearer t2"]
    tokens.on(f"{METIERS}/A1101", Answer(status=401))
    with pytest.raises(ServiceError, match="rejects the token"):
        client(settings).rome("A1101")


def test_refused_or_missing_credentials_are_an_error_without_the_secret(outside: Service, settings: Settings) -> None:
    outside.on("/token", Answer({"error": "invalid_scope"}, 400))
    with pytest.raises(ServiceError, match="refuses the credentials or the scope `x`") as raised:
        client(settings).token("x")
    assert "hunter2" not in str(raised.value) + repr(settings)
    with pytest.raises(NoCredentialsError, match="set MOBIVILLE_FT_CLIENT_ID"):
        client(settings.model_copy(update={"ft_client_secret": None})).token("x")


def test_titles_and_skills_of_the_current_api(tokens: Service, settings: Settings) -> None:
    tokens.on(f"{METIERS}/A1101", metier(("20", "B"), ("3", "A"), skills=("Tailler", "Abattre")))
    assert client(settings).rome("A1101") == Rome([(3, "A"), (20, "B")], ["Abattre", "Tailler"])
    assert client(settings).rome("Z9999") is None
    assert tokens.asked_for("/token")[0].form["scope"] == "api_rome-metiersv1 nomenclatureRome"


def test_titles_and_skills_of_the_old_api_with_the_label_of_their_node(tokens: Service, settings: Settings) -> None:
    tokens.on("/rome/v1/metier/A1101/appellation", Answer([{"code": "3", "libelle": "A", "libelleCourt": "a"}]))
    skill = {"libelle": "Tailler", "noeudCompetence": {"libelle": "Entretien"}}
    tokens.on("/rome/v1/metier/A1101/competence", Answer([skill, {"libelle": "Abattre"}]))
    old = settings.model_copy(update={"ft_rome": "1"})
    assert client(old).rome("A1101") == Rome([(3, "A")], ["Abattre", "Entretien", "Tailler"])
    assert client(old).rome("Z9999") is None


def test_fresh_entries_are_not_requested_again_and_unknown_codes_are_cached(
    tokens: Service, settings: Settings
) -> None:
    tokens.on(f"{METIERS}/A1101", metier(("3", "A"), skills=("Tailler",)))
    done = fetch_rome(client(settings), settings.cache, ["Z9999", "A1101"], print)
    assert (done.requested, done.found, done.fresh) == (2, 1, 0)
    known = read_cache(settings.cache / CACHE_FILE)
    assert known["A1101"]["titles"] == [[3, "A"]]
    assert known["A1101"]["skills"] == ["Tailler"]
    assert known["Z9999"]["unknown"]
    before = len(tokens.asked)
    assert fetch_rome(client(settings), settings.cache, ["Z9999", "A1101"], print).requested == 0
    assert len(tokens.asked) == before


def test_an_old_entry_is_requested_again(tokens: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache.mkdir()
    old = (datetime.now(UTC) - timedelta(days=FRESH_DAYS + 1)).isoformat()
    (settings.cache / CACHE_FILE).write_text(f'{{"code": "A1101", "asked_at": "{old}", "titles": [], "skills": []}}\n')
    tokens.on(f"{METIERS}/A1101", metier(("3", "A")))
    assert fetch_rome(client(settings), settings.cache, ["A1101"], print).requested == 1
    assert read_cache(settings.cache / CACHE_FILE)["A1101"]["titles"] == [[3, "A"]]


def test_an_interrupted_run_keeps_its_responses_and_the_next_continues(tokens: Service, settings: Settings) -> None:
    codes = ["A1101", "A1201", "A1202"]
    tokens.on(f"{METIERS}/A1101", metier(("1", "a")))
    tokens.on(f"{METIERS}/A1201", Answer(status=500))
    tokens.on(f"{METIERS}/A1202", metier(("3", "c")))
    with pytest.raises(ServiceError, match="answered 500"):
        fetch_rome(client(settings), settings.cache, codes, print)
    assert list(read_cache(settings.cache / CACHE_FILE)) == ["A1101"]
    with (settings.cache / CACHE_FILE).open("a") as file:
        file.write('{"code": "A1201", "asked_')  # left by a run that was killed while writing
    tokens.on(f"{METIERS}/A1201", metier(("2", "b")))
    assert fetch_rome(client(settings), settings.cache, codes, print).requested == 2
    assert [entry["titles"][0][1] for _, entry in sorted(read_cache(settings.cache / CACHE_FILE).items())] == [
        "a",
        "b",
        "c",
    ]
    assert len(tokens.asked_for(f"{METIERS}/A1101")) == 1


def test_the_api_is_requested_at_the_rate_that_is_set(tokens: Service, settings: Settings) -> None:
    times: list[datetime] = []

    def timed(_asked: Asked) -> Answer:
        times.append(datetime.now(UTC))
        return metier(("1", "a"))

    for code in ("A1101", "A1201", "A1202"):
        tokens.on(f"{METIERS}/{code}", timed)
    slow = client(settings.model_copy(update={"pace": 0.15}))
    fetch_rome(slow, settings.cache, ["A1101", "A1201", "A1202"], print)
    assert min((b - a).total_seconds() for a, b in pairwise(times)) > 0.12


def test_a_cache_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with open_cache(path) as add:
        add("1", value=1)
        with pytest.raises(CacheError, match="is being written by another run"), open_cache(path):
            pass
        add("1", value=2)
    assert read_cache(path)["1"]["value"] == 2
    with open_cache(path):
        assert len(path.read_text().splitlines()) == 1
    assert read_cache(tmp_path / "none.jsonl") == {}


def test_invalid_lines_are_skipped_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    good = b'{"code": "1", "asked_at": "2026-01-01T00:00:00+00:00", "value": "\xc3\xa9"}\n'
    path.write_bytes(
        b'[1]\n{"code": "2"}\n{"code": "3", "asked_at": "x"}\n\xff\xfe\n7\n\n' + good + b'{"code": "4", "as'
    )
    assert list(read_cache(path)) == ["1"]
    with open_cache(path) as add:
        add("5")
    assert path.read_bytes().startswith(good)
    assert list(read_cache(path)) == ["1", "5"]


def test_live_responses_are_parsed(tokens: Service, settings: Settings) -> None:
    found = client(settings)
    kinds = [
        {"filtre": "typeContrat", "agregation": [{"nbResultats": 5}, {"nbResultats": 2}]},
        {"filtre": "experience", "agregation": [{"nbResultats": 99}]},
    ]
    path = "/offresdemploi/v2/offres/search"
    tokens.on(path, Answer({"resultats": [{"id": "1"}], "filtresPossibles": kinds}, 206))
    assert found.offers(["A1101", "B1101"], ["75101", "75102"]) == {"resultats": [{"id": "1"}], "totalOffres": 7}
    assert found.offers(["A1101"], ["75101"], count_only=True) == {"resultats": [], "totalOffres": 7}
    assert [asked.query for asked in tokens.asked_for(path)] == [
        {"codeROME": "A1101,B1101", "commune": "75101,75102", "distance": "30"},
        {"codeROME": "A1101", "commune": "75101", "distance": "30", "range": "0-0"},
    ]
    tokens.on(path, Answer(status=204))
    assert found.offers(["A1101"], ["75101"]) == {"resultats": [], "totalOffres": 0}

    amounts = {"2023": (1700, 2100.5), "2024": (1800, 2200)}
    periods = [
        {"codePeriode": code, "salaireValeurMontant": [{"valeurPrincipaleMontant": amount} for amount in pair]}
        for code, pair in amounts.items()
    ]
    tokens.on(
        "/stats-offres-demandes-emploi/v1/indicateur/salaire-rome-fap/NAT/FR", Answer({"valeursParPeriode": periods})
    )
    assert found.salaries("A1101") == (1800, 2200)

    tension = "/stats-offres-demandes-emploi/v1/indicateur/stat-perspective-employeur"
    values = [
        {"codeNomenclature": "INT_EMB", "valeurPrincipaleNombre": 1},
        {"codeNomenclature": "PERSPECTIVE", "valeurPrincipaleNombre": 4},
    ]
    tokens.on(tension, Answer({"listeValeursParPeriode": values}))
    assert found.tension("A1101", "DEP", "69") == 4
    assert tokens.asked_for(tension)[0].json == {
        "codeTypeTerritoire": "DEP",
        "codeTerritoire": "69",
        "codeTypeActivite": "ROME",
        "codeActivite": "A1101",
        "codeTypePeriode": "ANNEE",
        "codeTypeNomenclature": "TYPE_TENSION",
        "dernierePeriode": True,
        "sansCaracteristiques": True,
    }
    hiring = "/stats-perspectives-retour-emploi/v1/indicateur/stat-acces-emploi"
    tokens.on(hiring, Answer({"listeValeursParPeriode": [{"valeurSecondaireTaux": 61.5}]}))
    assert found.hiring_rate("A1101", "8201") == 61.5
    assert tokens.asked_for(hiring)[0].json["codeTypeTerritoire"] == "BASBMO"

    company = {"siret": "1", "company_name": "SARL", "office_name": "La boutique", "headcount_min": 3}
    company |= {"headcount_max": 5, "location": {"lat": 45.7, "lon": 4.8}}
    tokens.on("/labonneboite/v2/recherche", Answer({"hits": 3, "items": [company]}))
    listed = found.companies(["A1101", "B1101"], "69381", by_distance=True)
    assert (listed["companies_count"], listed["companies"][0]["siret"]) == (3, "1")
    assert listed["companies"][0]["name"] == "La boutique"
    assert listed["companies"][0]["headcount_text"] == "3 à 5 salariés"
    assert tokens.asked_for("/labonneboite/v2/recherche")[0].query["sort_by"] == "distance"
