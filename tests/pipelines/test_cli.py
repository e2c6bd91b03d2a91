import bz2
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, create_engine, inspect

import raw_data
from resources.settings import Settings
from tests.conftest import PrivateServer, mariadb_programs
from tests.pipelines.conftest import Command
from warehouse import tables
from warehouse.database import connect
from warehouse.lock import only_writer

COMMANDS = "refresh status rejects ui config releases diff rollback backup verify restore migrate api".split()
COMMANDS += ["fetch", "doctor", "unlock"]


def served(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every served table of the default warehouse, by table."""
    engine = create_engine(f"sqlite:///{folder / 'var' / 'warehouse.db'}")
    with engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
            for name in names
            if "__" not in name and not name.startswith("release")
        }


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample that a test may break."""
    return Path(shutil.copytree(raw_data.SAMPLE, tmp_path / "files"))


def test_help_is_everywhere(mobiville: Command) -> None:
    for command in ([], *([name] for name in COMMANDS)):
        helped = mobiville(*command, "--help")
        assert helped.returncode == 0
        assert "Usage: mobiville" in helped.stdout


def test_the_exit_codes_are_documented(mobiville: Command) -> None:
    shown = mobiville("--help").stdout
    for line in ("0    done", "1    failed, and nothing changed", "2    wrong usage", "3    published, but", "130  "):
        assert line in shown


def started(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """A command that goes on while a test does something to it; what it says can be read line by line."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    environment |= {f"MOBIVILLE_{name.upper()}": value for name, value in settings.items()} | {"PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).parent / "mobiville"), *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=-1, stderr=-1)


def last_release(mobiville: Command, **settings: str) -> int:
    return int(json.loads(mobiville("status", "--json", **settings).stdout)["release"] or 0)


@pytest.mark.parametrize(
    ("stopped_at", "number"),
    [("raw_files", signal.SIGINT), ("cities ", signal.SIGTERM), ("  swapping", signal.SIGINT)],
)
def test_an_interrupted_refresh_says_in_a_line_what_is_served(
    mobiville: Command, tmp_path: Path, stopped_at: str, number: signal.Signals
) -> None:
    with started(tmp_path, "refresh") as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if line.startswith(stopped_at):
                process.send_signal(number)
        said = process.stderr.read()
    if process.returncode == 0:  # it was done before it heard
        assert stopped_at == "  swapping"
    else:
        assert (process.returncode, said.count("\n")) == (130, 1)
    assert ("nothing was published" in said) == (last_release(mobiville) == 0)


def test_what_fails_after_the_swap_is_exit_code_3(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "var" / "staging" / "refresh.json").mkdir(parents=True)  # where the end of a refresh is noted
    failed = mobiville("refresh")
    assert failed.returncode == 3
    assert "Release 1 is published, but something after it failed." in failed.stderr
    assert "Nothing was published" not in failed.stderr
    assert last_release(mobiville) == 1


@pytest.mark.parametrize("killed_at", ["loading cities_jobs", "swapping"])
def test_a_server_that_restarts_under_a_refresh_gets_true_words(
    mobiville: Command, tmp_path: Path, killed_at: str
) -> None:
    server = PrivateServer(tmp_path, *mariadb_programs())
    with closing(connect(f"{server.start()}/mysql").raw_connection()) as root:
        root.cursor().execute("CREATE DATABASE mobiville")
    url, restarted = f"{server.url}/mobiville", False
    with started(tmp_path, "refresh", "--sample", warehouse_url=url) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if killed_at in line and not restarted:
                restarted = True
                server.process.kill()
                server.process.wait()
                server.start()
        said = process.stderr.read()
    published = last_release(mobiville, warehouse_url=url) == 1
    assert restarted
    if process.returncode:  # steps are tried again: most often all is well once the server is back
        assert process.returncode == (3 if published else 1), said
        assert ("Release 1 is published" if published else "Nothing was published") in said
    assert "Traceback" not in said
    server.process.terminate()
    server.process.wait()


def test_config_shows_each_setting_and_no_password(mobiville: Command) -> None:
    url = "mariadb+pymysql://etl:hunter2@db/mobiville"
    reader = "mariadb+pymysql://reader:hunter2@db/mobiville"
    shown = mobiville("config", "--json", warehouse_url=url, api_database_url=reader)
    values = {row["variable"]: row["value"] for row in json.loads(shown.stdout)}
    assert values["MOBIVILLE_WAREHOUSE_URL"] == "mariadb+pymysql://etl:***@db/mobiville"
    assert set(values) == {f"MOBIVILLE_{name.upper()}" for name in Settings.model_fields}
    query = "mariadb+pymysql://db/mobiville?user=etl&password=hunter2&read_timeout=9"
    addresses = {"mirror": "https://a:hunter2@m/x", "wikidata_url": "https://B@hunter2@m/", "warehouse_url": query}
    for name, address in addresses.items():
        answer = mobiville("config", **{name: address})
        assert "***" in answer.stdout
        assert "hunter2" not in answer.stdout
    secret = {"warehouse_url": url, "smtp_url": "smtp://u:hunter2@mail", "alert_webhook": "https://x/hunter2"}
    text = mobiville("config", **secret, ft_client_secret="hunter2").stdout
    assert "MOBIVILLE_FT_CLIENT_SECRET=***" in text
    assert "hunter2" not in shown.stdout + shown.stderr + text


def test_a_misspelt_name_is_refused_with_the_one_that_is_meant(mobiville: Command, sample: Path) -> None:
    typo = mobiville("refresh", raw_dta=str(sample))
    assert typo.returncode == 1
    assert (
        typo.stderr == "Error: MOBIVILLE_RAW_DTA is no setting; MOBIVILLE_RAW_DATA is. Correct the name, or unset it\n"
    )
    assert (
        "MOBIVILLE_SERVICE_HOST: set, and no settings"
        in mobiville("doctor", service_host="x", http_timeout="0.01").stdout
    )
    for arguments, said in (
        (("refresh", "--allow-shrink", "citis"), "no table is called citis; cities is"),
        (("rejects", "--source", "comunes"), "no source is called comunes; communes is"),
        (("ui", "--port", "99999"), "99999 is not in the range"),
    ):
        refused = mobiville(*arguments)
        assert refused.returncode == 2
        assert said in refused.stderr
    assert "MOBIVILLE_NIGHTLY_CRON: " in mobiville("status", nightly_cron="99 2 * * *").stderr


def test_the_sample_goes_to_mariadb_only_when_that_is_said(mobiville: Command, mariadb_url: str) -> None:
    refused = mobiville("refresh", warehouse_url=mariadb_url)
    assert refused.returncode == 1
    assert "mobiville refresh --sample" in refused.stderr
    assert "no release is served yet" in mobiville("status", warehouse_url=mariadb_url).stderr
    assert mobiville("refresh").returncode == 0
    assert "données d'essai, inventées" in mobiville("status").stdout
    assert json.loads(mobiville("status", "--json").stdout)["sample"] is True


def test_an_address_that_is_no_warehouse_is_an_error_in_a_line(mobiville: Command) -> None:
    for command in ("status", "config", "refresh", "api"):
        failed = mobiville(command, warehouse_url="oracle://scott:tiger@h/d")
        assert failed.returncode == 1
        assert "MOBIVILLE_WAREHOUSE_URL is not the address of a warehouse" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert "tiger" not in failed.stdout + failed.stderr


def test_a_database_that_is_away_is_an_error_in_a_line(mobiville: Command) -> None:
    failed = mobiville("status", warehouse_url="mariadb+pymysql://root:hunter2@127.0.0.1:1/none")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "Can't connect" in failed.stderr
    assert "hunter2" not in failed.stderr


def test_before_the_first_release_status_says_what_to_do(mobiville: Command) -> None:
    early = mobiville("status", "--json")
    assert early.returncode == 1
    assert json.loads(early.stdout)["release"] is None
    assert "run `mobiville refresh`" in early.stderr


def test_refresh_serves_the_sample_and_twice_is_the_same(mobiville: Command, tmp_path: Path) -> None:
    first = mobiville("refresh")
    assert first.returncode == 0, first.stderr
    assert "cities " in first.stdout
    assert first.stderr == ""
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
    assert [(table["table"], table["max_age_days"]) for table in stale] == [("cities_jobs", 4)]
    assert "STALE: its contents may be 4 days old; look for newer files" in mobiville("status").stdout


def test_a_broken_file_is_named_and_what_is_served_stays(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    tables = served(tmp_path)
    lexicon = sample / "lexique-bassins.csv"
    lexicon.write_text(lexicon.read_text().replace("CODE_COMMUNE_INSEE", "CODE_COMMUNE"))
    (sample / "helps.json").unlink()
    failed = mobiville("refresh", raw_data=str(sample))
    assert failed.returncode == 1
    assert "Error in bassins: lexique-bassins.csv, line 1: its header lacks CODE_COMMUNE_INSEE" in failed.stderr
    assert "Error in helps: helps: no file helps.json" in failed.stderr
    assert "the served release is as it was" in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    assert served(tmp_path) == tables


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


def changed(sample: Path) -> None:
    helps = sample / "helps.json"
    helps.write_text(helps.read_text().replace('"title": "', '"title": "X ', 1))


def test_a_refresh_with_nothing_new_says_so_and_one_changed_file_remakes_what_it_touches(
    mobiville: Command, sample: Path
) -> None:
    files = str(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    again = mobiville("refresh", raw_data=files)
    assert again.stdout == "nothing new: release 1 stays as it is\n"
    changed(sample)
    third = mobiville("refresh", raw_data=files)
    assert "14 of 15 assets are as they were" in third.stdout
    assert "loading helps" in third.stdout
    assert "loading cities" not in third.stdout
    forced = mobiville("refresh", "--force", raw_data=files)
    assert "cities " in forced.stdout
    assert [r["release"] for r in json.loads(mobiville("releases", "--json").stdout)] == [2, 1]


def test_damaged_tables_are_noticed_and_repaired(mobiville: Command, tmp_path: Path) -> None:
    assert mobiville("refresh").returncode == 0
    before, engine = served(tmp_path), create_engine(f"sqlite:///{tmp_path / 'var' / 'warehouse.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE helps")
        connection.exec_driver_sql("DELETE FROM cities WHERE id <= 50")
    shown = mobiville("status")
    assert "DAMAGED: helps: the table is not there" in shown.stderr
    assert "DAMAGED: cities: the record says" in shown.stderr
    assert set(json.loads(mobiville("status", "--json").stdout)["damaged"]) == {"cities", "helps"}
    repaired = mobiville("refresh")
    assert repaired.returncode == 0, repaired.stderr
    assert "cities is damaged: the record says" in repaired.stdout
    after = served(tmp_path)
    assert (after["helps"], len(after["cities"])) == (before["helps"], len(before["cities"]))
    assert mobiville("status").stderr == ""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE helps SET title = 'x' WHERE id = 1")
    assert "helps: its contents are not those" in mobiville("doctor", "--deep", http_timeout="0.01").stdout
    assert mobiville("refresh", "--force").returncode == 0
    assert served(tmp_path)["helps"] == before["helps"]


def test_staged_files_that_were_altered_or_cut_are_rebuilt(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    before, staging = served(tmp_path), tmp_path / "var" / "staging"
    helps = pq.read_table(staging / "helps.parquet")
    forged = pa.array(["x"] * len(helps), helps.schema.field("title").type)
    forgery = helps.set_column(helps.schema.names.index("title"), helps.schema.field("title"), forged)
    pq.write_table(forgery.replace_schema_metadata(helps.schema.metadata), staging / "helps.parquet")
    cities = (staging / "cities.parquet").read_bytes()
    (staging / "cities.parquet").write_bytes(cities[: len(cities) // 2])
    (staging / "refresh.json").unlink()
    again = mobiville("refresh", raw_data=str(sample))
    assert again.returncode == 0, again.stderr
    assert served(tmp_path) == before
    assert (staging / "cities.parquet").stat().st_size == len(cities)
    assert pq.read_table(staging / "helps.parquet").equals(helps)


def test_a_killed_refresh_leaves_no_run_that_holds_up_others(mobiville: Command, tmp_path: Path) -> None:
    with started(tmp_path, "refresh") as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("raw_files"):
                process.kill()
    with dg.DagsterInstance.from_config(str(tmp_path / "var" / "dagster")) as instance:
        assert [run.status.value for run in instance.get_runs()] == ["STARTED"]
        again = mobiville("refresh")
        assert "was killed before its end, and is noted as failed" in again.stdout
        assert [run.status.value for run in instance.get_runs()] == ["SUCCESS", "FAILURE"]


def test_one_goes_back_and_sees_what_changed(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    files = str(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    before = served(tmp_path)
    changed(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    assert served(tmp_path) != before
    differs = json.loads(mobiville("diff", "1", "2", "--json").stdout)
    assert {kind: change["rows"] for kind, change in differs.pop("helps").items()} == {
        "added": 0,
        "removed": 0,
        "changed": 1,
    }
    assert differs == {}
    assert "1 changed" in mobiville("diff", "1", "2").stdout
    assert mobiville("rollback").returncode == 0
    assert served(tmp_path) == before
    assert [r["status"] for r in json.loads(mobiville("releases", "--json").stdout)][:2] == ["rollback", "published"]
    failed = mobiville("rollback", "--to", "77")
    assert failed.returncode == 1
    assert "there is no release 77 to go back to; with other contents: 2" in failed.stderr
    assert "there is no release 9; there are 1, 2, 3" in mobiville("diff", "1", "9").stderr


def test_a_second_refresh_says_who_holds_the_first_and_leaves_when_told(
    mobiville: Command, tmp_path: Path, warehouse_url: str
) -> None:
    engine = connect(warehouse_url)
    with only_writer(engine):
        left = mobiville("refresh", "--sample", "--no-wait", warehouse_url=warehouse_url)
    assert left.returncode == 1
    assert "the warehouse is being written by " in left.stderr
    assert mobiville("refresh", "--sample", "--no-wait", warehouse_url=warehouse_url).returncode == 0
    engine.dispose()


def test_rows_that_are_not_what_they_must_be_are_not_served(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    before = served(tmp_path)
    tensions = sample / "cities-tension-utf8.csv"
    lines = tensions.read_text().splitlines()
    lines[7] = lines[7].rsplit(";", 1)[0] + ";9"
    tensions.write_text("\n".join(lines) + "\n")
    for _ in range(2):  # what was refused is not taken for staged the next time
        failed = mobiville("refresh", raw_data=str(sample))
        assert failed.returncode == 1
        assert "Error in tensions: tensions: ind_t is from 1 to 5: 1 rows (0.02%) fail, first: " in failed.stderr
        assert "line 8" in failed.stderr
        kept = json.loads(mobiville("rejects", "--source", "tensions", "--json").stdout)
        assert [(row["line"], row["is_error"]) for row in kept if "ind_t is from" in row["reason"]] == [("8", True)]
        assert served(tmp_path) == before


def test_rejects_are_kept_with_file_line_and_reason(mobiville: Command, sample: Path) -> None:
    prices = sample / "dvf-communes-2019.csv"
    lines = prices.read_text().splitlines()
    lines[4] = lines[4].replace(";", ",", 1)
    prices.write_text("\n".join(lines) + "\n")
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    (row,) = json.loads(mobiville("rejects", "--source", "house_prices", "--json").stdout)
    assert (row["file"], row["location"], row["line"], row["is_error"]) == (prices.name, "line", "5", True)
    assert (row["row"], row["asset"]) == (lines[4], "cities")
    assert "expected 9 columns, found 8" in row["reason"]
    shown = mobiville("rejects", "--reason", "9 COLUMNS")
    assert "1  house_prices, dvf-communes-2019.csv: expected 9 columns, found 8" in shown.stdout
    assert "offers_dump" not in shown.stdout
    status = json.loads(mobiville("status", "--json").stdout)
    (cities,) = (table for table in status["tables"] if table["table"] == "cities")
    (counts,) = (source for source in cities["sources"] if source["source_id"] == "house_prices")
    assert counts["rows_rejected"] == 1
    assert counts["rows_read"] == len(lines) - 1 == counts["rows_used"] + 1


def test_a_file_with_more_rows_at_fault_than_may_be_is_refused_and_its_rejects_kept(
    mobiville: Command, sample: Path
) -> None:
    communes = sample / "cities-france.csv"
    text = communes.read_text().splitlines()
    communes.write_text("\n".join([text[0], *("1,2E+04" + line[5:] for line in text[1:])]) + "\n")
    failed = mobiville("refresh", raw_data=str(sample))
    assert failed.returncode == 1
    assert "Error in cities: cities-france.csv: 512 of 512 rows cannot be used, at most 0.1% may be so" in failed.stderr
    assert (
        "line 2: Code INSEE: expected an INSEE code of five characters (01004, 2A004), found '1,2E+04" in failed.stderr
    )
    assert len(json.loads(mobiville("rejects", "--source", "communes", "--json").stdout)) == 512


def test_a_table_that_lost_many_rows_is_published_only_when_that_is_said_to_be_right(
    mobiville: Command, sample: Path, tmp_path: Path
) -> None:
    files = str(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    before = served(tmp_path)
    dump = max((sample / "datalake").iterdir())
    rows = bz2.decompress(dump.read_bytes()).splitlines(keepends=True)
    dump.write_bytes(bz2.compress(b"".join(rows[: len(rows) // 2])))
    failed = mobiville("refresh", raw_data=files)
    assert failed.returncode == 1
    assert "more than 20% would be lost. Are these the right files?" in failed.stderr
    assert "mobiville refresh --allow-shrink cities_jobs" in failed.stderr
    assert served(tmp_path) == before
    accepted = mobiville("refresh", "--accept", "cities_jobs", raw_data=files)  # its former name
    assert accepted.returncode == 0
    assert "It is called --allow-shrink now" in accepted.stderr
    assert len(served(tmp_path)["cities_jobs"]) < len(before["cities_jobs"])


def test_a_backup_is_verified_and_restored_after_all_is_lost(mobiville: Command, warehouse_url: str) -> None:
    assert mobiville("refresh", "--sample", warehouse_url=warehouse_url).returncode == 0
    assert mobiville("migrate", warehouse_url=warehouse_url).returncode == 0
    engine = connect(warehouse_url)
    before = {table.name: _rows(engine, table.name) for table in tables.SERVED}
    made = mobiville("backup", warehouse_url=warehouse_url)
    assert made.returncode == 0, made.stderr
    file = made.stdout.splitlines()[-1]
    verified = mobiville("verify", file, warehouse_url=warehouse_url)
    assert verified.returncode == 0, verified.stderr
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW socialhousings")
        for name in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"DROP TABLE {name}")
    restored = mobiville("restore", file, warehouse_url=warehouse_url)
    assert restored.returncode == 0, restored.stderr
    assert {table.name: _rows(engine, table.name) for table in tables.SERVED} == before
    missing = mobiville("restore", "nothing.sql.bz2", warehouse_url=warehouse_url)
    assert missing.returncode == 1
    assert "is not there: a backup is two files" in missing.stderr
    engine.dispose()


def _rows(engine: Engine, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")]
