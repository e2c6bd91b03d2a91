"""What docker-compose.yml promises, and Dagster's history in MariaDB with the settings that are deployed."""

import re
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from sqlalchemy import create_engine, make_url

from assets.common.lineage import staged_key
from pipelines.definitions import definitions
from resources.downloads.snapshots import CURRENT
from resources.settings import Settings
from tests.conftest import ROOT
from tests.deploy.schemas import refusals

COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
FRONT = "nginx"
DAGSTER = ("code", "webserver", "daemon")
OWN = {"MOBIVILLE_DAGSTER_FILES", "MOBIVILLE_DB_HOST", "MOBIVILLE_DB_PORT", "MOBIVILLE_DB_PASSWORD"}
"""What deploy/dagster/dagster.yaml reads."""
FIXED = ("warehouse_url", "raw_data", "downloads", "dumps", "staging", "cache", "backups", "exports")
"""Settings that the containers' own folders and network decide."""


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_restarts_says_how_it_is_and_has_its_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_but_the_front_is_reachable_from_outside() -> None:
    ports = {name: service.get("ports", []) for name, service in SERVICES.items() if name != FRONT}
    assert {name for name, published in ports.items() if published} == {"webserver"}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)
    assert not any(service.get("network_mode") == "host" for service in SERVICES.values())


def test_no_password_has_a_default_and_none_is_written_down() -> None:
    text = COMPOSE.read_text()
    for name, default in re.findall(r"\$\{(\w*PASSWORD\w*)([^}]*)\}", text):
        assert default.startswith(":?"), name  # docker compose refuses to start without it
    values = [str(value) for name in SERVICES for key, value in _environment(name).items() if "PASSWORD" in key]
    assert values
    assert all(value.startswith("${") for value in values)


def test_what_must_outlive_a_container_is_on_a_volume() -> None:
    assert "/var/lib/mysql" in _targets("mariadb")
    folders = [field for field in FIXED if not field.endswith("_url")]
    kept = [_environment("code")[f"MOBIVILLE_{name.upper()}"] for name in folders]
    assert all(any(folder.startswith(f"{target}") for target in _targets("code")) for folder in kept)
    for name in DAGSTER:
        files = _environment(name)["MOBIVILLE_DAGSTER_FILES"]
        assert any(files.startswith(target) for target in _targets(name))


def test_composes_own_schema_takes_the_file(tmp_path: Path) -> None:
    assert refusals("compose-spec", COMPOSE) == ""
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(COMPOSE.read_text().replace("    healthcheck:", "    healthchek:", 1))
    assert "healthchek" in refusals("compose-spec", wrong)


def test_every_setting_reaches_the_imports_by_its_name() -> None:
    given = _environment("code")
    settings = {f"MOBIVILLE_{name.upper()}" for name in Settings.model_fields}
    assert settings - {"MOBIVILLE_API_DATABASE_URL"} == {name for name in given if name.startswith("MOBIVILLE_")} - OWN
    fixed = {f"MOBIVILLE_{name.upper()}" for name in FIXED}
    assert {name: given[name] for name in settings & set(given) - fixed if given[name] is not None} == {}
    assert all(given[name] for name in fixed)


def test_the_api_is_given_the_settings_that_it_reads_and_no_other() -> None:
    modules = [*(ROOT / "api").rglob("*.py"), ROOT / "resources" / "clients" / "france_travail.py"]
    read = {name for path in modules for name in re.findall(r"settings\.(\w+)", path.read_text())}
    needed = {f"MOBIVILLE_{name.upper()}" for name in (read & set(Settings.model_fields)) - {"warehouse_url"}}
    assert {name for name in _environment("api") if name.startswith("MOBIVILLE_")} == needed


def test_the_web_server_and_the_daemon_are_given_no_setting() -> None:
    for name in ("webserver", "daemon"):
        assert {key for key in _environment(name) if key.startswith("MOBIVILLE_")} == OWN


def test_the_nightly_refresh_reads_what_fetch_made_newest() -> None:
    given = _environment("code")
    assert given["MOBIVILLE_RAW_DATA"] == f"{given['MOBIVILLE_DOWNLOADS']}/{CURRENT}"
    assert any(":/files" in mount and not mount.endswith(":ro") for mount in SERVICES["code"]["volumes"])


def test_proxies_reach_what_asks_other_machines_and_leave_this_one_alone() -> None:
    for name in ("code", "api"):
        given = _environment(name)
        assert {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"} <= set(given)
        assert {"127.0.0.1", "code", "mariadb"} <= set(given["NO_PROXY"].split(","))  # its health check goes direct


def test_each_image_has_an_exact_tag_and_ours_a_numeric_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    images = [service["image"] for service in SERVICES.values() if "mobiville-warehouse" not in service["image"]]
    for image in [*images, *re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)]:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+(-[a-z0-9.]+)*", image), image
    assert re.findall(r"^USER (.*)", dockerfile, re.MULTILINE) == ["10001:10001"]


def test_dagster_keeps_its_history_in_mariadb(
    mariadb_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_url(mariadb_server)
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE IF NOT EXISTS dagster")
        connection.exec_driver_sql("GRANT ALL ON dagster.* TO 'mobiville'@'%%' IDENTIFIED BY 's3cr@t'")
    given = {
        "DB_PASSWORD": "s3cr@t",
        "DB_HOST": "127.0.0.1",
        "DB_PORT": server.port,
        "DAGSTER_FILES": tmp_path / "files",
    }
    for name, value in (given | {"DAGSTER_FILES": tmp_path / "files"}).items():
        monkeypatch.setenv(f"MOBIVILLE_{name}", str(value))
    shutil.copy(ROOT / "deploy" / "dagster" / "dagster.yaml", tmp_path)
    settings = Settings(staging=tmp_path / "staging", warehouse_url=f"sqlite:///{tmp_path / 'w.db'}")
    job = definitions(settings).resolve_job_def("refresh")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.event_log_storage).__name__ == "MySQLEventLogStorage"
        run = job.execute_in_process(instance=instance, asset_selection=[staged_key("helps")])
        assert run.success
    with dg.DagsterInstance.from_config(str(tmp_path)) as later:  # as after a restart
        assert [record.run_id for record in later.get_runs()] == [run.run_id]
        made = later.get_latest_materialization_event(staged_key("helps"))
        assert made
        assert made.run_id == run.run_id
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP DATABASE dagster")
        connection.exec_driver_sql("DROP USER 'mobiville'@'%%'")
    engine.dispose()


def _environment(name: str) -> dict[str, Any]:
    return dict(SERVICES[name].get("environment", {}))


def _targets(name: str) -> list[str]:
    return [re.sub(r"^.*:(/[^:]+?)(:ro)?$", r"\1", mount) for mount in SERVICES[name].get("volumes", [])]
