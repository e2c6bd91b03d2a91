"""The files of 2021 to 2025 laid over those of 2015 to 2019, without a COG: a release on MariaDB, counted anew."""

import csv
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, make_url

from tests.pipelines.conftest import run_in
from warehouse.database import connect

ROME = "unix_{}_v460_utf8.csv"


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture(scope="module")
def files(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    today = real_data.parent / "real_data_today"
    if not today.is_dir():
        pytest.skip(f"no files of today: {today}")
    folder = tmp_path_factory.mktemp("today")
    paths = {path.name: path for path in (*real_data.iterdir(), *today.iterdir()) if "cog" not in path.name}
    paths.pop("published_shapes")
    for name, path in paths.items():
        (folder / name).symlink_to(path)
    rng = random.Random(24)
    codes = [row["Code INSEE"] for row in rows(folder / "cities-france.csv", ";")]
    with (folder / "bpe24.csv").open("w") as file:
        file.write("AN;DEPCOM;REG;TYPEQU\n")
        file.writelines(f"2024;{rng.choice(codes)};84;{rng.choice(['A101', 'B201'])}\n" for _ in range(20_000))
    return folder


@pytest.fixture(scope="module")
def warehouse(files: Path, mariadb_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    server = create_engine(mariadb_server)
    with server.begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE of_today CHARACTER SET utf8mb4")
    server.dispose()
    url = make_url(mariadb_server).set(database="of_today").render_as_string(hide_password=False)
    ran = run_in(tmp_path_factory.mktemp("run"), "refresh", raw_data=str(files), warehouse_url=url)
    assert ran.returncode == 0, ran.stderr
    engine = connect(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def asked(warehouse: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in warehouse.exec_driver_sql(query)]


def test_tensions_titles_and_skills_are_those_of_2021_and_of_rome_4(warehouse: Connection, files: Path) -> None:
    tensions = rows(files / "cities-tension-utf8.csv", ";")
    expected = [(row["ROME"], int(row["cbassin"]), int(row["ind_tension_d"])) for row in tensions]
    assert asked(warehouse, "SELECT rome, bassin_id, ind_t FROM tensions ORDER BY id") == expected
    wanted = {row["ROME"] for row in tensions}
    titles = set()
    for row in rows(files / ROME.format("referentiel_appellation")):
        for rome in (row["code_rome"], row["code_rome_parent"]):
            if rome in wanted:  # its own code, else the parent's
                titles.add((rome, int(row["code_ogr"])))
                break
    assert set(asked(warehouse, "SELECT code_rome, code_ogr FROM romeogrs")) == titles
    assert len(titles) == 10_409
    labels = {row["code_ogr"]: row["libelle_competence"] for row in rows(files / ROME.format("referentiel_competence"))}
    knowledge = rows(files / ROME.format("referentiel_savoir"))
    labels |= {row["code_ogr_savoir"]: row["libelle_savoir"] for row in knowledge}
    links = [row for row in rows(files / ROME.format("coherence_item")) if row["code_rome"] in wanted]
    skills = Counter((row["code_rome"], labels[row["code_ogr"]]) for row in links if row["code_ogr"] in labels)
    assert Counter(asked(warehouse, "SELECT code_rome, skill_label FROM romeskills")) == skills
    assert skills.total() == 24_020


def test_places_prices_and_rents_are_those_of_2023_and_2024(warehouse: Connection, files: Path) -> None:
    departments = {row["name"] for row in rows(files / "departements.csv", ";")}
    assert {name for (name,) in asked(warehouse, "SELECT name FROM departements")} == departments
    assert asked(warehouse, "SELECT COUNT(*) FROM departements") == [(len(departments),)]
    assert asked(warehouse, "SELECT COUNT(*) FROM cities") == [(len(rows(files / "cities-france.csv", ";")) + 3,)]
    prices = {row["INSEE_COM"]: float(row["Prixm2Moyen"]) for row in rows(files / "communesdvf2024.csv")}
    served = dict(asked(warehouse, "SELECT insee_com, average_houseselled FROM cities"))
    for code, price in prices.items():
        assert served.get(code, price) == price
    districts = {code: prices[city] for code, city in (("75101", "75056"), ("69385", "69123"), ("13201", "13055"))}
    assert {code: served[code] for code in districts} == districts
    assert sum(code in served for code in prices) > 29_000
    rents = {
        row["city"]: (float(row["rent_t2"]), float(row["rent_t4"])) for row in rows(files / "cities_rent.csv", ";")
    }
    query = "SELECT rent_t2, rent_t4 FROM cities WHERE insee_com = '{}'"
    for code, city in (("75056", "PARIS"), ("13055", "MARSEILLE"), ("76351", "LE HAVRE")):
        assert asked(warehouse, query.format(code)) == [rents[city]]


def test_offers_and_facilities_are_whole(warehouse: Connection) -> None:
    assert asked(warehouse, "SELECT COUNT(*), SUM(number) FROM cities_jobs") == [(285_916, 846_134)]
    parts = "('75056', '69123', '13055')"
    assert asked(warehouse, f"SELECT SUM(total) FROM equipments WHERE depcom NOT IN {parts}") == [(20_000,)]
