"""The API as the process that runs in production: its start, its memory, and what happens to it."""

import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from api.database import STATEMENT_SECONDS, Database
from tests.api.server import Client, Server
from tests.conftest import PrivateServer, mariadb_programs
from tests.warehouse.factories import contents, done
from warehouse import tables
from warehouse.database import connect

Serve = Callable[..., Server]

NEVER = ("assets", "dagster", "pandas", "numpy", "great_expectations", "pyarrow", "scipy", "matplotlib")


def test_it_imports_nothing_of_the_etl() -> None:
    look = (
        "import sys, api.app; api.app.create_app('sqlite:///none.db'); print(*{m.split('.')[0] for m in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert "fastapi" in loaded
    assert not set(NEVER) & set(loaded)


def test_it_starts_serves_stays_small_and_ends_gracefully(serve: Serve, api_url: str) -> None:
    """The limits are 2 s and 150 MB; the second is held on the real files by `make bench`."""
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


def _raw(server: Server, data: bytes) -> int:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        return int(connection.recv(65_536).split(b" ", 2)[1])


def _release(engine: Engine, folder: Path, number: int) -> None:
    """A small release in which everything says which release it is."""
    cities = [
        {"insee_com": f"{n:05}", "nom_comm": f"CITY-{n}", "new_code_region": 53, "total_social_housing": number}
        | {"population": float(n), "geo_point_2d_x": 48.0, "geo_point_2d_y": 2.0}
        for n in range(1001, 1041)
    ]
    insees = [city["insee_com"] for city in cities]
    jobs = [{"insee_code": insee, "rome_id": "A1101", "number": number} for insee in insees]
    region = f'[{{"id": "{number}", "label": "x", "romes": {{}}}}]'
    new = [
        contents(folder, tables.cities, cities),
        contents(
            folder, tables.tensions, [{"rome": "A1101", "rome_label": f"R{number}", "bassin_id": 101, "ind_t": 1}]
        ),
        contents(folder, tables.cities_jobs, jobs),
        contents(folder, tables.new_regions, [{"code": 53, "name": f"R{number}"}]),
        contents(folder, tables.regions_tensions_criterions, [{"json": region}]),
        contents(folder, tables.romeogrs, [{"code_rome": "A1101", "code_ogr": 1, "ogr_label": f"title {number}"}]),
    ]
    if number == 1:  # the same in every release
        new.append(
            contents(folder, tables.bassins, [{"code_commune_insee": insee, "bassin_id": 101} for insee in insees])
        )
        others = (tables.equipments, tables.departements, tables.helps, tables.rome_codes)
        new += [contents(folder, table, []) for table in others]
    done(engine, *new)


def _looks() -> dict[tuple[str, str, str], Callable[[Any], set[str]]]:
    """Requests, and what in their answers says which release it is of."""
    search = '{"codeRome": ["A1101"]}'
    return {
        ("POST", "/cities/search", search): lambda a: {
            text
            for c in a["list"]
            for text in (str(c["total_social_housing"]), str(c["citiesJobs.number"]), c["newRegion.name"][1:])
        },
        ("GET", "/cities/criterions", ""): lambda a: {a["regions"][0]["id"], a["codeRomes"][0]["label"][1:]},
        ("GET", "/cities/load/01001", ""): lambda a: {str(a["total_social_housing"]), a["newRegion"]["name"][1:]},
        ("GET", "/ogrs", ""): lambda a: {a[0]["ogrLabel"].split()[1]},
        ("POST", "/cities/search-by-skill", '{"label": "titl"}'): lambda a: {a[0]["label"].split()[1]},
        ("GET", "/release", ""): lambda a: {str(a["id"])},
    }


class Load:
    """Clients that ask without pause, each on its own connection, and note what they got.

    A connection that is closed ends its client; half an answer is an exception of the thread, which pytest reports.
    """

    def __init__(self, server: Server, clients: int) -> None:
        self.server, self.ended = server, threading.Event()
        self.statuses: Counter[int] = Counter()
        self.closed = 0
        self.mixed: list[Any] = []
        self.seen: set[str] = set()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, first: int) -> None:
        client, looks = Client(self.server), list(_looks().items())
        while not self.ended.is_set():
            first += 1
            (method, path, body), release_of = looks[first % len(looks)]
            try:
                status, answer, headers = client.ask(method, path, body.encode() or None)
            except ConnectionError:
                self.closed += 1
                return
            self.statuses[status] += 1
            if status == 200:
                said = release_of(answer)
                self.seen |= said
                if said != {headers["x-release"]}:
                    self.mixed.append((path, headers["x-release"], said))

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(30)


def test_no_answer_mixes_two_releases_and_none_fails(serve: Serve, warehouse_url: str, tmp_path: Path) -> None:
    """Releases swap under load: each answer is of one release, and the newest is seen at once."""
    engine = connect(warehouse_url)
    folder = tmp_path / "parts"
    folder.mkdir()
    _release(engine, folder, 1)
    server = serve(warehouse_url)
    load, client = Load(server, clients=4), Client(server)
    swaps = 10
    for number in range(2, swaps + 1):
        _release(engine, folder, number)
        assert client.ask("GET", "/health")[1]["release"] == number
    load.end()
    engine.dispose()
    assert (load.mixed, load.closed) == ([], 0)
    assert load.statuses.keys() == {200}, [
        line for line in server.log.read_text("utf-8").splitlines() if "error" in line
    ]
    assert load.statuses[200] > 100
    assert len(load.seen) > swaps / 2


def test_the_first_release_is_seen_without_a_restart(serve: Serve, warehouse_url: str, tmp_path: Path) -> None:
    client = Client(serve(warehouse_url))
    assert client.ask("GET", "/ogrs")[0] == 503
    engine = connect(warehouse_url)
    folder = tmp_path / "parts"
    folder.mkdir()
    _release(engine, folder, 1)
    engine.dispose()
    assert client.ask("GET", "/ogrs")[0] == 200


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


def test_a_database_that_goes_away_is_503_and_comes_back_by_itself(serve: Serve, tmp_path: Path) -> None:
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
            folder = tmp_path / "parts"
            folder.mkdir()
            _release(engine, folder, 1)
            engine.dispose()
            server = serve(url)
            client, load = Client(server), Load(server, clients=3)
            time.sleep(0.5)
            database.process.kill()
            database.process.wait()
            assert _soon(client, 503)["retry-after"] == "5"
            assert client.ask("GET", "/health")[1]["status"] == "database away"
            database.start()
            _soon(client, 200)
            time.sleep(0.5)
            load.end()
            assert load.statuses.keys() == {200, 503}
            assert load.mixed == []
            assert "Traceback" not in server.log.read_text("utf-8")
            fresh = Counter(Client(server).ask("GET", "/release")[0] for _ in range(20))
            assert fresh == {200: 20}
        finally:
            database.process.terminate()
            database.process.wait()


def _soon(client: Client, status: int) -> dict[str, str]:
    """The headers of the first answer with this status; there must be one within ten seconds."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        found, _, headers = client.ask("POST", "/cities/search", {"codeRome": ["A1101"]})
        assert found in (200, 503)
        if found == status:
            return headers
        time.sleep(0.05)
    pytest.fail(f"no answer {status} in ten seconds")


def test_a_statement_that_takes_too_long_is_ended(mariadb_server: str) -> None:
    database = Database(f"{mariadb_server}/mysql")
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT @@max_statement_time").scalar_one() == STATEMENT_SECONDS
        connection.exec_driver_sql("SET max_statement_time = 0.2")
        with pytest.raises(DBAPIError) as error:
            connection.exec_driver_sql("SELECT SLEEP(10)")
    assert error.value.orig is not None
    assert error.value.orig.args[0] == 1969
    database.close()


def test_sqlite_ends_it_too(sample_in_sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.database.REQUEST_SECONDS", 0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises(DBAPIError, match="interrupted"):
        Database(sample_in_sqlite).read(lambda snapshot: snapshot.connection.exec_driver_sql(endless).all())
