import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from assets.common.staleness import served_release
from pipelines.definitions import definitions
from resources.settings import Settings
from tests.conftest import ROOT, free_port, needed
from tests.pipelines.conftest import Command
from warehouse import tables


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis server of the test's own."""
    program = needed("redis-server", "tools/install_test_programs")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    server.terminate()
    server.wait()


def made(folder: Path) -> dict[str, tuple[int, str]]:
    """Rows and sha256 of each served table of the warehouse in a folder."""
    release = served_release(Settings(warehouse_url=f"sqlite:///{folder}/warehouse.db"))
    return {name: (table.rows, table.sha256) for name, table in release.tables.items()} if release else {}


def test_two_celery_workers_make_the_same_tables_as_one_process(broker: str, tmp_path: Path) -> None:
    in_process, by_celery = tmp_path / "one", tmp_path / "two"
    url = f"sqlite:///{in_process}/warehouse.db"
    settings = Settings(staging=in_process / "staging", warehouse_url=url, exports=in_process / "exports")
    assert definitions(settings).resolve_job_def("refresh").execute_in_process().success
    home = by_celery / "dagster"
    home.mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MOBIVILLE_")} | {
        "DAGSTER_HOME": str(home),
        "MOBIVILLE_EXECUTOR": "celery",
        "MOBIVILLE_CELERY_BROKER": broker,
        "MOBIVILLE_STAGING": str(by_celery / "staging"),
        "MOBIVILLE_WAREHOUSE_URL": f"sqlite:///{by_celery}/warehouse.db",
    }
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    programs = Path(sys.executable).parent
    with ExitStack() as stack:
        for name in ("first", "second"):
            options = ["-Q", "dagster", "-n", f"{name}@%h", "--concurrency", "1", "--prefetch-multiplier", "1"]
            with (tmp_path / f"{name}.log").open("wb") as log:
                command = [str(programs / "celery"), "-A", "pipelines.celery_app", "worker", *options]
                worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
        ran = subprocess.run(
            [programs / "dagster", "job", "execute", "-m", "pipelines.definitions", "-j", "refresh"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert made(by_celery) == made(in_process)
    assert set(made(by_celery)) == {table.name for table in tables.SERVED}
    for name in ("first", "second"):
        assert "STEP_SUCCESS" in (tmp_path / f"{name}.log").read_text(), f"the {name} worker did nothing"
    assert "redis://" not in ran.stderr  # the address may hold a password


@pytest.mark.parametrize("name", ["in_process", "multiprocess", "celery", "k8s"])
def test_each_executor_is_there_and_takes_its_configuration(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBIVILLE_CELERY_BROKER", "redis://127.0.0.1:1/0")
    settings = Settings(executor=name, celery_broker=SecretStr("redis://127.0.0.1:1/0"))
    job = definitions(settings).resolve_job_def("refresh")
    assert job.executor_def.name == name
    dg.validate_run_config(job)


def test_celery_without_a_broker_says_what_to_set(mobiville: Command) -> None:
    failed = mobiville("refresh", executor="celery")
    assert failed.returncode == 1
    assert "MOBIVILLE_CELERY_BROKER: MOBIVILLE_EXECUTOR=celery needs it" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "MOBIVILLE_NIGHTLY_CRON: String should match" in mobiville("config", nightly_cron="at night").stderr
