import threading
import time
from pathlib import Path

import dagster as dg
import pytest
import requests
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

import raw_data
from pipelines.definitions import definitions
from resources import retries
from resources.errors import SourceError
from resources.settings import Settings
from tests.conftest import PrivateServer, free_port, mariadb_programs
from warehouse.errors import WarehouseError


def test_a_transient_error_is_retried_with_doubled_waits() -> None:
    with pytest.raises(OperationalError) as away:
        create_engine(f"mariadb+pymysql://root@127.0.0.1:{free_port()}/none").connect()
    with pytest.raises(requests.ConnectionError) as unreachable:
        requests.get(f"http://127.0.0.1:{free_port()}", timeout=1)
    for error in (away.value, unreachable.value):
        waits = []
        for attempt in range(retries.RETRIES):
            with pytest.raises(dg.RetryRequested) as asked, retries.with_retries(attempt):
                raise WarehouseError("the step failed") from error
            waits.append(asked.value.seconds_to_wait)
        assert waits == [3, 6, 12, 24, 48]
        with (
            pytest.raises(WarehouseError),
            retries.with_retries(retries.RETRIES),
        ):  # the last one raises its own error
            raise WarehouseError("the step failed") from error


WRONG = OperationalError("SELECT", {}, Exception(1064, "syntax"))


@pytest.mark.parametrize("error", [SourceError("a bad file"), WRONG])
def test_a_lasting_error_is_not_retried(error: Exception) -> None:
    with pytest.raises(type(error)), retries.with_retries(0):
        raise error


def test_a_release_waits_for_a_database_that_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 1)
    server = PrivateServer(tmp_path, *mariadb_programs())
    engine = create_engine(server.start())
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE mobiville")
    server.process.kill()
    server.process.wait()
    settings = Settings(
        raw_data=raw_data.SAMPLE,
        staging=tmp_path / "staging",
        warehouse_url=f"{server.url}/mobiville",
        exports=tmp_path / "exports",
    )
    job, instance = definitions(settings).resolve_job_def("refresh"), dg.DagsterInstance.ephemeral()

    def run(*names: str) -> dg.ExecuteInProcessResult:
        keys = [dg.AssetKey(name.split("/")) for name in names]
        return job.execute_in_process(instance=instance, asset_selection=keys, raise_on_error=False)

    assert run("staged/departements").success  # staged while the database is away
    threading.Timer(1.5, server.start).start()
    started = time.monotonic()
    result = run("warehouse/departements")
    assert result.success
    assert [event for event in result.all_events if event.is_step_up_for_retry]
    assert time.monotonic() - started < 60
    server.process.terminate()
    server.process.wait()
    engine.dispose()
