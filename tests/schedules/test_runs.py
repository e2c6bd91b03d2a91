"""No run holds up the others for ever, and the history of runs does not grow for ever."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG
from pydantic import SecretStr

from assets.common.lineage import staged_key
from pipelines.cli.common import DAGSTER_YAML, prepare_dagster_home
from pipelines.definitions import definitions
from resources.settings import Settings
from schedules import runs
from tests.conftest import free_port, soak
from tests.schedules.conftest import Webhook

PATIENCE = 120
STARTED = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}


def wait_for(what: Any) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found


def mobiville(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).parent / "mobiville"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


LAUNCH = """mutation { launchRun(executionParams: {selector: {
    repositoryLocationName: "mobiville", repositoryName: "__repository__", jobName: "fetch"}})
    { __typename } }"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the server of a run that `mobiville ui` had started was killed, then all its other processes,
    while the run went on.
    """
    folder = tmp_path_factory.mktemp("killed")
    silent = socket.create_server(("127.0.0.1", 0))  # nobody answers there: the run of the job `fetch` lasts
    port = free_port()
    environment = ENVIRONMENT | {"MOBIVILLE_MIRROR": f"http://127.0.0.1:{silent.getsockname()[1]}"}
    ui = mobiville(folder, environment, "ui", "--port", str(port))
    try:
        wait_for(lambda: "LaunchRunSuccess" in asked(port, LAUNCH))
        with dg.DagsterInstance.from_config(str(folder / "var" / "dagster")) as instance:
            (run,) = wait_for(lambda: instance.get_runs(STARTED))
            assert GRPC_INFO_TAG in run.tags
            runs.end_dead_runs(instance, print)
            assert instance.get_runs(STARTED)  # it lives
            _kill_server_of(instance, run)
            runs.end_dead_runs(instance, print)
            assert instance.get_runs(STARTED)  # without its server too
    finally:
        os.killpg(ui.pid, signal.SIGKILL)
        for process in _processes_in(folder):
            os.kill(process, signal.SIGKILL)
    return folder


def _kill_server_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    said = " ".join(event.message for event in instance.all_logs(run.run_id))
    server = psutil.Process(int(re.findall(runs.STARTED_PROCESS, said)[0])).parent()
    assert server
    server.kill()
    server.wait(PATIENCE)


def asked(port: int, query: str) -> str:
    """What the UI's GraphQL answers; nothing while it does not."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return str(response.read())
    except OSError:
        return ""


@pytest.mark.parametrize("by", ["doctor", "refresh", "sensor"])
def test_a_run_of_a_killed_ui_is_ended(by: str, killed: Path, tmp_path: Path, ticks_of: Any) -> None:
    folder = Path(shutil.copytree(killed, tmp_path / "copy"))
    with dg.DagsterInstance.from_config(str(folder / "var" / "dagster")) as instance:
        (run,) = instance.get_runs(STARTED)
        if by == "sensor":
            ticks_of("failure_alert", Settings(warehouse_url=f"sqlite:///{tmp_path}/warehouse.db"), instance)()
        else:
            said = mobiville(folder, ENVIRONMENT, by).communicate(timeout=PATIENCE)[0]
            assert f"run {run.run_id[:8]} was killed before its end, and is noted as failed" in said
        assert instance.get_runs(STARTED) == []
        ended = instance.get_run_by_id(run.run_id)
        assert ended
        assert ended.is_failure


def _processes_in(folder: Path) -> list[int]:
    """The processes that still run in a folder: servers of a killed UI are in other groups."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_queue_that_does_not_move_is_an_incident(
    served: Settings, ticks_of: Any, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = served.model_copy(update={"alert_webhook": SecretStr(webhook.url)})
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", settings, instance)
    tick()
    job = definitions(settings).resolve_job_def("refresh")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    tick()
    assert webhook.posted == []
    monkeypatch.setattr(runs, "LONGEST", timedelta(seconds=-60))
    tick()
    tick()
    (failed,) = webhook.posted
    assert (failed["asset"], failed["state"]) == ("the queue of runs", "failed")
    assert f"run {run.run_id[:8]} of refresh" in failed["error"]
    assert "terminate it" in failed["error"]
    instance.report_run_failed(run)
    tick()
    tick()
    assert [post["state"] for post in webhook.posted if post["asset"] == "the queue of runs"] == ["failed", "over"]


@pytest.mark.parametrize(
    ("there", "forward"),
    [
        ("telemetry:\n  enabled: false\n", True),
        (DAGSTER_YAML.replace("run_monitoring", "#"), True),
        ("", True),
        ("telemetry: {enabled: false}\nconcurrency:\n  runs: {max_concurrent_runs: 1}\n", True),
        ("telemetry: {enabled: false}\nconcurrency:\n  runs: {max_concurrent_runs: 3}\n", False),
    ],
)
def test_the_settings_of_an_earlier_version_are_brought_forward(
    there: str, forward: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(there)
    prepare_dagster_home()
    assert (tmp_path / "dagster.yaml").read_text() == (DAGSTER_YAML if forward else there)
    assert dg.DagsterInstance.from_config(str(tmp_path))


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def nights(served: Settings, home: Path, number: int, keep: int) -> list[int]:
    """The size of Dagster's history after each of some nights, of which each changes a file."""
    home.mkdir()
    (home / "dagster.yaml").write_text(DAGSTER_YAML)
    sizes = []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        job = definitions(served).resolve_job_def("refresh")
        assert job.execute_in_process(instance=instance, asset_selection=[staged_key("departements")]).success
        (first,) = instance.get_run_ids()
        for _ in range(number):
            assert job.execute_in_process(instance=instance, asset_selection=[staged_key("helps")]).success
            runs.delete_old_runs(instance, keep)
            sizes.append(size(home))
        assert first in instance.get_run_ids()  # nothing else says how the departements were made
        assert len(instance.get_run_ids()) == keep + 1
        event = instance.get_latest_materialization_event(staged_key("departements"))
        assert event
        assert event.run_id == first
    return sizes


@pytest.mark.soak
def test_the_history_of_runs_reaches_a_plateau(served: Settings, tmp_path: Path) -> None:
    number, keep = soak(12, 400), soak(3, 50)
    sizes = nights(served, tmp_path / "home", number, keep)
    full = number // 2
    assert max(sizes[full:]) < 1.1 * max(sizes[keep + 2 : full])
