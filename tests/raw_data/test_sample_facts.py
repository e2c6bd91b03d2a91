"""The sample of the inputs: written again alike, as odd as the real files, and true where it says so."""

import bz2
import csv
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "raw_data" / "sample"
REAL = Path(os.environ.get("MOBIVILLE_REAL_DATA") or ROOT.parent / "shared" / "real_data")
PARENTS = {"75056", "13055", "69123"}
# the published departments file misspells these names
MISSPELT = {"6", "22", "26", "28", "989"}

needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not here")


def read(name: str, encoding: str = "utf-8", folder: Path = SAMPLE) -> str:
    """Return a file's text with its line ends."""
    return (folder / name).read_bytes().decode(encoding)


def rows(name: str, delimiter: str = ";", encoding: str = "utf-8", folder: Path = SAMPLE) -> list[dict[str, str]]:
    """Return a delimited file's rows."""
    return list(csv.DictReader(io.StringIO(read(name, encoding, folder)), delimiter=delimiter))


@cache
def cities() -> dict[str, dict[str, str]]:
    """Return the sample's communes by code."""
    return {row["Code INSEE"]: row for row in rows("cities-france.csv")}


def normal(text: str) -> str:
    """Return a name without case, accents, hyphens or apostrophes."""
    text = unicodedata.normalize("NFD", text.replace("œ", "oe").replace("Œ", "OE"))
    text = "".join(char for char in text if not unicodedata.combining(char))
    return " ".join(re.findall("[A-Z0-9]+", text.upper()))


def is_district(code: str) -> bool:
    """Tell whether a code is that of a district of Paris, Lyon or Marseille."""
    return code.startswith(("751", "132", "6938"))


def offers(name: str = "20211221_mv_villes_offre_full.csv.bz2") -> list[list[str]]:
    """Return the cells of a dump of offers as they are written, quotes included."""
    text = bz2.decompress((SAMPLE / "datalake" / name).read_bytes()).decode()
    assert text.endswith("\r\n")
    return [line.split(";") for line in text.removesuffix("\r\n").split("\r\n")]


def rome_labels(folder: Path) -> dict[str, str]:
    """Return the ROME labels by code."""
    root = ElementTree.fromstring((folder / "unix_referentiel_code_rome_v346_utf8.xml").read_bytes())
    return {str(item.findtext("code_rome")): str(item.findtext("libelle")) for item in root}


def regions(folder: Path) -> set[tuple[str, str, str, str]]:
    """Return the old and new regions: codes and names."""
    records = json.loads(read("anciennes-nouvelles-regions.json", folder=folder))["regions"]
    names = ("former_code", "former_name", "new_code", "new_name")
    found: set[tuple[str, str, str, str]] = set()
    for record in records:
        old, old_name, new, new_name = (record["fields"][name] for name in names)
        found.add((old, old_name, new, new_name))
    return found


# ---------------------------------------------------------------------------------- the generator


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the generator into an empty folder."""
    out = tmp_path_factory.mktemp("sample")
    command = [sys.executable, "-m", "tests.sample_maker", "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


def relative_files(folder: Path) -> set[str]:
    """Return the paths of a folder's files, but its README."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"README.md"}


def members(path: Path) -> list[tuple[str, tuple[int, ...], bytes]]:
    """Return a zip's members: name, timestamp and content (its compressed bytes depend on the zlib in use)."""
    with zipfile.ZipFile(path) as archive:
        return [(entry.filename, entry.date_time, archive.read(entry)) for entry in archive.infolist()]


def test_the_generator_writes_the_committed_files(written: Path) -> None:
    assert relative_files(written) == relative_files(SAMPLE)
    for name in sorted(relative_files(SAMPLE)):
        if name.endswith(".zip"):
            assert members(written / name) == members(SAMPLE / name), name
        else:
            assert (written / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_the_sample_is_small() -> None:
    sizes = [path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()]
    assert max(sizes) < 1_500_000
    assert sum(sizes) < 4_000_000


def test_no_machine_path_is_written() -> None:
    maker = ROOT / "tests" / "sample_maker"
    files = [*maker.rglob("*.py"), *(maker / "facts").iterdir(), *SAMPLE.rglob("*.json"), SAMPLE / "README.md"]
    for path in files:
        assert not re.search(r"(?<![\w.])/(?:work|home|tmp)/", path.read_text(encoding="utf-8")), path


# ------------------------------------------------------------------------------------- the oddities


def test_regions_are_repeated() -> None:
    records = json.loads(read("anciennes-nouvelles-regions.json"))["regions"]
    formers = Counter(record["fields"]["former_code"] for record in records)
    assert len(formers) == 27
    assert len({record["fields"]["new_code"] for record in records}) == 18
    assert max(formers.values()) > 1
    assert all(isinstance(code, str) and len(code) == 2 for code in formers)
    assert set(records[0]) == {"datasetid", "recordid", "fields", "record_timestamp"}


def test_social_housing() -> None:
    delays = {row["region_code"]: row["socialHousingDelay"] for row in json.loads(read("regions-social-housing.json"))}
    assert len(delays) == 18
    assert delays["6"] is None
    assert all(isinstance(delay, int) for code, delay in delays.items() if code != "6")


def test_departments_are_not_padded() -> None:
    text = read("departements.csv")
    codes = [row["code"] for row in rows("departements.csv")]
    assert "\r" not in text
    assert len(codes) == 109
    assert codes[:9] == [str(number) for number in range(1, 10)]
    assert codes[-2:] == ["2A", "2B"]


def test_cities() -> None:
    codes = set(cities())
    assert 450 <= len(codes) <= 620
    assert len(rows("cities-france.csv")) == len(codes)
    assert {f"751{number:02d}" for number in range(1, 21)} <= codes
    assert {f"6938{number}" for number in range(1, 10)} <= codes
    assert {f"132{number:02d}" for number in range(1, 17)} <= codes
    assert not codes & PARENTS
    for prefix in ["2A", "2B", "971", "972", "973", "974", "976", *(f"0{number}" for number in range(1, 10))]:
        assert sum(code.startswith(prefix) for code in codes) >= 2, prefix
    assert sum("/" in row["Code Postal"] for row in cities().values()) > 10
    assert sum(row["LGT SOCIAUX"] == "" for row in cities().values()) > 5
    assert any(float(row["Population"]) < 1 for row in cities().values())
    assert {"21", "22", "25", "43"} <= {row["Code Région"] for row in cities().values()}


def test_city_rents() -> None:
    names = [row["city"] for row in rows("cities_rent.csv")]
    assert len(names) == 49
    assert {"LE HAVRE", "SAINT ETIENNE", "PARIS", "LYON"} <= set(names)
    assert all(re.fullmatch("[A-Z ]+", name) for name in names)


def test_lexicon() -> None:
    text = read("lexique-bassins.csv")
    lexicon = rows("lexique-bassins.csv", ",")
    assert text.count("\r\n") == text.count("\n") == len(lexicon)
    codes = {row["CODE_COMMUNE_INSEE"] for row in lexicon}
    assert codes >= PARENTS
    assert not any(map(is_district, codes))
    assert all(len(row["BE19"]) == 4 for row in lexicon)
    assert any(row["BE19"].startswith("0") for row in lexicon)
    assert {"1", "2", "3", "4", "6"} <= {row["REG"] for row in lexicon}
    assert "01" in {row["DEP"] for row in lexicon}
    spellings = defaultdict(set)
    for row in lexicon:
        spellings[row["BE19"]].add(row["NOMBE19"])
    assert sum(len(names) == 2 for names in spellings.values()) == 2
    without = {row["BE19"] for row in lexicon} - {row["cbassin"].zfill(4) for row in rows("cities-tension-utf8.csv")}
    assert without == {"0103", "0405"}


def test_tensions() -> None:
    assert "\r" not in read("cities-tension-utf8.csv")
    tensions = rows("cities-tension-utf8.csv")
    labels = rome_labels(SAMPLE)
    assert any(len(row["cbassin"]) == 3 for row in tensions)
    assert {row["ind_tension_d"] for row in tensions} == set("12345")
    assert len({(row["ROME"], row["cbassin"]) for row in tensions}) == len(tensions)
    found = {row["ROME"]: row["rome_label"] for row in tensions}
    assert "L1510" in found
    assert [rome for rome in found if rome not in labels] == ["N9901"]
    assert [rome for rome in found if rome in labels and labels[rome] != found[rome]] == ["A1203"]


def test_pcs_table() -> None:
    text = read("table-correspondance-pcs-rome.csv")
    assert text.count("\n") == text.count("\r\n")
    table = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert all(len(row) == 3 for row in table)
    assert ["", "", ""] in table
    assert any(len(row[0]) > 5 for row in table), "a page title or a note in the first column"
    assert any("*" in row[0] for row in table)
    assert any(len(row[1]) > 5 for row in table), "a heading in the second column"
    assert any(row[0] == "" and row[1] and not row[2] for row in table), "a PCS alone"
    assert any(row[0] == row[1] == "" and len(row[2]) == 5 for row in table), "a ROME alone"
    assert not any("L1510" in row for row in table)
    pcs, found = "", defaultdict(set)
    for row in table:
        pcs = row[1] or pcs
        if len(row[2]) == 5:
            found[row[2]].add(pcs)
    assert any(len(values) > 1 for values in found.values())


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("unix_referentiel_appellation_v346_utf8.csv", "code_ogr libelle_appellation_long libelle_appellation_court"),
        ("unix_referentiel_competence_v346_utf8.csv", "code_ogr libelle_competence cat_comp"),
        ("unix_coherence_item_v346_utf8.csv", "code_rome code_ogr coeur_metier"),
    ],
)
def test_rome_tables(name: str, header: str) -> None:
    text = (SAMPLE / name).read_bytes().decode("utf-8-sig")
    assert (SAMPLE / name).read_bytes().startswith(b"\xef\xbb\xbf")
    assert text.splitlines()[0].startswith(",".join(f'"{cell}"' for cell in header.split()))
    found = rows(name, ",", "utf-8-sig")
    assert found
    if "code_rome" in found[0]:
        assert {row["code_rome"] for row in found} == set(rome_labels(SAMPLE))


def test_helps() -> None:
    helps: list[dict[str, Any]] = json.loads(read("helps.json"))
    keys = set("title goal description when conditions cumulable link who section situation slug logo type".split())
    assert 6 <= len(helps) <= 10
    assert all(set(aid) - {"visibility_boost"} == keys | {"partner"} for aid in helps)
    assert len({aid["slug"] for aid in helps}) == len(helps)


def test_prices() -> None:
    prices = rows("dvf-communes-2019.csv")
    assert read("dvf-communes-2019.csv", "ascii").count("\r\n") == len(prices) + 1
    by_code = {row["INSEE_COM"]: row for row in prices}
    assert set(by_code) >= PARENTS | {"75101", "13201", "69381"}
    assert any(len(code) == 4 for code in by_code)
    assert not any(code.startswith("0") for code in by_code)
    missing = {code for code, row in by_code.items() if row["PrixMoyen_M2"] == "NA"}
    assert {code for code in by_code if re.match(r"(57|67|68)\d{3}$", code)} <= missing
    assert any(not re.match(r"(57|67|68)\d{3}$", code) for code in missing - PARENTS)
    assert len(missing) < len(by_code) / 2


def test_rents() -> None:
    text = read("indicateurs-loyers-appartements.csv", "latin-1")
    rents = rows("indicateurs-loyers-appartements.csv", encoding="latin-1")
    assert text.count("\r\n") == len(rents) + 1
    assert all(re.fullmatch(r"\d+,\d+", row["loypredm2"]) for row in rents)
    codes = {row["INSEE"] for row in rents}
    assert "1053" in codes
    assert "75101" in codes
    assert not codes & PARENTS
    assert any("é" in row["LIBGEO"] for row in rents)


def cog(folder: Path = SAMPLE) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the records of the official code by code and type."""
    records = json.loads(read("communes-cog-2026.json", folder=folder))
    return {(record["code"], record["type"]): record for record in records}


def test_cog() -> None:
    now = {code: row for (code, kind), row in cog().items() if kind in ("commune-actuelle", "arrondissement-municipal")}
    former = {code: into for into, row in now.items() for code in row.get("anciensCodes", [])}
    assert set(cities()) <= now.keys() | former.keys()
    assert set(cities()) - now.keys() == {"12076", "65188"}  # merged into another
    assert {"55138", "76095"} <= now.keys() - cities().keys()  # split off since
    assert not former.keys() & now.keys()
    assert len({row["commune"] for row in now.values() if "commune" in row}) == 3
    assert now["01033"]["nom"] == "Valserhône"


def test_zoning() -> None:
    zones = json.loads(read("donnees-de-reference_zonage-commune.json"))["zonageCommunes"]
    assert {"codeInsee": "75056", "frais": 15} in zones
    assert all(isinstance(zone["frais"], int) for zone in zones)


def test_coast() -> None:
    [feature] = json.loads(read("france-shape-side-sea.geo.json"))["features"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    points = [point for [ring] in feature["geometry"]["coordinates"] for point in ring]
    assert 150 <= len(points) <= 260
    assert all(-6 < lon < 10 and 41 < lat < 52 for lon, lat in points)


def test_weather() -> None:
    text = read("french-weather-station-list.csv")
    stations = rows("french-weather-station-list.csv", ",")
    assert text.count("\r\n") == len(stations) == text.count("\n")
    assert any(len(row["Numéro"]) == 7 for row in stations)
    assert any(row["Ouvert / Fermé"] == "F" for row in stations)
    assert any(row["Numéro"].startswith("97") for row in stations)
    assert any(row["Longitude"] == "0" for row in stations)
    assert '"45,976"' in text
    sheets = {path.name: path.read_bytes().decode() for path in (SAMPLE / "weather").iterdir()}
    assert all(re.fullmatch(r"FICHECLIM_\d{8}\.data", name) for name in sheets)
    full = [text.split("\r\n") for text in sheets.values() if "Données non disponibles" not in text]
    assert 20 <= len(full) < len(sheets)
    with_period = 0
    for lines in full:
        [at] = [number for number, line in enumerate(lines) if "Température moyenne" in line]
        period = lines[at + 1].startswith("Statistiques établies")
        with_period += period
        cells = lines[at + 1 + period].split(";")
        assert cells[0] == ""
        assert len([float(cell) for cell in cells[1:]]) == 13
    assert 0 < with_period < len(full)


def test_facilities() -> None:
    with zipfile.ZipFile(SAMPLE / "bpe21_ensemble_xy_csv.zip") as archive:
        assert archive.namelist() == ["bpe21_ensemble_xy.csv", "varmod_bpe21_ensemble_xy.csv"]
        facilities, labels = (
            list(csv.DictReader(io.StringIO(archive.read(name).decode()), delimiter=";")) for name in archive.namelist()
        )
    assert len(facilities) == 60_000
    assert len(facilities[0]) == 24
    counts = Counter(row["DEPCOM"] for row in facilities)
    assert set(counts) <= set(cities())
    assert counts["31555"] > counts["34172"] > counts["01053"]
    kinds = {row["COD_MOD"] for row in labels if row["COD_VAR"] == "TYPEQU"}
    assert {row["TYPEQU"] for row in facilities} <= kinds


def test_offers() -> None:
    header, *lines = offers()
    assert header == ['"commune"', '"dc_rome_id"', '"nb_offre"', '"date_extract"']
    assert 14_000 < len(lines) < 17_000
    communes = {line[0] for line in lines}
    assert {"", "null"} <= communes
    assert all(re.fullmatch('"[0-9AB]{5}"', code) for code in communes - {"", "null"})
    wanted = PARENTS | {"97501", "98818", "75101", "69381", "13201", "01053", "2A004", "2B033"}
    assert {f'"{code}"' for code in wanted} <= communes
    counts = defaultdict(list)
    for commune, rome, number, _ in lines:
        counts[commune, rome].append(number)
    repeated = [numbers for numbers in counts.values() if len(numbers) > 1]
    assert repeated
    assert all(len(numbers) == len(set(numbers)) == 2 for numbers in repeated)
    older = offers("20211220_mv_villes_offre_full.csv.bz2")
    assert len(older) < len(lines) / 2
    assert {line[3] for line in older[1:]} == {"2021-12-20"}


# --------------------------------------------------------------------------- true, by the real files


@needs_real
def test_communes_are_real() -> None:
    real = {row["Code INSEE"]: row for row in rows("cities-france.csv", folder=REAL)}
    wrong = []
    for code, row in cities().items():
        if code not in real:
            wrong.append(f"{code}: no such commune")
            continue
        names = [normal(one["Commune"]) for one in (row, real[code])]
        places = [[float(part) for part in one["geo_point_2d"].split(",")] for one in (row, real[code])]
        people = [float(one["Population"]) for one in (row, real[code])]
        if names[0] != names[1]:
            wrong.append(f"{code}: {names}")
        if any(abs(ours - theirs) > 0.1 for ours, theirs in zip(*places, strict=True)):
            wrong.append(f"{code}: {places}")
        if abs(people[0] - people[1]) > max(0.15 * people[1], 0.15):
            wrong.append(f"{code}: {people}")
        if (row["Code Région"], row["Code Département"]) != (real[code]["Code Région"], real[code]["Code Département"]):
            wrong.append(f"{code}: region or department")
    assert not wrong


@needs_real
def test_the_cog_is_real() -> None:
    folder = REAL.parent / "real_data_today"
    if not folder.is_dir():
        pytest.skip("the real COG is not here")
    real = cog(folder)
    for key, record in cog().items():
        assert {name: real[key].get(name) for name in ("nom", "departement", "region", "chefLieu", "commune")} == {
            name: record.get(name) for name in ("nom", "departement", "region", "chefLieu", "commune")
        }
        if former := record.get("anciensCodes"):
            assert former == sorted(real[key]["anciensCodes"])


@needs_real
def test_regions_are_real() -> None:
    assert regions(SAMPLE) == regions(REAL)


@needs_real
def test_departments_are_real() -> None:
    ours = {row["code"]: row["name"] for row in rows("departements.csv")}
    real = {row["code"]: row["name"] for row in rows("departements.csv", folder=REAL)}
    assert list(ours) == list(real)
    assert [code for code in ours if code not in MISSPELT and normal(ours[code]) != normal(real[code])] == []


@needs_real
def test_rome_labels_are_real() -> None:
    real = rome_labels(REAL)
    assert {code: label for code, label in rome_labels(SAMPLE).items() if real.get(code) != label} == {}


@needs_real
def test_communes_share_the_basins_of_the_real_lexicon() -> None:
    real = {row["CODE_COMMUNE_INSEE"]: row for row in rows("lexique-bassins.csv", ",", folder=REAL)}
    lexicon = {row["CODE_COMMUNE_INSEE"]: row for row in rows("lexique-bassins.csv", ",")}
    assert set(lexicon) <= set(real)
    for column in ("REG_CREDOC", "REG", "DEP", "CCOMMUNE"):
        assert {code for code, row in lexicon.items() if row[column] != real[code][column]} == set(), column
    # most codes are invented: what has to be true is who shares a basin with whom
    pairs = {(row["BE19"], real[code]["BE19"]) for code, row in lexicon.items()}
    assert max(Counter(ours for ours, _ in pairs).values()) == 1
    assert max(Counter(theirs for _, theirs in pairs).values()) == 1
    with (ROOT / "tests" / "sample_maker" / "facts" / "basins.csv").open(encoding="utf-8", newline="") as file:
        true = {row["code"] for row in csv.DictReader(file, delimiter=";") if row["true_code"] == "1"}
    assert {ours for ours, theirs in pairs if ours == theirs} == true
    assert {ours for ours, _ in pairs} & {row["BE19"] for row in real.values()} == true
