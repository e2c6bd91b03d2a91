"""What docker-compose.yml promises, and Dagster's history in MariaDB with the settings that are deployed."""

import re
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from sqlalchemy import create_engine, make_url

from pipelines.definitions import definitions
from resources.settings import Settings
from tests.conftest import ROOT

COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
FRONT = "nginx"


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
    values = [str(value) for service in SERVICES.values() for key, value in _environment(service) if "PASSWORD" in key]
    assert values
    assert all(value.startswith("${") for value in values)


def test_what_must_outlive_a_container_is_on_a_volume() -> None:
    targets = {
        name: [re.sub(r"^.*:(/[^:]+?)(:ro)?$", r"\1", mount) for mount in service.get("volumes", [])]
        for name, service in SERVICES.items()
    }
    assert "/var/lib/mysql" in targets["mariadb"]
    for name in ("code", "webserver", "daemon"):
        environment = dict(_environment(SERVICES[name]))
        kept = [environment[f"MOBIVILLE_{what}"] for what in ("STAGING", "BACKUPS", "DAGSTER_FILES")]
        assert all(any(folder.startswith(target) for target in targets[name]) for folder in kept)


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
        run = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("helps")])
        assert run.success
    with dg.DagsterInstance.from_config(str(tmp_path)) as later:  # as after a restart
        assert [record.run_id for record in later.get_runs()] == [run.run_id]
        made = later.get_latest_materialization_event(dg.AssetKey("helps"))
        assert made
        assert made.run_id == run.run_id
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP DATABASE dagster")
        connection.exec_driver_sql("DROP USER 'mobiville'@'%%'")
    engine.dispose()


def test_the_settings_for_kubernetes_are_those_of_docker_and_a_pod_per_run() -> None:
    of_docker, of_kubernetes = (
        yaml.safe_load((ROOT / "deploy" / folder / "dagster.yaml").read_text()) for folder in ("dagster", "kubernetes")
    )
    launcher = of_kubernetes.pop("run_launcher")
    assert of_kubernetes == of_docker
    assert (launcher["module"], launcher["class"]) == ("dagster_k8s", "K8sRunLauncher")
    fields = K8sRunLauncher.config_type()  # type: ignore[no-untyped-call]
    checked = process_config(fields, launcher["config"] | {"job_namespace": "mobiville"})
    assert checked.success, checked.errors
    values = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "values.yaml").read_text())
    (deployed,) = values["dagster-user-deployments"]["deployments"]
    assert {entry["name"] for entry in deployed["env"]} == set(launcher["config"]["env_vars"])


def _environment(service: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(service.get("environment", {}).items())
