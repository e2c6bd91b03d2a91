"""Killed at any moment, or published over and over: what readers see stays whole."""

import multiprocessing
import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from tests.conftest import PrivateServer, mariadb_programs, soak
from tests.warehouse.factories import done, jobs, one_look, regions
from warehouse.database import connect
from warehouse.errors import WarehouseError
from warehouse.release import TableVersion, current_release, history

KILLS = soak(24, 300)
RELEASES = soak(60, 2_000)
ROWS = 50


def both(folder: Path) -> list[list[TableVersion]]:
    return [[jobs(folder, n, rows=ROWS), regions(folder, n)] for n in (1, 2)]


def publish_for_ever(url: str, new: list[list[TableVersion]]) -> None:
    engine = connect(url)
    while True:
        for contents in new:
            done(engine, *contents)


@pytest.mark.soak
def test_killed_at_any_moment_the_served_release_is_whole(
    warehouse: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    new, rng = both(tmp_path), random.Random(3)
    done(warehouse, *new[1])
    started = time.monotonic()
    done(warehouse, *new[0])
    took = time.monotonic() - started
    warehouse.dispose()
    context, seen = multiprocessing.get_context("fork"), set()
    for _ in range(KILLS):
        process = context.Process(target=publish_for_ever, args=(warehouse_url, new))
        process.start()
        time.sleep(rng.uniform(0.1, 4) * took)
        process.kill()
        process.join()
        look = one_look(warehouse)
        assert look in {(ROWS, 1, 1, 1), (ROWS, 2, 2, 2)}
        seen.add(look)
        assert set(history(warehouse, limit=1)[0].tables) == {"cities_jobs", "new_regions"}
    assert len(seen) == 2  # the kills were spread over releases that did happen
    last = one_look(warehouse)
    assert done(warehouse, *new[last[1] % 2]).id == history(warehouse)[0].id
    assert one_look(warehouse) != last


@pytest.mark.soak
def test_readers_of_many_releases_see_no_error_and_no_mixture(
    warehouse: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    new = both(tmp_path)
    done(warehouse, *new[0])
    stop, looks, errors = threading.Event(), [0, 0], list[Exception]()

    def read() -> None:
        reader = connect(warehouse_url)
        while not stop.is_set():
            try:
                look = one_look(reader)
                assert look in {(ROWS, 1, 1, 1), (ROWS, 2, 2, 2)}, look
                looks[look[1] - 1] += 1
            except Exception as error:
                errors.append(error)
        reader.dispose()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, RELEASES):
        done(warehouse, *new[number % 2])
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert min(looks) > 0
    assert history(warehouse, limit=1)[0].id == RELEASES


def publish_in_turn(engine: Engine, *contents: TableVersion) -> None:
    for _ in range(20):
        for content in contents:
            done(engine, content)


def test_a_full_disk_is_said_and_leaves_what_is_served(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'w.db'}")
    (tmp_path / "new").mkdir()
    first = done(engine, jobs(tmp_path / "new", 1))
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages + 4}"))
    engine.dispose()
    with pytest.raises(WarehouseError, match=r"disk of .*w\.db is full .*make room"):
        done(engine, jobs(tmp_path / "new", 2, rows=20_000))
    assert current_release(engine) == first
    engine.dispose()
    assert done(connect(f"sqlite:///{tmp_path / 'w.db'}"), jobs(tmp_path / "new", 3)).id == 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 300 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system may not be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_of_the_server_is_said_and_leaves_what_is_served(small_disk: Path, tmp_path: Path) -> None:
    server = PrivateServer(small_disk, *mariadb_programs())
    url = server.start()
    with connect(f"{url}/mysql").begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE mobiville")
    engine = connect(f"{url}/mobiville")
    new = tmp_path / "new"
    new.mkdir()
    first = done(engine, jobs(new, 1))
    large = jobs(new, 2, rows=300_000)
    (small_disk / "other").write_bytes(bytes(shutil.disk_usage(small_disk).free - 5_000_000))
    with pytest.raises(WarehouseError, match=r"disk of the database server is full .*make room"):
        done(engine, large)
    assert current_release(engine) == first
    assert one_count(engine) == first.tables["cities_jobs"].rows
    (small_disk / "other").unlink()
    assert done(engine, large).id == 2
    engine.dispose()
    server.process.terminate()
    server.process.wait()


def one_count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT COUNT(*) FROM cities_jobs").scalar_one())


def test_a_server_that_goes_away_in_the_middle_serves_the_same_when_it_is_back(tmp_path: Path) -> None:
    server = PrivateServer(tmp_path, *mariadb_programs())
    url = server.start()
    root = connect(f"{url}/mysql")
    with root.begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE mobiville")
    engine = connect(f"{url}/mobiville")
    (tmp_path / "new").mkdir()
    first = done(engine, jobs(tmp_path / "new", 1))
    large = jobs(tmp_path / "new", 2, rows=300_000)
    killer = threading.Timer(0.4, server.process.kill)
    killer.start()
    with pytest.raises(OperationalError):
        publish_in_turn(engine, large, jobs(tmp_path / "new", 1, rows=300_000))
    killer.join()
    server.process.wait()
    server.start()
    now = current_release(engine)
    assert now is not None
    assert now.id >= first.id
    assert one_count(engine) == now.tables["cities_jobs"].rows
    assert done(engine, jobs(tmp_path / "new", 3)).id == now.id + 1
    server.process.terminate()
    server.process.wait()


def test_a_connection_lost_at_the_swap_changes_nothing(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)
    first = done(engine, jobs(tmp_path, 1))
    lost: list[Exception] = []

    def publish_it() -> None:
        try:
            done(engine, jobs(tmp_path, 2))
        except OperationalError as error:
            lost.append(error)

    with engine.begin() as reader, connect(mariadb_url).connect() as other:
        reader.exec_driver_sql("SELECT * FROM cities_jobs").all()
        writer = threading.Thread(target=publish_it)
        writer.start()
        number = None
        while number is None:
            number = other.exec_driver_sql(
                "SELECT id FROM information_schema.processlist WHERE info LIKE 'RENAME TABLE%%'"
            ).scalar_one_or_none()
        other.exec_driver_sql(f"KILL {number}")
        writer.join()
    assert len(lost) == 1
    assert current_release(engine) == first
    assert done(engine, jobs(tmp_path, 2)).id == 2
