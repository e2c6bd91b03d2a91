"""A run of the UI or of a schedule does not publish the invented sample to those who ask MariaDB."""

from pathlib import Path

import dagster as dg

from pipelines.definitions import definitions
from resources.settings import Settings
from warehouse.database import connect
from warehouse.release import current_release


def test_no_run_publishes_the_sample_to_mariadb_unless_it_is_asked_to(tmp_path: Path, mariadb_url: str) -> None:
    settings = Settings(staging=tmp_path / "staging", warehouse_url=mariadb_url, exports=tmp_path / "exports")
    job, instance = definitions(settings).resolve_job_def("refresh"), dg.DagsterInstance.ephemeral()
    refused = job.execute_in_process(instance=instance, raise_on_error=False)
    (failed,) = [event for event in refused.all_events if event.is_step_failure]
    assert failed.step_key == "warehouse"
    assert "`sample: true` for a run of the UI" in str(failed.step_failure_data.error)
    assert current_release(connect(mariadb_url)) is None
    keys = [key for key in job.asset_layer.executable_asset_keys if key.path[0] == "warehouse"]
    assert job.execute_in_process(instance=instance, asset_selection=keys, run_config={"sample": True}).success
    assert current_release(connect(mariadb_url))
