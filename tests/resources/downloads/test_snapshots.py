import fcntl
import gzip
import hashlib
import io
import json
import os
import re
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import raw_data
from resources.clients.http import Http
from resources.downloads.snapshots import FetchRun, Outcome
from resources.errors import FetchError
from resources.settings import Settings
from resources.sources.catalogue import catalogue
from tests.services import Answer, Asked, File, Service

BPE = "/www.insee.fr/fr/statistiques/fichier/8217525/BPE24.zip"
RENTS = "/static.data.gouv.fr/resources/carte-des-loyers-indicateurs-de-loyers-dannonce-par-commune-en-2018/"
RENTS += "20201203-114600/indicateurs-loyers-appartements.csv"
ROME = "/api.francetravail.fr/api-nomenclatureemploi/v1/open-data/csv"
LIST = "/www.data.gouv.fr/api/1/datasets/"
PRICES = "indicateurs-immobiliers-par-commune-et-par-annee-prix-et-volumes-sur-la-periode-2014-2024"


def works(*_: object) -> str:
    """A trial of new files that all of them pass."""
    return ""


def rents(rows: int = 10, column: str = "INSEE") -> bytes:
    lines = [f"id_zone;{column};loypredm2", *(f"{n};{n};9,{n}" for n in range(1001, 1001 + rows))]
    return "\r\n".join(lines).encode("iso-8859-1")


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:  # without a time: the same members give the same bytes
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def bpe(rows: int = 50) -> bytes:
    lines = ["AN;DEPCOM;TYPEQU", *(f"2024;{n:05};A101" for n in range(1001, 1001 + rows))]
    return zipped(("BPE24.csv", "\n".join(lines).encode()), ("varmod.csv", b"a;b\n"))


@pytest.fixture
def fetch(settings: Settings) -> Callable[..., Outcome]:
    """Fetch one source in a run of its own."""

    def fetch(source_id: str, vintage: str | None = None, *, check: bool = False) -> Outcome:
        run = FetchRun(settings, Http.from_settings(settings), works)
        with run.locked():
            outcome = (run.check if check else run.fetch)(source_id, catalogue()[source_id], vintage)
            if not check:
                run.publish()
        return outcome

    return fetch


def current(settings: Settings) -> Path:
    return settings.downloads / "current"


def test_a_file_is_fetched_into_a_dated_folder_with_its_record(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    content = bpe()
    outside.on(BPE, File(content, headers={"Last-Modified": "Tue, 01 Sep 2026 10:00:00 GMT", "Set-Cookie": "a=b"}))
    outcome = fetch("bpe")
    assert (outcome.state, outcome.detail) == ("new", "BPE24.zip, vintage 2024, 50 rows")
    assert current(settings).resolve().name == date.today().isoformat()
    assert (current(settings) / "BPE24.zip").read_bytes() == content
    record = json.loads((current(settings) / "fetched.json").read_text())["bpe"]
    assert record["files"] == {"BPE24.zip": hashlib.sha256(content).hexdigest()}
    assert record["url"] == f"https:/{BPE}"
    assert record["size"] == len(content)
    assert record["rows"] == 50
    assert record["headers"]["ETag"] == '"1"'
    assert "Set-Cookie" not in record["headers"]
    assert list((settings.downloads / ".partial").iterdir()) == []


def test_an_unchanged_file_is_not_fetched_again(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    outside.on(BPE, File(bpe()))
    fetch("bpe")
    assert fetch("bpe").state == "unchanged"
    assert outside.asked[-1].headers["if-none-match"] == '"1"'
    outside.on(BPE, Answer(bpe()))  # a service without validators: the sha256 is compared
    assert fetch("bpe").state == "unchanged"
    assert [path.name for path in settings.downloads.iterdir() if path.is_dir() and path.name[0] == "2"] == [
        date.today().isoformat()
    ]


def test_unchanged_files_are_linked_into_the_new_folder_and_the_old_folder_stays(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    (settings.raw_data / "datalake").mkdir(parents=True)
    (settings.raw_data / "departements.csv").write_text("code;name\n1;Ain\n")
    (settings.raw_data / "datalake" / "20261124_offre.csv.bz2").write_bytes(b"x")
    (settings.raw_data / "indicateurs-loyers-appartements.csv").write_bytes(rents(9))
    outside.on(RENTS, File(rents()))
    fetch("house_rents", "2018")
    first = current(settings).resolve()
    assert (first / "datalake" / "20261124_offre.csv.bz2").read_bytes() == b"x"
    assert (first / "departements.csv").stat().st_ino == (settings.raw_data / "departements.csv").stat().st_ino
    assert (settings.raw_data / "indicateurs-loyers-appartements.csv").read_bytes() == rents(9)
    outside.on(RENTS, File(rents(12), etag='"2"'))
    fetch("house_rents", "2018")
    assert current(settings).resolve() != first
    assert (current(settings) / "indicateurs-loyers-appartements.csv").read_bytes() == rents(12)
    assert (current(settings) / "departements.csv").is_file()
    assert (first / "indicateurs-loyers-appartements.csv").read_bytes() == rents()
    assert "house_rents" in json.loads((first / "fetched.json").read_text())


def test_the_requested_vintage_replaces_the_one_that_was_read(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    outside.on(RENTS.replace("2018", "2024").replace("20201203-114600", "20241205-153050"), Answer(status=404))
    dataset = "carte-des-loyers-indicateurs-de-loyers-dannonce-par-commune-en-2024"
    newest = "https://static.data.gouv.fr/x/20260101/pred-app-mef-dhup.csv"
    older = "https://static.data.gouv.fr/x/20250101/pred-app-mef-dhup.csv"
    listed = [
        {"title": "maisons", "url": "https://static.data.gouv.fr/x/pred-mai-mef-dhup.csv", "last_modified": "2027"},
        {"title": "appartements", "url": older, "last_modified": "2025-01-01"},
        {"title": "appartements", "url": newest, "last_modified": "2026-01-01"},
    ]
    outside.on(f"{LIST}{dataset}/", Answer({"resources": listed}))
    outside.on(f"/{newest.removeprefix('https://')}", File(rents(10, "INSEE_C")))
    assert fetch("house_rents").detail == "pred-app-mef-dhup-2024.csv, vintage 2024, 10 rows"
    outside.on(RENTS, File(rents()))
    assert fetch("house_rents", "2018").state == "new"
    there = sorted(path.name for path in current(settings).glob("*.csv"))
    assert there == ["indicateurs-loyers-appartements.csv"]
    unknown = fetch("house_rents", "1999")
    assert unknown.state == "refused"
    assert "the catalogue has no vintage 1999 of it; it has 2024, 2025" in unknown.detail


def test_the_address_in_the_catalogue_is_used_if_data_gouv_lists_no_file(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    outside.on(f"{LIST}{PRICES}/", Answer({"resources": [7, {"title": "communesdvf2024.csv"}]}))
    outside.on(f"/static.data.gouv.fr/resources/{PRICES}/20250707-085855/communesdvf2024.csv", File(b""))
    empty = fetch("house_prices")
    assert empty.state == "refused"
    content = b"INSEE_COM,Prixm2Moyen\n1001,1800\n".replace(b",", b";")
    outside.on(f"/static.data.gouv.fr/resources/{PRICES}/20250707-085855/communesdvf2024.csv", File(content))
    assert fetch("house_prices").state == "new"


def test_an_archive_is_downloaded_once_for_all_sources_in_it(outside: Service, settings: Settings) -> None:
    members = {
        "rome_referential": ("unix_referentiel_code_rome_v461_utf8.csv", b"code_rome,libelle_rome\nA1101,x\n"),
        "rome_appellations": (
            "unix_referentiel_appellation_v461_utf8.csv",
            b"code_ogr,libelle_appellation_long,code_rome\n3,A,A1101\n",
        ),
    }
    old = ("unix_referentiel_code_rome_v460_utf8.csv", b"code_rome,libelle_rome\nA1102,x\n")
    outside.on(ROME, Answer(status=404))
    second = "/www.data.gouv.fr/api/1/datasets/r/8cf674b6-ef21-446a-8190-178e2defd6fc"
    outside.on(second, File(zipped(*((f"RefRomeCsv/{name}", content) for name, content in (old, *members.values())))))
    run = FetchRun(settings, Http.from_settings(settings), works)
    with run.locked():
        outcomes = [run.fetch(name, catalogue()[name], None) for name in members]
        run.publish()
    assert [outcome.state for outcome in outcomes] == ["new", "new"]
    assert len(outside.asked_for(second)) == 1
    for name, content in members.values():
        assert (current(settings) / name).read_bytes() == content
    assert not (current(settings) / "RefRomeCsv").exists()


LOGIN = b"<!DOCTYPE html><html><head><title>Connexion</title></head><body>..."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(LOGIN, headers={"Content-Type": "text/html"}), r"is an HTML page \(Connexion\) instead of a file"),
        (
            Answer(LOGIN, headers={"Content-Type": "application/zip"}),
            r"is an HTML page \(Connexion\) instead of a file",
        ),
        (Answer(status=403), r"requires a login \(status 403\)"),
        (Answer(status=404), "does not exist"),
        (File(b"PK\x03\x04 and no more"), "not a zip archive, or a damaged one"),
        (File(bpe()[:-40]), "not a zip archive, or a damaged one"),
        (File(zipped(("BPE24.csv", b"AN;COMMUNE;TYPE\n2024;01001;A101\n"))), "its header lacks DEPCOM"),
        (File(zipped(("BPE24.csv", b"0" * 30_000_000))), "an archive of 1 members, 30 MB unpacked: not opened"),
    ],
    ids=["page", "page as a zip", "403", "404", "not a zip", "zip cut", "other header", "bomb"],
)
def test_a_download_that_is_not_the_file_is_refused_and_the_old_file_stays(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome], answer: Answer | File, said: str
) -> None:
    outside.on(BPE, File(bpe(), etag='"old"'))
    fetch("bpe")
    before = current(settings).resolve()
    outside.on(BPE, answer)
    outcome = fetch("bpe")
    assert outcome.state == "refused"
    assert re.search(said, outcome.detail), outcome.detail
    assert "See https://www.insee.fr/" in outcome.detail
    assert current(settings).resolve() == before
    assert (before / "BPE24.zip").read_bytes() == bpe()


def test_a_redirect_to_a_login_page_is_named(outside: Service, fetch: Callable[..., Outcome]) -> None:
    outside.on(BPE, Answer(status=302, headers={"Location": f"{outside.url}/login"}))
    outside.on("/login", Answer(LOGIN, headers={"Content-Type": "text/html"}))
    detail = fetch("bpe").detail
    moved = f"to which {outside.url.removeprefix('http://')} redirects"
    assert f"{outside.url}/login is an HTML page (Connexion) instead of a file, {moved}" in detail


def test_a_file_that_lost_rows_is_refused(outside: Service, settings: Settings, fetch: Callable[..., Outcome]) -> None:
    settings.raw_data.mkdir()
    (settings.raw_data / "bpe21.csv.gz").write_bytes(gzip.compress(b"DEPCOM;TYPEQU\n" + b"01001;A101\n" * 100))
    outside.on(BPE, File(bpe(79)))
    outcome = fetch("bpe")
    assert outcome.state == "refused"
    assert "it has 79 rows, but the one in" in outcome.detail
    outside.on(BPE, File(bpe(80)))
    assert fetch("bpe").state == "new"
    assert not (current(settings) / "bpe21.csv.gz").exists()
    outside.on(BPE, File(bpe(63), etag='"2"'))
    assert "has 80; if that is right, move the old file away" in fetch("bpe").detail


def test_a_file_above_the_size_limit_is_not_downloaded(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    settings.largest_file_mb = 1
    outside.on(BPE, Answer(os.urandom(1_100_000)))
    assert "1 MB, more than MOBIVILLE_LARGEST_FILE_MB allows: not downloaded" in fetch("bpe").detail
    assert not list((settings.downloads / ".partial").glob("*.part"))


def test_an_interrupted_download_is_resumed_by_the_next_run(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    rows = "".join(f"01001;A101;{os.urandom(20).hex()}\n" for _ in range(20_000))
    content = zipped(("BPE24.csv", f"DEPCOM;TYPEQU;NOISE\n{rows}".encode()))
    outside.on(BPE, File(content, cut=100_000))
    assert fetch("bpe").state == "failed"  # three tries, each of which gets a part
    (part,) = (settings.downloads / ".partial").glob("*.part")
    came = part.stat().st_size
    assert 100_000 < came < len(content)
    outside.on(BPE, File(content))
    assert fetch("bpe").detail == "BPE24.zip, vintage 2024, 20,000 rows"
    assert (current(settings) / "BPE24.zip").read_bytes() == content
    assert outside.asked[-1].headers["range"] == f"bytes={came}-"
    assert outside.asked[-1].headers["if-range"] == '"1"'


def test_a_file_that_changed_meanwhile_is_downloaded_from_its_start(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    outside.on(RENTS, File(rents(20_000), cut=70_000))
    assert fetch("house_rents", "2018").state == "failed"
    outside.on(RENTS, File(rents(15_000), etag='"2"'))
    assert fetch("house_rents", "2018").state == "new"
    assert (current(settings) / "indicateurs-loyers-appartements.csv").read_bytes() == rents(15_000)


def test_a_service_that_sends_the_wrong_range_is_asked_for_the_whole_file(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    def other_part(asked: Asked) -> Answer:
        headers = {"Content-Range": "bytes 5-9/10", "ETag": '"1"'}
        return Answer(b"xxxxx", 206, headers) if "range" in asked.headers else File(rents()).answer(asked)

    outside.on(RENTS, File(rents(20_000), cut=70_000), other_part)
    assert fetch("house_rents", "2018").state == "new"
    assert (current(settings) / "indicateurs-loyers-appartements.csv").read_bytes() == rents()


def test_a_complete_download_of_a_killed_run_is_used_by_the_next(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    outside.on(RENTS, File(rents()))
    run = FetchRun(settings, Http.from_settings(settings), works)
    with run.locked():
        run.fetch("house_rents", catalogue()["house_rents"], "2018")  # and no more: nothing is published
    (settings.downloads / ".new").mkdir()
    assert fetch("house_rents", "2018").state == "new"
    assert (current(settings) / "indicateurs-loyers-appartements.csv").read_bytes() == rents()
    assert [asked.headers.get("range") for asked in outside.asked_for(RENTS)] == [None, f"bytes={len(rents())}-"]


def test_a_check_reports_new_files_without_downloading(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    outside.on(BPE, File(bpe()))
    found = fetch("bpe", check=True)
    assert found.state == "new"
    assert "vintage 2024, 0.0 MB, at https://www.insee.fr/" in found.detail
    assert not current(settings).exists()
    fetch("bpe")
    assert fetch("bpe", check=True).state == "unchanged"
    outside.on(BPE, File(bpe(), etag='"2"'))
    assert fetch("bpe", check=True).state == "new"
    outside.on(BPE, Answer(status=404))
    assert fetch("bpe", check=True).state == "refused"


def test_one_fetch_at_a_time_and_never_into_the_sample(settings: Settings) -> None:
    settings.downloads.mkdir()
    with (settings.downloads / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = FetchRun(settings, Http.from_settings(settings), works)
        with pytest.raises(FetchError, match="another fetch is writing"), run.locked():
            pass
    for folder in (raw_data.SAMPLE, raw_data.SAMPLE / "new", raw_data.FOLDER):
        settings.downloads = folder
        with pytest.raises(FetchError, match="in the bundled sample's folder"):
            FetchRun(settings, Http.from_settings(settings), works).locked().__enter__()
    assert not (raw_data.SAMPLE / ".lock").exists()


def test_a_new_folder_is_never_based_on_the_sample(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    settings.raw_data = raw_data.SAMPLE
    outside.on(BPE, File(bpe()))
    fetch("bpe")
    assert sorted(path.name for path in current(settings).iterdir()) == ["BPE24.zip", "fetched.json"]


def sheets(settings: Settings, *stations: str) -> Outcome:
    run = FetchRun(settings, Http.from_settings(settings), works)
    with run.locked():
        outcome = run.fetch_sheets("weather_sheets", catalogue()["weather_sheets"], stations)
        run.publish()
    return outcome


def test_climate_sheets_are_fetched_once_and_stations_without_one_are_recorded(
    outside: Service, settings: Settings
) -> None:
    base = "/donneespubliques.meteofrance.fr/FichesClim/FICHECLIM_"
    for station in ("01089001", "75114001"):
        outside.on(f"{base}{station}.data", Answer(f"FICHE {station}".encode()))
    stations = ("01089001", "02320001", "75114001")
    assert sheets(settings, *stations).detail == "2 new sheets, 1 stations have none"
    assert (current(settings) / "weather" / "FICHECLIM_75114001.data").read_bytes() == b"FICHE 75114001"
    asked = len(outside.asked)
    again = sheets(settings, *stations)
    assert (again.state, len(outside.asked)) == ("unchanged", asked)
    outside.on(f"{base}03000000.data", Answer(b"FICHE 03000000"))
    outside.on(f"{base}04000000.data", Answer(LOGIN))
    broken = sheets(settings, *stations, "03000000", "04000000")
    assert broken.state == "refused"
    assert broken.detail.startswith("1 new sheets, 1 stations have none; then: http")
    names = sorted(path.name for path in (current(settings) / "weather").iterdir())
    assert names == [f"FICHECLIM_{station}.data" for station in ("01089001", "03000000", "75114001")]
    record = json.loads((current(settings) / "fetched.json").read_text())["weather_sheets"]
    assert sorted(record["files"]) == [f"weather/{name}" for name in names]
    assert list(record["absent"]) == ["02320001"]


def test_climate_sheets_are_requested_at_the_rate_that_is_set(outside: Service, settings: Settings) -> None:
    settings.pace = 0.1
    started = time.monotonic()
    sheets(settings, "01089001", "02320001", "75114001")
    assert time.monotonic() - started >= 0.2


def test_a_downloads_folder_inside_the_raw_files_is_not_linked_into_itself(
    outside: Service, settings: Settings, fetch: Callable[..., Outcome]
) -> None:
    settings.downloads = settings.raw_data / "fetched"
    settings.raw_data.mkdir()
    (settings.raw_data / "departements.csv").write_text("code;name\n1;Ain\n")
    outside.on(BPE, File(bpe()))
    fetch("bpe")
    assert sorted(path.name for path in current(settings).iterdir()) == [
        "BPE24.zip",
        "departements.csv",
        "fetched.json",
    ]
