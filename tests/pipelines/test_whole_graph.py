"""The whole chain, on the sample and on the real files, beside tables worked out from the files by other means."""

import bz2
import csv
import io
import json
import random
import shutil
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Connection, Engine, create_engine, select

import raw_data as bundled
from tests.pipelines.conftest import run_in
from warehouse import tables
from warehouse.database import connect

DISTRICTS = {"75056": "751", "69123": "6938", "13055": "132"}


@pytest.fixture(scope="module", params=["sample", "real"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled sample, or the real files with a BPE drawn at random; each in the geography of its own files."""
    folder: Path = tmp_path_factory.mktemp("files") / request.param
    if request.param == "sample":
        shutil.copytree(bundled.SAMPLE, folder, ignore=shutil.ignore_patterns("communes-cog-*"))
        return folder
    real_data: Path = request.getfixturevalue("real_data")
    folder.mkdir()
    for path in real_data.iterdir():
        (folder / path.name).symlink_to(path)
    rng = random.Random(7)
    codes = [row["Code INSEE"] for row in rows(real_data / "cities-france.csv")]
    districts = [code for code in codes if code.startswith(tuple(DISTRICTS.values()))]
    with (folder / "bpe21.csv").open("w") as file:
        file.write("AN;DEPCOM;REG;TYPEQU\n")
        for places, types, number in ((codes, ["A101", "B201", "C301"], 40_000), (districts, ["D201"], 2_000)):
            file.writelines(f"2021;{rng.choice(places)};84;{rng.choice(types)}\n" for _ in range(number))
    return folder


@pytest.fixture(scope="module")
def warehouse(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A SQLite warehouse made from the files by the command."""
    folder = tmp_path_factory.mktemp("run")
    ran = run_in(folder, "refresh", raw_data=str(files))
    assert ran.returncode == 0, ran.stderr
    engine = create_engine(f"sqlite:///{folder / 'var' / 'warehouse.db'}")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def real_warehouse(request: pytest.FixtureRequest, warehouse: Connection, files: Path) -> Connection:
    """The warehouse of the real files."""
    if files.name == "sample":
        pytest.skip("a fact of the real files")
    return warehouse


def rows(path: Path, delimiter: str = ";", encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def one(warehouse: Connection, query: str) -> tuple[Any, ...]:
    return tuple(warehouse.exec_driver_sql(query).one())


def fetched(warehouse: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in warehouse.exec_driver_sql(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT COUNT(*) FROM cities", (36_745,)),
        ("SELECT COUNT(*) FROM bassins", (35_357,)),
        ("SELECT COUNT(*), COUNT(DISTINCT rome), COUNT(DISTINCT bassin_id) FROM tensions", (27_053, 398, 401)),
        ("SELECT COUNT(*) FROM new_regions", (18,)),
        ("SELECT COUNT(*) FROM old_regions", (27,)),
        ("SELECT COUNT(*) FROM departements", (109,)),
        ("SELECT COUNT(*) FROM helps", (17,)),
        ("SELECT COUNT(*), SUM(number) FROM cities_jobs", (285_916, 846_134)),
        ("SELECT COUNT(DISTINCT rome) FROM tensions WHERE pcs IS NULL", (1,)),
        ("SELECT DISTINCT rome FROM tensions WHERE pcs IS NULL", ("L1510",)),
        ("SELECT COUNT(*), MIN(id), MAX(id) FROM cities", (36_745, 1, 36_745)),
        ("SELECT COUNT(*) FROM cities WHERE new_code_region IS NULL OR geo_point_2d_x IS NULL", (0,)),
        ("SELECT COUNT(*) FROM tensions WHERE ind_t < 4", (11_802,)),
        ("SELECT SUM(number) FROM cities_jobs WHERE insee_code = '2A004'", (576,)),
        ("SELECT name FROM departements WHERE code = '01'", ("Ain",)),
        ("SELECT COUNT(*) FROM socialhousings WHERE average_delay_obtain_social_housing IS NULL", (1,)),
        ("SELECT population, nom_comm FROM cities WHERE insee_com = '75056'", (2161.0, "PARIS")),
        ("SELECT population, rent_t2 FROM cities WHERE insee_com = '69385'", (513.2, 711.0)),
        ("SELECT rent_t2, rent_t4 FROM cities WHERE insee_com = '42218'", (409.0, 610.0)),
    ],
)
def test_known_facts_of_the_real_files(real_warehouse: Connection, query: str, expected: tuple[Any, ...]) -> None:
    assert one(real_warehouse, query) == expected


def test_offers_are_those_of_the_newest_dump(warehouse: Connection, files: Path) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    path = max((files / "datalake").iterdir())
    for line in bz2.decompress(path.read_bytes()).decode().splitlines()[1:]:
        commune, rome, number, _ = line.split(";")
        if commune.strip('"') not in ("", "null"):
            expected[commune.strip('"'), rome.strip('"')] += int(number)
    found = fetched(warehouse, "SELECT insee_code, rome_id, number FROM cities_jobs")
    assert {(row[0], row[1]): row[2] for row in found} == expected
    assert {f"0{n}" for n in range(1, 10)} | {"2A", "2B"} <= {commune[:2] for commune, _ in expected}


def test_facilities_are_those_of_the_bpe(warehouse: Connection, files: Path) -> None:
    (path,) = files.glob("bpe*")
    text = path.read_text() if path.suffix == ".csv" else zipfile.ZipFile(path).read("bpe21_ensemble_xy.csv").decode()
    drawn = Counter((row["DEPCOM"], row["TYPEQU"]) for row in csv.DictReader(io.StringIO(text), delimiter=";"))
    expected = Counter(drawn)
    for (depcom, typequ), number in drawn.items():
        for city, prefix in DISTRICTS.items():
            if depcom.startswith(prefix):
                expected[city, typequ] += number
    found = fetched(warehouse, "SELECT depcom, typequ, total FROM equipments")
    assert {(row[0], row[1]): row[2] for row in found} == expected
    assert len(found) == len(expected)


def test_communes_are_those_of_the_file_with_their_new_regions(warehouse: Connection, files: Path) -> None:
    document = json.loads((files / "anciennes-nouvelles-regions.json").read_text())
    new = {record["fields"]["former_code"]: int(record["fields"]["new_code"]) for record in document["regions"]}
    expected = {}
    for row in rows(files / "cities-france.csv"):
        code = row["Code INSEE"]
        latitude, longitude = map(float, row["geo_point_2d"].split(","))
        people = next((t for d, t in (("751", 2161), ("6938", 513.2), ("132", 861.6)) if code.startswith(d)), None)
        expected[code] = (
            *(row["Commune"], row["Code Postal"], row["Code Département"].zfill(2), new[row["Code Région"]]),
            *(latitude, longitude, float(row["Population"]) if people is None else people),
            *(float(row["Altitude Moyenne"]) // 1, float(row["Superficie"]) // 1),
        )
    for city, name, first in (("75056", "PARIS", "75101"), ("69123", "LYON", "69381"), ("13055", "MARSEILLE", "13201")):
        districts = [row for code, row in sorted(expected.items()) if code.startswith(DISTRICTS[city])]
        area = sum(row[8] for row in districts)
        altitude = round(sum(row[7] * row[8] for row in districts) / area)
        expected[city] = (name, "/".join(row[1] for row in districts), *expected[first][2:7], altitude, area)
    columns = "nom_comm, postal_code, code_dept, new_code_region, geo_point_2d_x, geo_point_2d_y, population"
    found = fetched(warehouse, f"SELECT insee_com, {columns}, z_moyen, superficie FROM cities ORDER BY id")
    assert {row[0]: row[1:] for row in found} == expected
    assert [row[0] for row in found] == sorted(expected)


def test_basins_and_tensions_are_those_of_the_files(warehouse: Connection, files: Path) -> None:
    lexicon = rows(files / "lexique-bassins.csv", ",")
    expected = [(row["CODE_COMMUNE_INSEE"], int(row["BE19"]), row["NOMBE19"], int(row["REG"])) for row in lexicon]
    query = "SELECT code_commune_insee, bassin_id, bassin_name, reg FROM bassins ORDER BY id"
    assert fetched(warehouse, query) == expected
    xml = ElementTree.parse(files / "unix_referentiel_code_rome_v346_utf8.xml").getroot()
    labels = {str(item.findtext("code_rome")): item.findtext("libelle") for item in xml}
    pcs = pcs_of_romes(files / "table-correspondance-pcs-rome.csv")
    tensions = [
        (r["ROME"], labels.get(r["ROME"], "unknow"), int(r["cbassin"]), int(r["ind_tension_d"]), pcs.get(r["ROME"]))
        for r in rows(files / "cities-tension-utf8.csv")
    ]
    assert fetched(warehouse, "SELECT rome, rome_label, bassin_id, ind_t, pcs FROM tensions ORDER BY id") == tensions
    assert fetched(warehouse, "SELECT code, label FROM rome_codes") == sorted(labels.items())
    assert "L1510" in {row[0] for row in tensions if row[4] is None}


def pcs_of_romes(path: Path) -> dict[str, str]:
    """The first PCS above or beside each ROME, row by row."""
    found: dict[str, str] = {}
    pcs = ""
    with path.open(encoding="utf-8", newline="") as file:
        for _, second, third in csv.reader(file, delimiter=";"):
            pcs = second if len(second) == 4 else pcs
            if len(third) == 5:
                found.setdefault(third, pcs)
    return found


def test_job_titles_and_skills_are_those_of_the_archive(warehouse: Connection, files: Path) -> None:
    wanted = {row["ROME"] for row in rows(files / "cities-tension-utf8.csv")}
    if not (files / "unix_referentiel_appellation_v346_utf8.csv").exists():
        assert one(warehouse, "SELECT (SELECT COUNT(*) FROM romeogrs) + (SELECT COUNT(*) FROM romeskills)") == (0,)
        return
    titles = rows(files / "unix_referentiel_appellation_v346_utf8.csv", ",")
    expected = {(row["code_rome"], int(row["code_ogr"])) for row in titles if row["code_rome"] in wanted}
    assert expected
    assert set(fetched(warehouse, "SELECT code_rome, code_ogr FROM romeogrs")) == expected
    labels = {
        r["code_ogr"]: r["libelle_competence"] for r in rows(files / "unix_referentiel_competence_v346_utf8.csv", ",")
    }
    links = rows(files / "unix_coherence_item_v346_utf8.csv", ",")
    skills = {
        (row["code_rome"], labels[row["code_ogr"]])
        for row in links
        if row["code_rome"] in wanted and row["code_ogr"] in labels
    }
    assert skills
    assert sorted(fetched(warehouse, "SELECT code_rome, skill_label FROM romeskills")) == sorted(skills)


def test_departments_regions_and_aids_are_those_of_the_files(warehouse: Connection, files: Path) -> None:
    departments = {row["code"].zfill(2): row["name"] for row in rows(files / "departements.csv")}
    assert dict(fetched(warehouse, "SELECT code, name FROM departements")) == departments
    document = json.loads((files / "anciennes-nouvelles-regions.json").read_text())
    fields = [record["fields"] for record in document["regions"]]
    delays = {
        d["region_code"]: d["socialHousingDelay"]
        for d in json.loads((files / "regions-social-housing.json").read_text())
    }
    regions = {(int(f["new_code"]), f["new_name"], delays.get(str(int(f["new_code"])))) for f in fields}
    query = "SELECT code, name, average_delay_obtain_social_housing FROM new_regions ORDER BY id"
    assert fetched(warehouse, query) == sorted(regions, key=lambda region: region[0])
    assert len(fetched(warehouse, "SELECT * FROM old_regions")) == len({f["former_code"] for f in fields})
    helps = json.loads((files / "helps.json").read_text())
    assert fetched(warehouse, "SELECT slug, title FROM helps ORDER BY id") == [(h["slug"], h["title"]) for h in helps]


def test_prices_and_rents_of_every_commune(warehouse: Connection, files: Path) -> None:
    prices = {
        row["INSEE_COM"].zfill(5): float(row["PrixMoyen_M2"])
        for row in rows(files / "dvf-communes-2019.csv")
        if row["PrixMoyen_M2"] != "NA"
    }
    rents = {
        row["INSEE"].zfill(5): float(row["loypredm2"].replace(",", "."))
        for row in rows(files / "indicateurs-loyers-appartements.csv", encoding="latin-1")
    }
    people = {row["Code INSEE"]: float(row["Population"]) for row in rows(files / "cities-france.csv")}
    for values in (prices, rents):  # the file's own value, else the mean of the districts by their inhabitants
        for city, beginning in DISTRICTS.items():
            known = [code for code in people if code.startswith(beginning) and code in values]
            mean = sum(values[code] * people[code] for code in known) / sum(people[code] for code in known)
            values.setdefault(city, mean)
    found = fetched(warehouse, "SELECT insee_com, average_houseselled, average_houserent FROM cities")
    assert {row[0]: row[1:] for row in found} == {
        row[0]: pytest.approx((prices.get(row[0], 0), rents.get(row[0], 0))) for row in found
    }


def test_the_same_tables_in_mariadb(warehouse: Connection, files: Path, mariadb_url: str, tmp_path: Path) -> None:
    """The same job into MariaDB gives the same rows, ids included; twice too."""
    if files.name != "sample":
        pytest.skip("once is enough")
    for _ in range(2):
        ran = run_in(tmp_path, "refresh", "--sample", raw_data=str(files), warehouse_url=mariadb_url)
        assert ran.returncode == 0, ran.stderr
        assert contents(connect(mariadb_url)) == contents(warehouse.engine)


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, without the stamps, in the order of the key."""
    with engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    select(*[c for c in table.columns if c.name not in tables.STAMPS]).order_by(*table.primary_key)
                )
            ]
            for table in tables.SERVED
        }


def test_criteria_and_opportunities_by_plain_loops(warehouse: Connection) -> None:
    """Every region and ROME, worked out row by row in Python: what the set-based import must equal."""
    basin_of = dict(fetched(warehouse, "SELECT code_commune_insee, bassin_id FROM bassins"))
    romes_of = defaultdict(list)
    for rome, basin, ind_t in warehouse.exec_driver_sql("SELECT rome, bassin_id, ind_t FROM tensions"):
        romes_of[basin].append((rome, ind_t))
    met: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for code, region, sea, altitude, people in warehouse.exec_driver_sql(
        "SELECT insee_com, new_code_region, distance_from_sea, z_moyen, population FROM cities"
    ):
        keys = {
            "side-sea": sea is not None and sea <= 30,
            "mountain": altitude is not None and altitude >= 600,
            "campagne": None not in (sea, altitude) and sea >= 30 and people <= 20 and altitude <= 600,
            "small-city": people <= 20,
            "medium-city": 20 < people < 50,
            "big-city": 50 <= people < 200,
            "extra-big-city": people >= 200,
        }
        for rome, _ in romes_of[basin_of.get(code)]:
            met[str(region), rome] |= {key for key, is_met in keys.items() if is_met}
    pairs: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for basin, region in warehouse.exec_driver_sql("SELECT bassin_id, reg FROM bassins"):
        for rome, ind_t in romes_of[basin]:
            pairs[str(region), rome].append(ind_t < 4)
    document = json.loads(one(warehouse, "SELECT json FROM regions_tensions_criterions")[0])
    found = {(r["id"], rome): entry for r in document for rome, entry in r["romes"].items()}
    assert found.keys() == met.keys()
    for key, entry in found.items():
        assert set(entry["criterions"]) == met[key]
        share = sum(pairs[key]) / len(pairs[key]) if pairs[key] else None
        assert entry.get("opportunite") == (None if share is None else pytest.approx(share, abs=0.005001))
    ids = [region["id"] for region in document]
    assert ids.index("32") < ids.index("11") < ids.index("4")  # Hauts-de-France, Île-de-France, La Réunion
    assert len(document) == 18


def test_distances_from_the_sea_of_places_one_knows(warehouse: Connection) -> None:
    known = {"76351": (0, 10), "29019": (0, 10), "06088": (0, 10), "75056": (130, 180), "67482": (400, 520)}
    for code, (least, most) in known.items():
        (distance,) = one(warehouse, f"SELECT distance_from_sea FROM cities WHERE insee_com = '{code}'")
        assert least <= distance <= most, (code, distance)
