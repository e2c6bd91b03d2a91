"""The refresh as a user sees it."""

import json
import re
from pathlib import Path

from sqlalchemy import create_engine

from tests.pipelines.conftest import Command, changed, served


def test_refresh_serves_the_sample_and_twice_is_the_same(mobiville: Command, tmp_path: Path) -> None:
    first = mobiville("refresh")
    assert first.returncode == 0, first.stderr
    assert "cities " in first.stdout
    assert first.stderr == ""
    assert [*tmp_path.glob("var/dagster/**/*.db")]
    assert [*tmp_path.glob("var/dagster/**/*.db-wal")] == []
    tables = served(tmp_path)
    assert all(tables.values())
    before = json.loads(mobiville("status", "--json").stdout)
    assert {table["table"]: table["rows"] for table in before["tables"]} == {n: len(r) for n, r in tables.items()}
    assert all(len(source["sha256"]) == 64 for table in before["tables"] for source in table["sources"])
    assert mobiville("refresh").returncode == 0
    assert served(tmp_path) == tables
    assert json.loads(mobiville("status", "--json").stdout) == before


def test_a_table_older_than_it_may_be_is_said_to_be_stale(mobiville: Command, tmp_path: Path) -> None:
    assert mobiville("refresh").returncode == 0
    assert "STALE" not in mobiville("status").stdout
    engine = create_engine(f"sqlite:///{tmp_path / 'var' / 'warehouse.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE release_tables SET loaded_at = datetime('now', '-5 days')")
    stale = [table for table in json.loads(mobiville("status", "--json").stdout)["tables"] if table["stale"]]
    assert [(table["table"], table["max_age_days"]) for table in stale] == [("cities_jobs", 4), ("offers_history", 4)]
    assert "STALE: its contents may be 4 days old; look for newer files" in mobiville("status").stdout


def test_only_publishes_the_named_import_and_its_tables(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    before = served(tmp_path)
    helps = sample / "helps.json"
    helps.write_text(helps.read_text().replace('"title": "', '"title": "X ', 1))
    (sample / "departements.csv").unlink()
    ran = mobiville("refresh", "--only", "helps", raw_data=str(sample))
    assert ran.returncode == 0, ran.stderr
    after = served(tmp_path)
    assert after.pop("helps") != before.pop("helps")
    assert after == before
    of_two_tables = mobiville("refresh", "--only", "cog", raw_data=str(sample))
    assert of_two_tables.returncode == 0, of_two_tables.stderr
    assert "2 of 2 assets are as they were" in of_two_tables.stdout  # former_communes, and cog, which is not served
    assert mobiville("refresh", "--only", "helps", "--days", "2021-12-20:2021-12-21").returncode == 2
    unknown = mobiville("refresh", "--only", "nothing")
    assert unknown.returncode == 2
    assert "no asset is called nothing; there are bassins" in unknown.stderr


def test_optional_sources_may_be_missing(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    for pattern in (
        "cities_rent*",
        "france-shape*",
        "french-weather*",
        "dvf*",
        "indicateurs*",
        "*zonage*",
        "unix_[!r]*",
    ):
        for path in sample.glob(pattern):
            path.unlink()
    ran = mobiville("refresh", raw_data=str(sample))
    assert ran.returncode == 0, ran.stderr
    for source in ("city_rents", "coastline", "weather_stations", "house_prices", "house_rents", "housing_zones"):
        assert f"no file for {source}: " in ran.stdout
    assert "no file for rome_skill_links: romeskills is empty" in ran.stdout
    engine = create_engine(f"sqlite:///{tmp_path / 'var' / 'warehouse.db'}")
    columns = ("rent_t2", "rent_t4", "distance_from_sea", "average_temperature", "average_houseselled")
    counted = ", ".join(f"COUNT({column})" for column in (*columns, "average_houserent", "city_house_tension"))
    with engine.connect() as connection:
        assert set(connection.exec_driver_sql(f"SELECT {counted} FROM cities").one()) == {0}
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM romeskills").scalar() == 0


def test_a_refresh_with_nothing_new_says_so_and_one_changed_file_remakes_what_it_touches(
    mobiville: Command, sample: Path
) -> None:
    files = str(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    again = mobiville("refresh", raw_data=files)
    assert again.stdout == f"refreshing from {files}\nnothing new: release 1 stays as it is\n"
    changed(sample)
    third = mobiville("refresh", raw_data=files)
    kept = re.search(r"(\d+) of (\d+) assets are as they were", third.stdout)
    assert kept
    assert int(kept[1]) == int(kept[2]) - 1
    assert "loading helps" in third.stdout
    assert "loading cities" not in third.stdout
    forced = mobiville("refresh", "--force", raw_data=files)
    assert "cities " in forced.stdout
    assert [r["release"] for r in json.loads(mobiville("releases", "--json").stdout)] == [2, 1]
