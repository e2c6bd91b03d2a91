"""One geography: files of 2015 to 2021 in the communes of 2026, counted by other means from the files themselves."""

import csv
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from assets.common.lineage import staged_key
from pipelines.definitions import definitions
from resources.settings import Settings
from resources.staging import Staging
from warehouse.geography import CITIES_OF_DISTRICTS, CITY_OF_DISTRICT

COG = "communes-cog-2026.json"
NEEDED = ["new_regions", "old_regions", "departements", "rome_codes", "cog"]
TABLES = ["former_communes", "cities", "bassins", "equipments", "equipments_special", "cities_jobs"]
READ_OF_THE_COG = ("code", "nom", "type", "departement", "region", "codesPostaux", "population", "anciensCodes")


def staged(folder: Path, files: Path, names: list[str]) -> Staging:
    """The named imports, staged from the files."""
    settings = Settings(
        raw_data=files,
        staging=folder / "staging",
        warehouse_url=f"sqlite:///{folder / 'w.db'}",
        exports=folder / "exports",
    )
    job = definitions(settings).resolve_job_def("refresh")
    instance, selection = dg.DagsterInstance.ephemeral(), [staged_key(name) for name in names]
    assert job.execute_in_process(instance=instance, asset_selection=selection).success
    return Staging(folder=str(settings.staging))


def table(staging: Staging, name: str) -> pd.DataFrame:
    return pd.read_parquet(staging.path(name).open("rb"))


@pytest.fixture(scope="module")
def records(real_data: Path) -> list[dict[str, Any]]:
    """The real COG of 2026."""
    path = real_data.parent / "real_data_today" / COG
    if not path.is_file():
        pytest.skip(f"no real COG: {path}")
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def files(real_data: Path, records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real files with the real COG, and a BPE whose rows have codes of 2015 and of 2026."""
    folder = tmp_path_factory.mktemp("real")
    for path in [*real_data.iterdir(), real_data.parent / "real_data_today" / COG]:
        (folder / path.name).symlink_to(path)
    rng = random.Random(7)
    codes = sorted({row["Code INSEE"] for row in communes(folder)} | current_codes(records).keys())
    with (folder / "bpe21.csv").open("w") as file:
        file.write("AN;DEPCOM;REG;TYPEQU\n")
        file.writelines(f"2021;{rng.choice(codes)};84;{rng.choice(['A101', 'B201'])}\n" for _ in range(30_000))
    return folder


@pytest.fixture(scope="module")
def staging(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Staging:
    return staged(tmp_path_factory.mktemp("run"), files, [*NEEDED, *TABLES])


def communes(folder: Path) -> list[dict[str, str]]:
    with (folder / "cities-france.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def current_codes(records: list[dict[str, Any]]) -> dict[str, str]:
    """The commune that each code, current or former, is in."""
    now = [r for r in records if r["type"] in ("commune-actuelle", "arrondissement-municipal")]
    return {r["code"]: r["code"] for r in now} | {old: r["code"] for r in now for old in r.get("anciensCodes", [])}


def test_the_tables_have_the_rows_of_todays_france(staging: Staging) -> None:
    rows = {name: len(table(staging, name)) for name in ("cities", "bassins", "cities_jobs", "former_communes")}
    assert rows == {"cities": 35_014, "bassins": 34_875, "cities_jobs": 285_550, "former_communes": 4_240}
    cities, jobs = table(staging, "cities").set_index("insee_com"), table(staging, "cities_jobs")
    assert jobs["number"].sum() == 846_134
    for codes in (
        jobs["insee_code"],
        table(staging, "bassins")["code_commune_insee"],
        table(staging, "equipments")["depcom"],
        table(staging, "equipments_special")["depcom"],
        table(staging, "former_communes")["current_code"],
    ):
        assert codes.isin(cities.index).all()
    assert list(cities["superficie"][["01033", "75056"]]) == [6_277, 10_524]
    assert cities["population"]["75056"] == cities["population"]["75120"] == 2_103.778
    assert list(cities.loc["01033", ["name", "nom_comm"]]) == ["Valserhône", "VALSERHONE"]
    assert list(cities["former_name"][["01033", "75056"]].fillna("")) == ["Bellegarde-sur-Valserine", ""]
    former = table(staging, "former_communes").set_index("code")
    assert former["name"].isna().sum() == 1_880
    assert list(former.loc["01091", ["name", "current_code"]]) == ["Châtillon-en-Michaille", "01033"]


def test_no_area_home_or_facility_is_lost(staging: Staging, files: Path, records: list[dict[str, Any]]) -> None:
    current, cities, file = current_codes(records), table(staging, "cities"), communes(files)
    parts = cities[~cities["insee_com"].isin(list(CITIES_OF_DISTRICTS))].set_index("insee_com")
    for column, spelling in (("superficie", "Superficie"), ("total_social_housing", "LGT SOCIAUX")):
        expected: Counter[str] = Counter()
        for row in file:
            expected[current[row["Code INSEE"]]] += round(float(row[spelling] or 0))
        found = parts[column].fillna(0).astype(int)
        assert found[found != 0].to_dict() == {code: number for code, number in expected.items() if number}
    facilities: Counter[tuple[str, str]] = Counter()
    for line in (files / "bpe21.csv").read_text().splitlines()[1:]:
        _, code, _, kind = line.split(";")
        facilities[current[code], kind] += 1
    for (code, kind), number in list(facilities.items()):
        if city := CITY_OF_DISTRICT.get(code):
            facilities[city, kind] += number
    made = pd.concat([table(staging, "equipments"), table(staging, "equipments_special")])
    assert {(row[0], row[1]): row[2] for row in made.itertuples(index=False)} == facilities


def test_prices_are_means_by_inhabitants(staging: Staging, files: Path, records: list[dict[str, Any]]) -> None:
    current, people = current_codes(records), {row["Code INSEE"]: float(row["Population"]) for row in communes(files)}
    parts: dict[str, list[tuple[float, float]]] = {}
    with (files / "dvf-communes-2019.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            if row["PrixMoyen_M2"] != "NA":
                code = row["INSEE_COM"].zfill(5)
                pair = (float(row["PrixMoyen_M2"]), people.get(code, 0))
                parts.setdefault(current[code], []).append(pair)
    cities = table(staging, "cities").set_index("insee_com")["average_houseselled"]
    assert sum(len(pairs) > 1 for pairs in parts.values()) > 20
    for code, pairs in parts.items():
        weight = sum(inhabitants for _, inhabitants in pairs)
        mean = sum(price * inhabitants for price, inhabitants in pairs) / weight if weight else pairs[0][0]
        assert cities[code] == pytest.approx(mean if weight or len(pairs) == 1 else cities[code])


def test_a_basin_is_the_communes_own_else_its_most_populous_parts_else_the_nearest(staging: Staging) -> None:
    basins = table(staging, "bassins").set_index("code_commune_insee")["bassin_id"]
    assert basins["01033"] == 8438
    assert list(basins[["14666", "15031", "85165"]]) == [2817, 8451, 5213]
    assert basins.index.is_unique


def test_every_row_is_told_of_and_none_is_rejected_for_its_year(staging: Staging) -> None:
    assert set(staging.rejects()["source"]) == {"offers_dump"}  # the offers without a commune
    for name in ("cities", "bassins", "cities_jobs", "equipments"):
        files = {file.source_id: file for file in staging.sources(name)}
        assert (files["cog"].file_name, files["cog"].vintage) == (COG, "2026")
        for file in files.values():
            if file.rows_read is not None:
                told = (file.rows_used or 0) + (file.rows_merged or 0) + (file.rows_rejected or 0)
                assert file.rows_read == told
    (lexicon,) = [file for file in staging.sources("bassins") if file.source_id == "basins_lexicon"]
    assert (lexicon.rows_used, lexicon.rows_merged) == (34_868, 35_357 - 34_868)


def test_a_cog_of_another_year_with_other_optional_keys_gives_the_same_map(
    staging: Staging, files: Path, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "cities-france.csv").symlink_to(files / "cities-france.csv")
    kept = [{key: record[key] for key in READ_OF_THE_COG if key in record} for record in records]
    (folder / "communes-cog-2021.json").write_text(json.dumps(kept))
    other = staged(tmp_path, folder, ["cog", "former_communes"])
    for name in ("cog", "former_communes"):
        assert table(other, name).equals(table(staging, name))
    assert {file.vintage for file in other.sources("cog") if file.source_id == "cog"} == {"2021"}
