"""The lock: kept while its holder works, missed when it is lost, and its holder named and ended."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from tests.warehouse.factories import done, jobs, one_look, regions
from warehouse.database import KEEPALIVE, connect
from warehouse.errors import LockedError
from warehouse.lock import check_lock, holder, only_writer, unlock
from warehouse.release import publish


@contextmanager
def held_by_another_process(url: str) -> Iterator[multiprocessing.process.BaseProcess]:
    def hold() -> None:
        with only_writer(connect(url)):
            time.sleep(60)

    process = multiprocessing.get_context("fork").Process(target=hold)
    process.start()
    yield process
    process.kill()
    process.join()


def test_the_lock_outlives_a_server_that_ends_idle_connections(mariadb_url: str) -> None:
    engine, other = connect(mariadb_url), connect(mariadb_url)
    with other.connect() as connection:
        connection.exec_driver_sql("SET GLOBAL wait_timeout = 1")
    try:
        with only_writer(engine):
            time.sleep(3)
            check_lock(engine)
            assert holder(other) is not None
    finally:
        with other.connect() as connection:
            connection.exec_driver_sql("SET GLOBAL wait_timeout = 28800")
    assert holder(other) is None


def test_nothing_is_swapped_in_without_the_lock(mariadb_url: str, tmp_path: Path) -> None:
    engine, other = connect(mariadb_url), connect(mariadb_url)
    done(engine, jobs(tmp_path, 1), regions(tmp_path, 1))

    def lose_it(message: str) -> None:
        if message.startswith("swapping"):
            found = holder(other)
            assert found
            unlock(other, found[0])

    with pytest.raises(LockedError, match="the lock of the warehouse was lost"):
        publish(engine, [jobs(tmp_path, 2), regions(tmp_path, 2)], progress=lose_it)
    assert one_look(engine) == (3, 1, 1, 1)
    assert done(engine, jobs(tmp_path, 2), regions(tmp_path, 2)).id == 2


def test_a_lock_that_was_lost_before_a_step_is_taken_again(mariadb_url: str, tmp_path: Path) -> None:
    engine, other = connect(mariadb_url), connect(mariadb_url)
    with only_writer(engine):
        found = holder(other)
        assert found
        unlock(other, found[0])
        with pytest.raises(LockedError):
            check_lock(engine)
        assert done(engine, jobs(tmp_path, 1)).id == 1


def test_the_holder_is_named_and_ended(warehouse: Engine, warehouse_url: str) -> None:
    assert holder(warehouse) is None
    with held_by_another_process(warehouse_url) as process:
        while (found := holder(warehouse)) is None:
            time.sleep(0.05)
        assert str(found[0]) in found[1]
        with (
            pytest.raises(LockedError, match=f"{found[1].split(',')[0]}.*mobiville unlock"),
            only_writer(warehouse, wait=False),
        ):
            pass
        unlock(warehouse, found[0])
        if process.pid == found[0]:
            process.join(10)
        with only_writer(warehouse):
            pass


def test_a_holder_that_is_about_to_say_who_it_is_is_waited_for(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/warehouse.db")
    with only_writer(engine):
        pass
    path = tmp_path / "warehouse.db.lock"
    with FileLock(path):
        writing = threading.Timer(0.2, path.write_text, ["process 7 of ana, since today"])
        writing.start()
        assert holder(engine) == (7, "process 7 of ana, since today")


def test_a_server_that_falls_silent_is_given_up(mariadb_url: str) -> None:
    server = connect(mariadb_url).url
    with socket.create_server(("127.0.0.1", 0)) as listening:
        silent = threading.Event()

        def pass_on(source: socket.socket, target: socket.socket) -> None:
            while data := source.recv(65536):
                if not silent.is_set():
                    target.sendall(data)

        def accept() -> None:
            client, _ = listening.accept()
            behind = socket.create_connection((str(server.host), int(server.port or 0)))
            for ends in ((client, behind), (behind, client)):
                threading.Thread(target=pass_on, args=ends, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        through = server.set(port=listening.getsockname()[1]).update_query_dict({"read_timeout": "1"})
        engine = connect(through.render_as_string(hide_password=False))
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
            silent.set()
            began = time.monotonic()
            with pytest.raises(OperationalError, match="timed out"):
                connection.exec_driver_sql("SELECT 1")
        assert time.monotonic() - began < 10


def test_connections_are_probed_and_may_not_be_silent_for_ever(mariadb_url: str) -> None:
    with connect(mariadb_url).connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        for name, value in KEEPALIVE.items():
            assert raw._sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
        assert raw._sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert raw._read_timeout
        assert raw._write_timeout
