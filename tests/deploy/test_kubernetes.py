"""What is deployed in Kubernetes: our values for Dagster's chart, Dagster's settings, and our own manifests."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubernetes.client as k8s
import pytest
import yaml
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import construct_dagster_k8s_job
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict

from resources.downloads.snapshots import CURRENT
from resources.settings import Settings
from tests.conftest import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VALUES: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text())
INSTANCE: dict[str, Any] = yaml.safe_load((FOLDER / "dagster.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((FOLDER / "mobiville.yaml").read_text()))
(CODE,) = VALUES["dagster-user-deployments"]["deployments"]
PODS = {"code": CODE, "webserver": VALUES["dagsterWebserver"], "daemon": VALUES["dagsterDaemon"]}
KINDS = {
    "Deployment": k8s.V1Deployment,
    "Service": k8s.V1Service,
    "PersistentVolumeClaim": k8s.V1PersistentVolumeClaim,
}
CHART = os.environ.get("MOBIVILLE_TEST_DAGSTER_CHART")


def _keys(values: Any, known: set[str], path: str = "") -> set[str]:
    """The paths that values set, down to those that are known or have nothing below."""
    if isinstance(values, list):
        return {key for value in values for key in _keys(value, known, path)}
    if path in known or not isinstance(values, dict):
        return {path}
    return {key for name, value in values.items() for key in _keys(value, known, f"{path}.{name}".lstrip("."))}


def _built(model: type, of: dict[str, Any]) -> Any:
    """An object of Kubernetes' API. Raises on a key that it does not have."""
    return k8s_model_from_dict(model, k8s_snake_case_dict(model, of))


def _names(pod: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value") for entry in pod["env"]}


def _chart_has_keys(values: Any, chart: dict[str, Any], of: Any = None, path: str = "") -> None:
    """Fail on a key of the values that the schema of the chart does not have."""
    of = chart if of is None else of
    for choice in of.get("anyOf", []):
        of = choice if choice.get("type") != "null" else of
    if of.get("$ref", "").startswith("#/"):
        _, table, name = of["$ref"].split("/")
        _chart_has_keys(values, chart, chart[table][name], path)
    elif isinstance(values, list):
        for value in values:
            _chart_has_keys(value, chart, of.get("items", {}), path)
    elif isinstance(values, dict) and of.get("properties"):  # none: Kubernetes' own, or any
        for name, value in values.items():
            assert name in of["properties"], f"{path}.{name}"
            _chart_has_keys(value, chart, of["properties"][name], f"{path}.{name}")


def _pod_of_a_run(told: dict[str, Any]) -> dict[str, Any]:
    """The pod that the launcher of Dagster's settings makes of a run. told: what the chart tells the code location."""
    config = INSTANCE["run_launcher"]["config"]
    context = K8sContainerContext.create_from_config({"k8s": {"run_k8s_config": config["run_k8s_config"]}})
    context = context.merge(K8sContainerContext.create_from_config(told))
    launcher = SimpleNamespace(**config | {"postgres_password_secret": None})
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config("mobiville-warehouse:1", launcher),
        args=["dagster", "api", "execute_run", "{}"],
        job_name="run",
        user_defined_k8s_config=context.run_k8s_config,
    ).to_dict()
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


def test_the_chart_has_each_key_that_we_set() -> None:
    lines = (ROOT / "tests" / "deploy" / "chart_keys.txt").read_text().splitlines()
    known = {line for line in lines if not line.startswith("#")}
    assert _keys(VALUES, known) == known
    assert _keys({"postgresql": {"enabeld": 1}}, known) - known  # a key that it does not have is found


@pytest.mark.parametrize("name", PODS)
def test_what_the_chart_hands_on_is_kubernetes_own(name: str) -> None:
    pod = PODS[name]
    for key, model in (("env", k8s.V1EnvVar), ("volumes", k8s.V1Volume), ("volumeMounts", k8s.V1VolumeMount)):
        assert [_built(model, entry) for entry in pod[key]]
    _built(k8s.V1PodSecurityContext, pod["podSecurityContext"])
    _built(k8s.V1Probe, pod.get("readinessProbe", {}))


@pytest.mark.parametrize("name", PODS)
def test_each_pod_of_dagster_reads_our_settings_of_it_and_waits_for_no_postgres(name: str) -> None:
    pod = PODS[name]
    home = _names(pod)["DAGSTER_HOME"]
    assert {"mountPath": f"{home}/dagster.yaml", "name": "mobiville-dagster", "subPath": "dagster.yaml"} in pod[
        "volumeMounts"
    ]
    assert name == "code" or pod["checkDbReadyInitContainer"] is False
    image_user = 10001
    assert f"USER {image_user}:" in (ROOT / "Dockerfile").read_text()
    # The number is said: the chart's own init container (busybox, which would be root) is not started without it
    assert pod["podSecurityContext"] == {"runAsNonRoot": True, "runAsUser": image_user, "fsGroup": image_user}


def test_dagsters_settings_are_those_of_docker_and_a_pod_per_run() -> None:
    of_docker = yaml.safe_load((ROOT / "deploy" / "dagster" / "dagster.yaml").read_text())
    launcher = INSTANCE["run_launcher"]
    assert {name: value for name, value in INSTANCE.items() if name != "run_launcher"} == of_docker
    assert (launcher["module"], launcher["class"]) == ("dagster_k8s", "K8sRunLauncher")
    fields = K8sRunLauncher.config_type()  # type: ignore[no-untyped-call]
    checked = process_config(fields, launcher["config"] | {"job_namespace": "mobiville"})
    assert checked.success, checked.errors
    assert launcher["config"]["service_account_name"] == VALUES["global"]["serviceAccountName"]


def test_the_pod_of_a_run_has_the_files_and_settings_and_no_service_links() -> None:
    pod = _pod_of_a_run(
        {
            "k8s": {  # what the chart writes of the code location: its helper k8sContainerContext
                "env": CODE["env"],
                "env_config_maps": [entry["name"] for entry in CODE["envConfigMaps"]],
                "env_secrets": [entry["name"] for entry in CODE["envSecrets"]],
                "volumes": CODE["volumes"],
                "volume_mounts": CODE["volumeMounts"],
                "resources": CODE["resources"],
                "namespace": "mobiville",
                "run_k8s_config": {"pod_spec_config": {"automount_service_account_token": True}},
            }
        }
    )
    (container,) = pod["containers"]
    assert pod["enable_service_links"] is False
    assert pod["security_context"]["run_as_non_root"] is True
    assert {mount["mount_path"] for mount in container["volume_mounts"]} == {
        "/files",
        "/app/deploy/dagster/dagster.yaml",
    }
    assert {source["secret_ref"]["name"] for source in container["env_from"] if source["secret_ref"]} == {"mobiville"}
    assert {entry["name"]: entry["value"] for entry in container["env"]}["MOBIVILLE_EXECUTOR"] == "k8s"
    assert container["command"] is None  # only arguments: the image may have no entry point
    assert "ENTRYPOINT" not in (ROOT / "Dockerfile").read_text()


def test_what_pods_share_is_on_the_shared_volume_and_fetch_feeds_the_refresh() -> None:
    given = _names(CODE)
    for name in ("STAGING", "CACHE", "DOWNLOADS", "DUMPS", "BACKUPS", "EXPORTS", "RAW_DATA", "DAGSTER_FILES"):
        assert given[f"MOBIVILLE_{name}"].startswith("/files/")
    assert given["MOBIVILLE_RAW_DATA"] == f"{given['MOBIVILLE_DOWNLOADS']}/{CURRENT}"
    assert [PODS[name]["env"] for name in PODS] == [CODE["env"]] * 3
    assert {name for name in given if name.startswith("MOBIVILLE_")} <= {
        f"MOBIVILLE_{name.upper()}" for name in Settings.model_fields
    } | {"MOBIVILLE_NAMESPACE", "MOBIVILLE_DAGSTER_FILES"}
    (claim,) = (of for of in MANIFESTS if of["kind"] == "PersistentVolumeClaim")
    assert claim["metadata"]["name"] == CODE["volumes"][0]["persistentVolumeClaim"]["claimName"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_our_manifests_are_kubernetes_own_and_fit_together() -> None:
    built = [_built(KINDS[of["kind"]], of) for of in MANIFESTS]
    deployments = [of for of in built if of.kind == "Deployment"]
    assert {of.metadata.name for of in deployments} == {"api", "nginx"}
    labels = [of.spec.template.metadata.labels for of in deployments]
    for service in (of for of in built if of.kind == "Service"):
        assert service.spec.selector in labels
    for of in deployments:
        assert of.spec.template.spec.enable_service_links is False
        assert of.spec.selector.match_labels == of.spec.template.metadata.labels
        assert all(container.resources.limits for container in of.spec.template.spec.containers)
    api = next(of for of in built if of.kind == "Service" and of.metadata.name == "api")
    assert f"server api:{api.spec.ports[0].port};" in (ROOT / "deploy" / "nginx" / "mobiville.conf").read_text()
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert deployments[1].spec.template.spec.containers[0].image == compose["nginx"]["image"]


def test_no_service_is_called_as_our_settings_are() -> None:
    services = [of["metadata"]["name"] for of in MANIFESTS if of["kind"] == "Service"]
    assert not [name for name in [CODE["name"], *services] if name.startswith("mobiville")]  # MOBIVILLE_PORT=tcp://…


@pytest.mark.skipif(not (CHART and shutil.which("helm")), reason="wants helm, and MOBIVILLE_TEST_DAGSTER_CHART")
def test_the_chart_as_helm_renders_it() -> None:
    _chart_has_keys(VALUES, json.loads((Path(str(CHART)) / "values.schema.json").read_text()))
    command = ["helm", "template", "dagster", str(CHART), "--values", str(FOLDER / "values.yaml")]
    command += ["--skip-schema-validation"]  # the chart's schema is not whole: it refers to Kubernetes' on the web
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rendered = [of for of in yaml.safe_load_all(text) if of]
    deployments = [of for of in rendered if of["kind"] == "Deployment"]
    assert len(deployments) == len(PODS)
    assert not [of for of in rendered if of["kind"] == "StatefulSet"]  # no PostgreSQL
    for of in deployments:
        pod = of["spec"]["template"]["spec"]
        assert "check-db-ready" not in [container["name"] for container in pod.get("initContainers", [])]
        (container,) = pod["containers"]
        assert {entry["name"]: entry.get("value") for entry in container["env"]}["DAGSTER_HOME"] == _names(CODE)[
            "DAGSTER_HOME"
        ]
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert len(mounts) == len(set(mounts))
        assert "/app/deploy/dagster/dagster.yaml" in mounts
        assert pod["serviceAccountName"] == "dagster"
        assert pod["securityContext"]["runAsUser"] == 10001  # its init containers too
        assert {"configMapRef": {"name": "mobiville"}} in container["envFrom"]
        assert {"secretRef": {"name": "mobiville"}} in container["envFrom"]
        assert {"name": "files", "mountPath": "/files"} in container["volumeMounts"]
    assert [of["metadata"]["name"] for of in rendered if of["kind"] == "ServiceAccount"] == ["dagster"]
    services = [of["metadata"]["name"] for of in rendered if of["kind"] == "Service"]
    assert "code" in services  # what the workspace that the chart writes calls
    assert not [name for name in services if name.startswith("mobiville")]
    (code,) = (of for of in deployments if of["metadata"]["name"].endswith("-code"))
    told = _names(code["spec"]["template"]["spec"]["containers"][0])["DAGSTER_CLI_API_GRPC_CONTAINER_CONTEXT"]
    pod = _pod_of_a_run(json.loads(told))
    assert pod["automount_service_account_token"] is True  # it starts pods of steps
    assert pod["enable_service_links"] is False
    assert pod["service_account_name"] == "dagster"
