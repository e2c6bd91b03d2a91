import bz2
import json
import multiprocessing
import random
import time
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.warehouse.making import done, jobs, one_look, regions
from warehouse.backup import backup, restore, verify
from warehouse.database import connect
from warehouse.errors import WarehouseError
from warehouse.release import current_release, history, rollback

KILLS = 12


def restored(engine: Engine, file: Path) -> None:
    restore(engine, file, keep=1)


def test_a_restored_release_is_a_release_of_its_own_and_can_be_undone(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1), regions(tmp_path, 1))
    file = backup(warehouse, tmp_path / "backups", keep=7)
    verify(warehouse, file)
    done(warehouse, jobs(tmp_path, 2), regions(tmp_path, 2))
    restored(warehouse, file)
    assert one_look(warehouse) == (3, 1, 1, 1)
    assert [release.status for release in history(warehouse)] == ["restore", "published", "published"]
    rollback(warehouse, None, keep=1)
    assert one_look(warehouse) == (3, 2, 2, 2)


def test_a_backup_also_stands_for_its_weekday_and_quarter_and_old_ones_go(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1))
    folder = tmp_path / "backups"
    for day in (2, 3, 4):
        backup(warehouse, folder, keep=2, at=datetime(2026, 11, day, 1))
    names = {path.name.split(".")[0] for path in folder.iterdir()}
    assert names == {
        *("mobiville-20261103-010000-r1", "mobiville-20261104-010000-r1", "mobiville-2026-Q4"),
        *("mobiville-monday", "mobiville-tuesday", "mobiville-wednesday"),
    }


def test_an_altered_or_cut_file_is_refused_with_both_sums(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1), regions(tmp_path, 1))
    file = backup(warehouse, tmp_path / "backups", keep=7)
    whole = file.read_bytes()
    for broken in (whole[:-10], whole[:50] + b"x" + whole[51:], b""):
        file.write_bytes(broken)
        with pytest.raises(WarehouseError, match=r"expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}"):
            restored(warehouse, file)
    file.write_bytes(whole)
    manifest = file.with_name(f"{file.name}.json")
    fields = json.loads(manifest.read_text())
    fields["tables"]["cities_jobs"]["rows"] = 4
    manifest.write_text(json.dumps(fields))
    with pytest.raises(WarehouseError, match="does not give what was backed up: cities_jobs: expected"):
        verify(warehouse, file)
    assert one_look(warehouse) == (3, 1, 1, 1)


def test_there_is_nothing_to_back_up_before_the_first_release(warehouse: Engine, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no release is served"):
        backup(warehouse, tmp_path, keep=7)


def test_a_dump_shows_no_password(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)
    done(engine, jobs(tmp_path, 1))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE USER 'dumper'@'%%' IDENTIFIED BY 'hunter2 #\"'")
        connection.exec_driver_sql("GRANT ALL ON *.* TO 'dumper'@'%%'")
    said: list[str] = []
    account = connect(engine.url.set(username="dumper", password='hunter2 #"').render_as_string(hide_password=False))
    file = backup(account, tmp_path / "backups", keep=1, progress=said.append)
    assert "hunter2" not in "".join(said) + bz2.decompress(file.read_bytes()).decode()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP USER 'dumper'@'%%'")


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_killed_at_any_moment_what_is_served_stays_whole(
    warehouse: Engine, warehouse_url: str, tmp_path: Path, what: str
) -> None:
    done(warehouse, jobs(tmp_path, 1), regions(tmp_path, 1))
    file = backup(warehouse, tmp_path / "first", keep=1)
    warehouse.dispose()

    def work() -> None:
        engine = connect(warehouse_url)
        while True:
            if what == "backup":
                backup(engine, tmp_path / "more", keep=2)
            else:
                restored(engine, file)

    rng = random.Random(5)
    for _ in range(KILLS):
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        time.sleep(rng.uniform(0.02, 0.6))
        process.kill()
        process.join()
        assert one_look(warehouse) == (3, 1, 1, 1)
    number = current_release(warehouse)
    restored(warehouse, file)
    verify(warehouse, backup(warehouse, tmp_path / "more", keep=2))
    assert number is not None
    assert history(warehouse)[0].id == number.id + 1
