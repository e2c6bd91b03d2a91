"""The API as the process that runs in production: its start, its memory, and what happens to it."""

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, make_url

from api.database import STATEMENT_SECONDS, Database
from api.protocol import REQUEST_SECONDS
from tests.api.releases import publish_release
from tests.api.server import SEEN_SECONDS, Client, Load, Server, serves, within
from warehouse.database import connect

Serve = Callable[..., Server]

NEVER = ("assets", "dagster", "pandas", "great_expectations", "pyarrow", "scipy", "matplotlib")


def test_it_imports_nothing_of_the_etl() -> None:
    look = (
        "import sys, api.app; api.app.create_app('sqlite:///none.db'); print(*{m.split('.')[0] for m in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert "fastapi" in loaded
    assert not set(NEVER) & set(loaded)


def test_it_startsserves_stays_small_and_ends_gracefully(serve: Serve, api_url: str) -> None:
    """With all that it stands on; `make bench` says how much it is on the real files."""
    server = serve(api_url)
    client = Client(server)
    for method, path, body in (
        ("GET", "/cities/criterions", None),
        ("GET", "/ogrs", None),
        ("POST", "/cities/search", {"codeRome": ["D1102"]}),
        ("POST", "/cities/search-by-skill", {"label": "boulang"}),
    ):
        assert client.ask(method, path, body)[0] == 200
    assert psutil.Process(server.process.pid).memory_info().rss < 150_000_000
    assert server.stop() in (0, -signal.SIGTERM)
    assert "Application shutdown complete" in server.log.read_text("utf-8")
    assert "Traceback" not in server.log.read_text("utf-8")


def test_several_workers_add_up_their_measures(serve: Serve, api_url: str) -> None:
    server = serve(api_url, "--workers", "2")
    for _ in range(20):
        assert Client(server).ask("GET", "/release")[0] == 200
    lines = Client(server).ask("GET", "/metrics")[1].decode().splitlines()
    counted = [line for line in lines if line.startswith("mobiville_api_requests_total") and 'route="/release"' in line]
    assert float(counted[0].split()[-1]) == 20


def test_the_account_that_only_reads_is_enough(serve: Serve, api_url: str, mariadb_server: str) -> None:
    if not api_url.startswith("mariadb"):
        server = serve(api_url)
        assert Client(server).ask("GET", "/cities/load/29019")[0] == 200
        return
    name = make_url(api_url).database
    engine = create_engine(mariadb_server)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE USER 'only_reads'@'%%' IDENTIFIED BY 'secret-9'")
        connection.exec_driver_sql(f"GRANT SELECT ON {name}.* TO 'only_reads'@'%%'")
    url = make_url(api_url).set(username="only_reads", password="secret-9").render_as_string(hide_password=False)
    server = serve(url)
    assert Client(server).ask("GET", "/cities/load/29019")[0] == 200
    assert "secret-9" not in server.log.read_text("utf-8")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP USER 'only_reads'@'%%'")
    engine.dispose()


RAW = [
    b"GET /cities/load/%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /helps/get-previews/%ed%a0%80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /cities/load/29019?%ff=%00&a[]=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%00/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /docs-files/..%2f..%2fapi%2fapp.py HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://elsewhere/release HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /release HTTP/1.0\r\n\r\n",
    b'GET /release HTTP/1.1\r\nHost: x\r\nIf-None-Match: \xff\xfe, W/, "\r\n\r\n',
    b"GET /release HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=x;;,,;q=0\r\nX-Request-ID: \xe9\r\n\r\n",
    b"BREW /release HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /cities/search HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /cities/search HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST /cities/search HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /cities/search HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /cities/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=utf-16\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    b"GET /release HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
    b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
]


def test_what_is_hardly_http_is_answered_or_refused(serve: Serve, sample_in_sqlite: str) -> None:
    server = serve(sample_in_sqlite)
    statuses = {data: _raw(server, data) for data in RAW}
    assert {data: status for data, status in statuses.items() if not 200 <= status < 500} == {}
    assert Client(server).ask("GET", "/health")[0] == 200
    assert "Traceback" not in server.log.read_text("utf-8")


SLOW = [
    b"",
    b"GET /release HTTP/1.1\r\nHost: x\r\nX-More",
    b"POST /cities/search HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    b"GET /release HTTP/1.1\r\nHost: x\r\n\r\nGET /rel",
]


def test_who_does_not_send_a_request_is_cut_off(serve: Serve, sample_in_sqlite: str) -> None:
    server = serve(sample_in_sqlite)
    started = time.monotonic()
    sockets = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in SLOW]
    for connection, data in zip(sockets, SLOW, strict=True):
        connection.sendall(data)
    for connection in sockets:
        with connection, contextlib.suppress(ConnectionError):
            while connection.recv(65_536):  # fails after its 30 seconds, if nobody closes it
                pass
    assert time.monotonic() - started > REQUEST_SECONDS / 2
    assert Client(server).ask("GET", "/health")[0] == 200


@pytest.mark.parametrize("size", [100, 40_000, 200_000])
def test_large_heads_are_refused(serve: Serve, sample_in_sqlite: str, size: int) -> None:
    server = serve(sample_in_sqlite)
    line, lines = b"X-Long: " + b"a" * size, b"\r\n".join(b"X-%d: aaaaaaaa" % n for n in range(size // 10))
    for head in (line, lines, line + b"\r\n" + lines):
        start = b"GET /release HTTP/1.1\r\nHost: x\r\n"
        assert _raw(server, start + head + b"\r\n\r\n") == (200 if size == 100 else 400)
    assert _raw(server, b"GET /release HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 200_000) == 400  # it never ends


def test_a_kept_connection_may_pause(serve: Serve, sample_in_sqlite: str) -> None:
    client = Client(serve(sample_in_sqlite))
    for _ in range(3):
        assert client.ask("POST", "/cities/search", {"codeRome": ["D1102"]})[0] == 200
        time.sleep(4)


def _raw(server: Server, data: bytes) -> int:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        return int(connection.recv(65_536).split(b" ", 2)[1])


def test_no_answer_mixes_two_releases_and_none_fails(serve: Serve, warehouse_url: str, tmp_path: Path) -> None:
    """Releases swap under load: each answer is of one release, and the newest is seen soon."""
    engine = connect(warehouse_url)
    publish_release(engine, tmp_path, 1)
    server = serve(warehouse_url)
    load, client = Load(server, clients=4), Client(server)
    swaps = 4
    for number in range(2, swaps + 1):
        publish_release(engine, tmp_path, number)
        within(SEEN_SECONDS, partial(serves, client, number))
    load.end()
    engine.dispose()
    assert (load.mixed, load.closed) == ([], 0)
    assert load.statuses.keys() == {200}, [
        line for line in server.log.read_text("utf-8").splitlines() if "error" in line
    ]
    assert load.statuses[200] > 100
    assert load.seen == {str(number) for number in range(1, swaps + 1)}


def test_the_first_release_is_seen_without_a_restart(serve: Serve, warehouse_url: str, tmp_path: Path) -> None:
    server = serve(warehouse_url)
    assert Client(server).ask("GET", "/ogrs")[0] == 503
    engine = connect(warehouse_url)
    publish_release(engine, tmp_path, 1)
    engine.dispose()
    within(SEEN_SECONDS, lambda: Client(server).ask("GET", "/ogrs")[0] == 200)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_told_to_end_it_answers_what_it_has_been_asked(serve: Serve, sample_in_sqlite: str) -> None:
    server = serve(sample_in_sqlite)
    asked = [{"onlySearchInTension": False, "index": n} for n in range(400)]
    answered: list[int] = []

    def ask() -> None:
        client = Client(server)
        for body in asked:
            try:
                answered.append(client.ask("POST", "/cities/search", body)[0])
            except ConnectionError:
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    server.stop()
    for thread in threads:
        thread.join()
    assert set(answered) == {200}
    assert len(answered) < 4 * len(asked)
    assert "Application shutdown complete" in server.log.read_text("utf-8")


def test_a_statement_that_takes_too_long_is_ended(mariadb_server: str) -> None:
    database = Database(f"{mariadb_server}/mysql")
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT @@max_statement_time").scalar_one() == STATEMENT_SECONDS
    database.close()
