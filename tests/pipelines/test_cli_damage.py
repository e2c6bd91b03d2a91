"""What was altered behind the back of the product is noticed and repaired."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import create_engine

from tests.pipelines.conftest import Command, served


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
