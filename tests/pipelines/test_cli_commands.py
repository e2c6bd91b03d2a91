"""The commands: help, exit codes, settings, wrong usage."""

import json
import subprocess
import sys
from pathlib import Path

from resources.settings import Settings
from tests.pipelines.conftest import Command

COMMANDS = "refresh status rejects ui config releases diff rollback backup verify restore migrate api".split()
COMMANDS += ["fetch", "doctor", "unlock", "export"]


def test_help_is_everywhere(mobiville: Command) -> None:
    for command in ([], *([name] for name in COMMANDS)):
        helped = mobiville(*command, "--help")
        assert helped.returncode == 0
        assert "Usage: mobiville" in helped.stdout


def test_the_exit_codes_are_documented(mobiville: Command) -> None:
    shown = mobiville("--help").stdout
    for line in ("0    done", "1    failed, and nothing changed", "2    wrong usage", "3    published, but", "130  "):
        assert line in shown


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


def test_the_first_words_of_a_refresh_wait_for_no_library_of_databases_or_tables() -> None:
    code = "import sys, pipelines.cli.refresh; print([n for n in ('sqlalchemy', 'pyarrow') if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "[]\n"
