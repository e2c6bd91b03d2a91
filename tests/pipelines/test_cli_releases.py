"""Going back, and coming back after all is lost."""

import json
from pathlib import Path

from sqlalchemy import Engine, inspect

from tests.pipelines.conftest import Command, changed, served
from warehouse import tables
from warehouse.database import connect


def test_one_goes_back_and_sees_what_changed(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    files = str(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    before = served(tmp_path)
    changed(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    assert served(tmp_path) != before
    differs = json.loads(mobiville("diff", "1", "2", "--json").stdout)
    assert {kind: change["rows"] for kind, change in differs.pop("helps").items()} == {
        "added": 0,
        "removed": 0,
        "changed": 1,
    }
    assert differs == {}
    assert "1 changed" in mobiville("diff", "1", "2").stdout
    assert mobiville("rollback").returncode == 0
    assert served(tmp_path) == before
    assert [r["status"] for r in json.loads(mobiville("releases", "--json").stdout)][:2] == ["rollback", "published"]
    failed = mobiville("rollback", "--to", "77")
    assert failed.returncode == 1
    assert "there is no release 77 to go back to; with other contents: 2" in failed.stderr
    assert "there is no release 9; there are 1, 2, 3" in mobiville("diff", "1", "9").stderr


def test_a_backup_is_verified_and_restored_after_all_is_lost(mobiville: Command, warehouse_url: str) -> None:
    assert mobiville("refresh", "--sample", warehouse_url=warehouse_url).returncode == 0
    assert mobiville("migrate", warehouse_url=warehouse_url).returncode == 0
    engine = connect(warehouse_url)
    before = {table.name: _rows(engine, table.name) for table in tables.SERVED}
    made = mobiville("backup", warehouse_url=warehouse_url)
    assert made.returncode == 0, made.stderr
    file = made.stdout.splitlines()[-1]
    verified = mobiville("verify", file, warehouse_url=warehouse_url)
    assert verified.returncode == 0, verified.stderr
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW socialhousings")
        for name in inspect(connection).get_table_names():
            connection.exec_driver_sql(f"DROP TABLE {name}")
    restored = mobiville("restore", file, warehouse_url=warehouse_url)
    assert restored.returncode == 0, restored.stderr
    assert {table.name: _rows(engine, table.name) for table in tables.SERVED} == before
    missing = mobiville("restore", "nothing.sql.bz2", warehouse_url=warehouse_url)
    assert missing.returncode == 1
    assert "is not there: a backup is two files" in missing.stderr
    engine.dispose()


def _rows(engine: Engine, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")]
