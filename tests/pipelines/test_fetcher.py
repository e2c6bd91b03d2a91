"""Fetching as a user does it, from a service on the loopback that stands in for all of them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import create_engine

import raw_data
from assets.common.trial import try_sources
from resources.clients.http import Http
from resources.downloads.snapshots import FetchRun
from resources.errors import RefusedError
from resources.settings import Settings
from resources.sources.catalogue import catalogue
from tests.pipelines.conftest import Command
from tests.services import Answer, Asked, File, Service, addresses, service

RENTS = "/static.data.gouv.fr/resources/carte-des-loyers-indicateurs-de-loyers-dannonce-par-commune-en-2018/"
RENTS += "20201203-114600/indicateurs-loyers-appartements.csv"
PRICES = "/static.data.gouv.fr/resources/indicateurs-immobiliers-par-commune-et-par-annee-prix-et-volumes-sur-la-"
PRICES += "periode-2014-2024/20250707-085855/communesdvf2024.csv"
FILE = (raw_data.SAMPLE / "indicateurs-loyers-appartements.csv").read_bytes()


@pytest.fixture
def outside() -> Iterator[Service]:
    with service() as running:
        yield running


@pytest.fixture
def settings(outside: Service, tmp_path: Path) -> dict[str, str]:
    """Settings for the command, under which it asks nobody but the service; the files are a copy of the sample."""
    shutil.copytree(raw_data.SAMPLE, tmp_path / "files")
    return addresses(outside) | {"raw_data": str(tmp_path / "files"), "http_tries": "2"}


def queried(folder: Path, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(f"sqlite:///{folder / 'var' / 'warehouse.db'}")
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_files_are_fetched_and_then_read(
    mobiville: Command, outside: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    outside.on(RENTS, File(FILE.replace(b"13,8", b"15,8", 1)))
    checked = mobiville("fetch", "house_rents", "--vintage", "2018", "--check", **settings)
    assert checked.returncode == 0, checked.stderr
    assert "house_rents                  new        vintage 2018" in checked.stdout
    assert not (tmp_path / "var" / "raw_data" / "current").exists()
    fetched = mobiville("fetch", "house_rents", "--vintage", "2018", "--json", **settings)
    assert fetched.returncode == 0, fetched.stderr
    (outcome,) = json.loads(fetched.stdout)
    assert outcome["state"] == "new"
    assert len(outcome["record"]["sha256"]) == 64
    assert "set MOBIVILLE_RAW_DATA=var/raw_data/current to read them" in fetched.stderr
    outside.on(RENTS, Answer(b"<html><title>Maintenance</title>", headers={"Content-Type": "text/html"}))
    refused = mobiville("fetch", "house_rents", "--vintage", "2018", **settings)
    assert refused.returncode == 1
    assert "is an HTML page (Maintenance) instead of a file" in refused.stdout
    unknown = mobiville("fetch", "tensions", **settings)
    assert unknown.returncode == 2
    assert "nothing is fetched for tensions; there are" in unknown.stderr
    refused = mobiville("fetch", "bpe", **(settings | {"downloads": str(raw_data.SAMPLE)}))
    assert refused.returncode == 1
    assert "in the bundled sample's folder" in refused.stderr


def test_a_killed_fetch_is_resumed(
    mobiville: Command, outside: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    content = FILE.replace(b";maille;", b";" + b"maille" * 2_000 + b";")
    assert len(content) > 1_000_000
    outside.on(RENTS, File(content, drip=0.1))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    environment |= {f"MOBIVILLE_{name.upper()}": value for name, value in settings.items()}
    command = [str(Path(sys.executable).parent / "mobiville"), "fetch", "house_rents", "--vintage", "2018"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment)
    partial = tmp_path / "var" / "raw_data" / ".partial"
    ends = time.monotonic() + 90
    while not any(part.stat().st_size > 300_000 for part in partial.glob("*.part")):
        assert time.monotonic() < ends
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (part,) = partial.glob("*.part")
    came = part.stat().st_size
    assert 0 < came < len(content)
    outside.on(RENTS, File(content))
    fetched = mobiville("fetch", "house_rents", "--vintage", "2018", **settings)
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    assert outside.asked[-1].headers["range"] == f"bytes={came}-"
    kept = tmp_path / "var" / "raw_data" / "current" / "indicateurs-loyers-appartements.csv"
    assert kept.read_bytes() == content


def test_a_file_that_the_refresh_would_refuse_takes_the_place_of_none(
    outside: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    of_tests = Settings.model_validate(settings | {"downloads": tmp_path / "new", "staging": tmp_path / "staging"})
    there = of_tests.raw_data / "dvf-communes-2019.csv"
    header, *rows = there.read_bytes().splitlines(keepends=True)
    # Codes of no commune: each value has its type, and nobody would have a price.
    unknown = [re.sub(rb"^([^;]*);\w*", rb"\1;%d" % code, row) for code, row in enumerate(rows, 99_000)]
    prices = header + b"".join(unknown)
    outside.on(PRICES, File(prices))
    outside.on(RENTS, File(FILE.replace(b"13,8", b"15,8", 1)))
    run = FetchRun(of_tests, Http.from_settings(of_tests), try_sources)
    wanted = {"house_prices": "2024", "house_rents": "2018"}
    with run.locked():
        outcomes = run.try_new([run.fetch(name, catalogue()[name], of) for name, of in wanted.items()])
        run.publish()
    assert [outcome.state for outcome in outcomes] == ["refused", "new"]
    current, kept = of_tests.downloads / "current", of_tests.downloads / "refused" / "house_prices"
    for said in (
        "the refresh would refuse it: cities: dvf-communes-2024.csv: 474 of 474 rows cannot be used",
        "line 2: the commune is not in the COG",
        "fetch the file again",
        f"What was there stays; dvf-communes-2024.csv is kept in {kept}",
    ):
        assert said in outcomes[0].detail
    assert (kept / "dvf-communes-2024.csv").read_bytes() == prices
    assert (current / there.name).read_bytes() == there.read_bytes()
    assert not list(current.glob("*2024*"))
    assert b"15,8" in (current / "indicateurs-loyers-appartements.csv").read_bytes()
    assert set(json.loads((current / "fetched.json").read_text())) == {"house_rents"}
    assert not of_tests.staging.exists()


def test_what_fails_without_the_new_file_too_is_not_its_fault(settings: dict[str, str], tmp_path: Path) -> None:
    of_tests = Settings.model_validate(settings | {"staging": tmp_path / "staging"})
    before = of_tests.raw_data
    tensions = (before / "cities-tension-utf8.csv").read_bytes()
    (before / "cities-tension-utf8.csv").write_bytes(re.sub(rb";\d(\r?\n)", rb";9\1", tensions))
    after = Path(shutil.copytree(before, tmp_path / "after"))
    said = try_sources(of_tests, ["rome_referential"], before, after)
    assert said.startswith("looked at alone, read and typed: tensions cannot be made with the other files")
    with pytest.raises(RefusedError, match="tensions: ind_t is from 1 to 5: 5,410 rows .* stand in cities-tension"):
        try_sources(of_tests, ["tensions"], raw_data.SAMPLE, after)
    said = try_sources(of_tests, ["rome_referential"], tmp_path / "none", tmp_path / "none")
    assert "cog cannot be made with the other files that are there: communes: no file" in said


def metier(asked: Asked) -> Answer:
    code = asked.path.rpartition("/")[2]
    if code == "A1101":
        return Answer(status=404)
    titles = [{"code": f"90000{n}", "libelle": f"Titre {n} de l'API, {code}"} for n in (1, 2, 3)]
    skills = [{"libelle": f"Compétence {n} de l'API, {code}"} for n in (1, 2, 3)]
    return Answer({"appellations": titles, "competencesMobilisees": skills})


def sparql(asked: Asked) -> Answer:
    known = {"69123": "Lyon", "01004": "Ambérieu-en-Bugey"}
    rows = [
        {"code": {"value": code}, "title": {"value": title}}
        for code, title in known.items()
        if f'"{code}"' in asked.query["query"]
    ]
    return Answer({"results": {"bindings": rows}})


def pages(asked: Asked) -> Answer:
    found = [
        {
            "title": title,
            "extract": f"{title} (écouter) est une commune.",
            "fullurl": f"https://fr.wikipedia.org/wiki/{title}",
            "lastrevid": 42,
            "pageimage": "vue.jpg",
            "original": {"source": "https://upload/vue.jpg"},
        }
        for title in asked.query["titles"].split("|")
    ]
    return Answer({"query": {"pages": found}})


def test_responses_of_services_are_served_by_the_next_refresh(
    mobiville: Command, outside: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    early = mobiville("fetch", "city_descriptions", **settings)
    assert early.returncode == 1
    assert "cities is not staged yet" in early.stdout
    first = mobiville("refresh", **settings)
    assert "no file for rome_api: romeogrs and romeskills are those of the ROME archive" in first.stdout
    titles = "SELECT code_rome, MIN(ogr_label) FROM romeogrs GROUP BY code_rome"
    before = dict(queried(tmp_path, titles))
    romes = [rome for (rome,) in queried(tmp_path, "SELECT DISTINCT rome FROM tensions")]
    (most_populous,) = queried(tmp_path, "SELECT insee_com FROM cities ORDER BY population DESC, insee_com LIMIT 1")[0]

    without = mobiville("fetch", "rome_api", **(settings | {"ft_client_secret": ""}))
    assert without.returncode == 0
    assert "unchanged  no credentials (MOBIVILLE_FT_CLIENT_ID, MOBIVILLE_FT_CLIENT_SECRET)" in without.stdout
    assert outside.asked == []

    outside.on("/token", Answer({"access_token": "t", "expires_in": 1499}))
    for rome in romes:
        outside.on(f"/rome-metiers/v1/metiers/metier/{rome}", metier)
    outside.on("/sparql", sparql)
    outside.on("/w/api.php", pages)
    fetched = mobiville("fetch", "rome_api", "city_descriptions", **settings)
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
    assert f"{len(romes)} ROME codes requested, {len(romes) - 1} found; 0 were in the cache" in fetched.stdout
    assert "communes requested, 2 with an article; 0 left for the next run" in fetched.stdout
    assert f'{{ "{most_populous}"' in outside.asked_for("/sparql")[0].query["query"]

    second = mobiville("refresh", **settings)
    assert second.returncode == 0, second.stderr
    assert f"rome_api: 1 of {len(romes)} rows rejected: 1 France Travail's API does not know the ROME" in second.stdout
    assert "France Travail's API gave what the ROME has" in second.stdout
    assert "loading tensions" not in second.stdout
    assert "A1101" in romes
    expected = {rome: f"Titre 1 de l'API, {rome}" for rome in romes} | {"A1101": before["A1101"]}
    assert dict(queried(tmp_path, titles)) == expected
    skills = queried(tmp_path, "SELECT code_rome, MAX(skill_label) FROM romeskills GROUP BY code_rome")
    assert {skill for skill in skills if skill[0] != "A1101"} == {
        (rome, f"Compétence 3 de l'API, {rome}") for rome in romes if rome != "A1101"
    }
    assert queried(tmp_path, "SELECT COUNT(*) FROM cities WHERE description IS NOT NULL") == [(2,)]
    columns = "description, photo, photo_page, description_url, description_revision, description_licence"
    assert queried(tmp_path, f"SELECT {columns} FROM cities WHERE insee_com = '69123'") == [
        (
            "Lyon est une commune.",
            "https://upload/vue.jpg",
            "https://fr.wikipedia.org/wiki/Fichier:vue.jpg",
            "https://fr.wikipedia.org/wiki/Lyon",
            42,
            "CC BY-SA 4.0",
        )
    ]
    tables = json.loads(mobiville("status", "--json", **settings).stdout)["tables"]
    files = {table["table"]: {source["file_name"] for source in table["sources"]} for table in tables}
    assert "rome_api.jsonl" in files["romeogrs"]
    assert "city_descriptions.jsonl" in files["cities"]
    assert "\nnothing new" in mobiville("refresh", **settings).stdout


def test_the_doctor_says_what_works_and_what_to_do(
    mobiville: Command, outside: Service, settings: dict[str, str], tmp_path: Path
) -> None:
    outside.on("/token", Answer({"access_token": "t", "expires_in": 1499}))
    outside.on("/sparql", sparql)
    outside.on("/w/api.php", pages)
    well = mobiville("doctor", "--json", **settings)
    assert well.returncode == 0, well.stdout + well.stderr
    states = {check["name"]: check["state"] for check in json.loads(well.stdout)}
    assert {name for name, state in states.items() if state != "works"} == {"raw files"}  # what optional files bring
    assert {"Wikidata", "Wikipedia", "France Travail, ROME", "disk", "MOBIVILLE_WAREHOUSE_URL"} <= set(states)

    outside.on("/token", Answer({"error": "invalid_client"}, 401))
    outside.on("/sparql", Answer(status=500))
    (tmp_path / "files" / "helps.json").unlink()
    wrong = settings | {
        "warehouse_url": "mariadb+pymysql://etl:hunter3@127.0.0.1:1/none",
        "cache": settings["raw_data"] + "/departements.csv/cache",
    }
    ill = mobiville("doctor", **wrong)
    assert ill.returncode == 1
    for said in (
        "cache is not writable: give this account the right to write, or set MOBIVILLE_CACHE to another folder",
        "lacks helps: `mobiville fetch`",
        "start the server, or correct MOBIVILLE_WAREHOUSE_URL",
        "France Travail, ROME              wrong   France Travail (token) refuses the credentials",
        "Wikidata                          wrong   Wikidata (127.0.0.1:",
        "Wikipedia                         works",
    ):
        assert said in ill.stdout, said
    assert "hunter" not in ill.stdout + ill.stderr
    absent = mobiville("doctor", **(settings | {"ft_client_id": ""}))
    assert "France Travail, ROME              absent  no credentials" in absent.stdout


def test_the_jobs_fetch_and_report_what_failed(
    outside: Service, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.definitions import definitions

    for name, value in settings.items():
        monkeypatch.setenv(f"MOBIVILLE_{name.upper()}", value)
    monkeypatch.chdir(tmp_path)
    outside.on(
        RENTS.replace("2018", "2024").replace("20201203-114600/indicateurs-loyers-appartements", "x"), File(FILE)
    )
    address = "/static.data.gouv.fr/resources/carte-des-loyers-indicateurs-de-loyers-dannonce-par-commune-en-2024"
    outside.on(f"{address}/20241205-153050/pred-app-mef-dhup.csv", File(FILE.replace(b"INSEE", b"INSEE_C", 1)))
    job = definitions(Settings()).resolve_job_def("fetch")
    instance = dg.DagsterInstance.ephemeral()
    sheet = "/donneespubliques.meteofrance.fr/FichesClim/FICHECLIM_75114001.data"
    (tmp_path / "files" / "weather" / "FICHECLIM_75114001.data").unlink()
    outside.on(sheet, Answer(b"FICHE"))
    wanted = {"ops": {"fetch_sources": {"config": {"sources": ["house_rents", "weather_sheets", "bpe"]}}}}
    ran = job.execute_in_process(wanted, instance=instance, raise_on_error=False)
    assert not ran.success
    made = [event.asset_key for event in ran.all_events if event.is_step_materialization]
    assert set(made) == {dg.AssetKey(["fetched", "house_rents"]), dg.AssetKey(["fetched", "weather_sheets"])}
    there = {path.name for path in (tmp_path / "files" / "weather").iterdir()}
    asked = {Path(asked.path).name for asked in outside.asked if "FichesClim" in asked.path}
    assert Path(sheet).name in asked
    assert not asked & there
    assert (tmp_path / "var" / "raw_data" / "current" / "weather" / "FICHECLIM_75114001.data").read_text() == "FICHE"
    (failure,) = [event for event in ran.all_events if event.is_step_failure]
    assert "BPE24.zip does not exist" in str(failure.step_failure_data.error)
    assert (tmp_path / "var" / "raw_data" / "current" / "pred-app-mef-dhup-2024.csv").is_file()
    description = definitions(Settings()).resolve_job_def("enrichment").execute_in_process(instance=instance)
    assert not [event for event in description.all_events if event.is_step_materialization]
