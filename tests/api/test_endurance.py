"""The API over a long time: without its database, and through many releases."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, make_url

from tests.api.releases import publish_release
from tests.api.server import SEEN_SECONDS, Client, Load, Server, serves, within
from tests.conftest import PrivateServer, mariadb_programs, soak
from warehouse.database import connect

Serve = Callable[..., Server]

AWAY_SECONDS = soak(12, 1_200)
PAUSE = 0.02
REQUESTS, SWAPS = soak(1_200, 50_000), soak(3, 30)
GROWTH = 10_000_000
"""Bytes by which the process may be larger at the end than it was after a third of the swaps."""


@pytest.mark.soak
def test_a_database_that_goes_away_fails_no_request_and_comes_back_by_itself(serve: Serve, tmp_path: Path) -> None:
    programs = mariadb_programs()
    with tempfile.TemporaryDirectory(prefix="mobiville-mariadb-") as place:
        database = PrivateServer(Path(place), *programs)
        url = make_url(database.start()).set(database="mobiville").render_as_string(hide_password=False)
        try:
            engine = create_engine(database.url)
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE DATABASE mobiville CHARACTER SET utf8mb4")
            engine.dispose()
            engine = connect(url)
            publish_release(engine, tmp_path, 1)
            server = serve(url)
            client, load = Client(server), Load(server, clients=3, pause=PAUSE)
            database.process.kill()
            database.process.wait()
            within(SEEN_SECONDS, lambda: client.ask("GET", "/health")[1]["database"] == "away")
            status, found, headers = client.ask("POST", "/cities/search", {"codeRome": "A1101"})
            assert (status, found["total"], headers["x-database"]) == (200, 40, "away")
            assert client.ask("GET", "/health")[0] == 200
            time.sleep(AWAY_SECONDS)
            other = serve(url)
            status, found, headers = Client(other).ask("GET", "/health")
            assert (status, found["status"], headers["retry-after"]) == (503, "database away", "5")
            database.start()
            within(SEEN_SECONDS, lambda: Client(server).ask("GET", "/health")[1]["database"] == "ok")
            within(SEEN_SECONDS, lambda: Client(other).ask("GET", "/ogrs")[0] == 200)
            assert "x-database" not in Client(server).ask("GET", "/release")[2]
            publish_release(engine, tmp_path, 2)
            engine.dispose()
            within(SEEN_SECONDS, lambda: Client(server).ask("GET", "/release")[1]["id"] == 2)
            load.end()
            assert load.statuses.keys() == {200}
            assert load.statuses[200] > AWAY_SECONDS / PAUSE
            assert (load.mixed, load.closed) == ([], 0)
            assert "Traceback" not in server.log.read_text("utf-8")
        finally:
            database.process.terminate()
            database.process.wait()


@pytest.mark.soak
def test_requests_and_swaps_leave_nothing_behind(serve: Serve, warehouse_url: str, tmp_path: Path) -> None:
    engine = connect(warehouse_url)
    publish_release(engine, tmp_path, 1)
    server = serve(warehouse_url)
    process, sizes = psutil.Process(server.process.pid), []
    for number in range(2, SWAPS + 2):
        load = Load(server, clients=4)
        publish_release(engine, tmp_path, number)
        within(SEEN_SECONDS, partial(serves, Client(server), number))
        within(600, partial(_has_asked, load, REQUESTS // SWAPS))
        load.end()
        assert load.statuses.keys() == {200}
        assert (load.mixed, load.closed) == ([], 0)
        sizes.append(process.memory_info().rss)
    engine.dispose()
    warm = len(sizes) // 3
    print(f"{REQUESTS} requests and {SWAPS} swaps: {sizes[0]:,} bytes, then {sizes[warm]:,}, at the end {sizes[-1]:,}")
    assert sizes[-1] - sizes[warm] < GROWTH


def _has_asked(load: Load, requests: int) -> bool:
    assert load.closed == 0
    return load.statuses[200] >= requests
