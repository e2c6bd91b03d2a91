import bz2
import hashlib
import json
import multiprocessing
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.conftest import soak
from tests.warehouse.factories import contents, done, jobs, one_look, regions
from warehouse import tables
from warehouse.backup import backup, restore, verify
from warehouse.database import connect
from warehouse.errors import WarehouseError
from warehouse.release import current_release, history, rollback

KILLS = soak(12, 100)


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


def tampered(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change what a backup holds, and its manifest so that it says the same."""
    file.write_bytes(bz2.compress(change(bz2.decompress(file.read_bytes()))))
    manifest = file.with_name(f"{file.name}.json")
    fields = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(fields | {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}))


@pytest.mark.parametrize(
    "planted",
    [
        "\\! touch {folder}/planted",
        "USE {live}; DROP TABLE cities_jobs;",
        "DROP TABLE IF EXISTS `{live}`.`cities_jobs`;",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE `new_regions` (`name`);",
        "/*!40101 SET @a=1 */; DROP DATABASE {live};",
        "/*M!100101 DROP DATABASE {live} */;",
        "/*!40101 SET GLOBAL x=1 */ ;;",
        "SELECT 1 INTO OUTFILE '/tmp/x';",
        "INSERT INTO `new_regions` VALUES\n(9,9,LOAD_FILE('/etc/passwd'),'',0);",
        "INSERT INTO `new_regions` VALUES\n(9,9,'a','',0); DROP DATABASE {live};",
        "INSERT INTO `new_regions` SELECT 9,9,'a','',0;",
        "INSERT INTO `helps` VALUES\n(1);",
        "DROP TABLE IF EXISTS `new_regions`; DROP DATABASE {live};",
        "CREATE TABLE `new_regions` (`id` int) ENGINE=CONNECT DATA DIRECTORY='/etc';",
        "CREATE TABLE `new_regions` (\n  `id` int(11) DEFAULT sleep(9)\n);",
        "INSERT INTO `new_regions` VALUES\n(9,9,'a",
        "delimiter //",
    ],
)
def test_nothing_is_run_of_a_dump_that_holds_anything_else(mariadb_url: str, tmp_path: Path, planted: str) -> None:
    engine = connect(mariadb_url)
    (tmp_path / "new").mkdir()
    done(engine, jobs(tmp_path / "new", 1), regions(tmp_path / "new", 1))
    file = backup(engine, tmp_path / "backups", keep=7)
    text = planted.format(folder=tmp_path, live=engine.url.database).encode()
    tampered(file, lambda dump: dump + b"\n" + text + b"\n")
    with engine.connect() as connection:
        before = connection.exec_driver_sql("SHOW DATABASES").all()
        for work in (verify, lambda *arguments: restore(*arguments, keep=1)):
            with pytest.raises(WarehouseError, match=r"line \d+: .*It is refused"):
                work(engine, file)
        assert connection.exec_driver_sql("SHOW DATABASES").all() == before
    assert not (tmp_path / "planted").exists()
    assert one_look(engine) == (3, 1, 1, 1)
    engine.dispose()


def test_a_backup_of_another_database_is_refused_by_name(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1), regions(tmp_path, 1))
    file = backup(warehouse, tmp_path / "backups", keep=7)
    manifest = file.with_name(f"{file.name}.json")
    fields = json.loads(manifest.read_text())
    fields["tables"]["accounts"] = fields["tables"].pop("cities_jobs")
    manifest.write_text(json.dumps(fields))
    with pytest.raises(WarehouseError, match="accounts is no table of a warehouse. It is refused"):
        restored(warehouse, file)


def test_a_copy_with_a_trigger_or_another_table_is_refused_by_name(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'warehouse.db'}")
    (tmp_path / "new").mkdir()
    done(engine, jobs(tmp_path / "new", 1))
    file = backup(engine, tmp_path / "backups", keep=7)
    for planted in (
        "CREATE TABLE accounts (a)",
        "CREATE TRIGGER t AFTER INSERT ON releases BEGIN DELETE FROM cities_jobs; END",
    ):
        copy = tmp_path / "copy.db"
        copy.write_bytes(bz2.decompress(file.read_bytes()))
        with closing(sqlite3.connect(copy)) as database:
            database.execute(planted)
        tampered(file, lambda _, copy=copy: copy.read_bytes())  # type: ignore[misc]
        with pytest.raises(WarehouseError, match=r"(table accounts|trigger t) is none of this backup. It is refused"):
            restored(engine, file)
    tampered(file, lambda _: b"no database")
    with pytest.raises(WarehouseError, match="is no copy of a SQLite database"):
        restored(engine, file)
    engine.dispose()


def test_a_compressed_file_that_is_cut_says_so(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1))
    file = backup(warehouse, tmp_path / "backups", keep=7)
    tampered(file, lambda content: content)
    file.write_bytes(file.read_bytes()[:-20])
    manifest = file.with_name(f"{file.name}.json")
    fields = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(fields | {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}))
    with pytest.raises(WarehouseError, match="is cut or broken: .*take another backup"):
        verify(warehouse, file)


def test_every_value_that_a_table_may_hold_comes_back(warehouse: Engine, tmp_path: Path) -> None:
    odd = ["'", '"', "\\", "\\'", "a\nb\tc\r", "');DROP", "é😀", "`", "/* */ -- #", "%s", "\x00\x1a", "", " "]
    rows = [{"title": value, "description": value, "count_vue": n} for n, value in enumerate(odd)]
    done(warehouse, contents(tmp_path, tables.helps, rows), regions(tmp_path, 1), jobs(tmp_path, 1))
    file = backup(warehouse, tmp_path / "backups", keep=7)
    verify(warehouse, file)
    done(warehouse, contents(tmp_path, tables.helps, rows[:1]))
    restored(warehouse, file)
    with warehouse.connect() as connection:
        found = connection.exec_driver_sql("SELECT title FROM helps ORDER BY id").scalars().all()
    assert found == odd


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
@pytest.mark.soak
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
