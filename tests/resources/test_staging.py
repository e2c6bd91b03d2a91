import contextlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from upath import UPath

from assets.common.staleness import served_release, whole
from pipelines.definitions import definitions
from resources.atomic_files import atomic_write
from resources.errors import StagingError
from resources.settings import Settings
from resources.staging import Staging, fit
from warehouse import tables

HELPS = tables.contents_schema(tables.helps)
JOBS = tables.contents_schema(tables.cities_jobs)


def test_columns_that_nothing_fills_are_null_and_the_order_is_the_tables() -> None:
    table = fit(pd.DataFrame({"slug": ["b"], "count_vue": [0], "title": ["a"]}), HELPS, "helps")
    assert table.schema.names == HELPS.names
    assert table["goal"].null_count == 1


def test_a_column_that_the_description_does_not_know_is_refused() -> None:
    with pytest.raises(StagingError, match=r"helps: warehouse/tables\.py has no column titel"):
        fit(pd.DataFrame({"titel": ["a"], "count_vue": [0]}), HELPS, "helps")


def test_a_null_where_none_may_be_is_refused() -> None:
    rows = pd.DataFrame({"insee_code": ["01004", None], "rome_id": ["A1101"] * 2, "number": [1, 2]})
    with pytest.raises(StagingError, match="cities_jobs: 1 rows have no insee_code"):
        fit(rows, JOBS, "cities_jobs")


def test_a_value_of_another_type_is_refused() -> None:
    rows = pd.DataFrame({"insee_code": ["01004"], "rome_id": ["A1101"], "number": ["many"]})
    with pytest.raises(StagingError, match="cities_jobs: .*number"):
        fit(rows, JOBS, "cities_jobs")


def test_no_rows_at_all_make_an_empty_table() -> None:
    assert fit(pd.DataFrame(), JOBS, "cities_jobs").num_rows == 0


def test_a_table_that_is_not_staged_is_named(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="cities is not staged yet: materialize it first"):
        Staging(folder=str(tmp_path)).path("cities")


def test_rejects_that_version_0_1_kept_are_read_under_their_names_of_now(tmp_path: Path) -> None:
    (tmp_path / "rejects").mkdir()
    old = pd.DataFrame({"source": ["helps"], "place": ["record"], "line": ["3"], "fault": [True], "asset": ["helps"]})
    old.to_parquet(tmp_path / "rejects" / "helps.parquet")
    (row,) = Staging(folder=str(tmp_path)).rejects().to_dict("records")
    assert (row["location"], row["line"], row["is_error"]) == ("record", "3", True)
    assert not {"place", "fault"} & set(row)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a folder in an object store: a real S3 server on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    port = server.get_host_and_port()[1]
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    UPath("s3://mobiville").mkdir()
    yield "s3://mobiville/staging"
    server.stop()


def test_the_graph_stages_in_an_object_store_what_it_stages_in_a_folder(bucket: str, tmp_path: Path) -> None:
    found = {}
    for staging in (str(tmp_path / "staging"), bucket):
        warehouse = f"sqlite:///{tmp_path / UPath(staging).protocol}.db"
        settings = Settings(staging=staging, warehouse_url=warehouse, exports=tmp_path / "exports")
        assert definitions(settings).resolve_job_def("refresh").execute_in_process().success
        assert not whole(definitions(settings).resolve_asset_graph(), settings)  # what is staged is known again
        release = served_release(settings)
        assert release
        found[staging] = {name: (table.rows, table.sha256) for name, table in release.tables.items()}
    of_folder, of_bucket = found.values()
    assert of_folder == of_bucket
    assert set(of_bucket) == {table.name for table in tables.SERVED}
    with contextlib.suppress(ZeroDivisionError), atomic_write(UPath(bucket) / "half") as file:
        file.write(b"half" * (1 // 0))
    names = {path.name for path in UPath(bucket).iterdir()}
    assert "half" not in names
    assert "cities.parquet" in names
