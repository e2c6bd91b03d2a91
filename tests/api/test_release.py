"""One release in memory: whole at every statement of a publish, read only where it changed, kept without a database."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from api import release as module
from api.app import PREPARED, create_app
from api.database import Database
from api.release import READ, Served
from resources.sources.catalogue import catalogue
from tests.api.releases import looks, publish_release
from tests.conftest import ROOT, soak
from tests.warehouse.factories import contents, done
from warehouse import tables
from warehouse.database import connect, is_sqlite
from warehouse.release import SourceFile, rollback

APP = create_app("sqlite:///none.db")


@pytest.fixture
def engine(warehouse_url: str, tmp_path: Path) -> Iterator[Engine]:
    """A warehouse whose first release says everywhere that it is release 1."""
    engine = connect(warehouse_url)
    publish_release(engine, tmp_path, 1)
    yield engine
    engine.dispose()


def held(url: str) -> Served:
    """The release of a warehouse, read once, without the thread."""
    served = Served(Database(url), PREPARED)
    look(served)
    return served


def look(served: Served) -> None:
    """Look once, and keep no connection."""
    served.look()
    served.database.close()


def said(served: Served) -> set[str]:
    """Which releases the answers of the held one are of."""
    APP.state.served = served
    client = TestClient(APP)  # without its lifespan: the held release stays
    found: set[str] = set()
    for (method, path, body), release_of in looks().items():
        answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        found |= release_of(answer.json()) | {answer.headers["x-release"]}
    return found


def test_a_reader_at_every_statement_of_a_publish_holds_one_release_whole(
    engine: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    """Readers begin before each statement of the writer: some end before it goes on, others while it does. Of those
    that touch neither the record nor a name it is one in five where time is short.
    """
    others = count()
    found: Counter[str] = Counter()
    waiting: list[tuple[threading.Thread, Served]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def begin(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "release" not in statement and "RENAME" not in statement and next(others) % soak(5, 1):
            return
        served = held(warehouse_url)
        found.update(said(served))
        later = Served(Database(warehouse_url), PREPARED)
        thread = threading.Thread(target=look, args=(later,))
        thread.start()
        waiting.append((thread, later))

    publish_release(engine, tmp_path, 2)
    event.remove(engine, "before_cursor_execute", begin)
    assert len(waiting) > soak(20, 40)
    for thread, served in waiting:
        thread.join()
        if served.release is None:  # a swap came between: it looks again
            look(served)
        release = said(served)
        assert len(release) == 1
        found.update(release)
    assert found.keys() == {"1", "2"}
    assert said(held(warehouse_url)) == {"2"}


def test_a_snapshot_is_of_the_names_that_it_holds(engine: Engine, warehouse_url: str, tmp_path: Path) -> None:
    """A reader that has begun its transaction, and then waits, sees the release of the names when it names them."""
    database = Database(warehouse_url)
    record = [table.name for table in tables.record.tables.values()]
    for number in (2, 3):
        publish_release(engine, tmp_path, number)
        with database.snapshot([*record, "cities", "new_regions"]) as connection:
            rows = [
                connection.exec_driver_sql(query).scalar_one()
                for query in ("SELECT MAX(id) FROM releases", "SELECT MAX(total_social_housing) FROM cities")
            ]
        assert rows == [number, number]
    database.close()


def test_only_tables_whose_contents_changed_are_read_again(engine: Engine, warehouse_url: str, tmp_path: Path) -> None:
    served = held(warehouse_url)
    first = served.release
    read: set[str] = set()

    @event.listens_for(served.database.engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "LIMIT 0" not in statement:
            read.update(re.findall(r"FROM (\w+)", statement))

    publish_release(engine, tmp_path, 2, only={"cities_jobs"})
    served.look()
    assert served.release is not None
    assert first is not None
    assert (served.release.id, read & READ.keys()) == (2, {"cities_jobs"})
    assert served.release.cities is first.cities
    read.clear()
    served.look()
    assert read == {"releases"}


def test_a_request_asks_the_database_nothing(engine: Engine, warehouse_url: str) -> None:
    served = held(warehouse_url)
    asked: list[str] = []
    event.listen(served.database.engine, "before_cursor_execute", lambda _c, _cursor, text, *_: asked.append(text))
    assert said(served) == {"1"}
    assert asked == []
    served.look()
    assert len(asked) == 1


def test_a_restored_warehouse_of_the_same_number_has_another_tag(
    engine: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    served = held(warehouse_url)
    assert served.release is not None
    before = served.release.etag
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE releases SET published_at = '2020-01-02 03:04:05'")
        connection.exec_driver_sql("UPDATE release_tables SET loaded_at = '2020-01-02 03:04:05'")
    served.look()
    assert served.release.id == 1
    assert served.release.etag != before


def test_another_version_of_the_code_has_another_tag(warehouse_url: str, engine: Engine, monkeypatch: Any) -> None:
    one = held(warehouse_url).release
    monkeypatch.setattr(module, "_code", lambda: "another")
    other = held(warehouse_url).release
    assert one is not None
    assert other is not None
    assert one.record == other.record
    assert one.etag != other.etag


def test_a_release_of_an_older_version_without_a_table_is_served(
    engine: Engine, warehouse_url: str, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE helps")
        for record in ("release_tables", "release_sources"):
            connection.exec_driver_sql(f"DELETE FROM {record} WHERE table_name = 'helps'")
    served = held(warehouse_url)
    assert served.release is not None
    assert served.release.helps == {}
    assert said(served) == {"1"}


def test_what_was_missing_when_the_release_was_made_is_said(engine: Engine, warehouse_url: str, tmp_path: Path) -> None:
    there = [SourceFile(name, "a", None, "0" * 64) for name in catalogue() if name != "weather_sheets"]
    done(engine, contents(tmp_path, tables.cities_jobs, [], *there))
    APP.state.served = held(warehouse_url)
    words = catalogue()["weather_sheets"].without
    assert TestClient(APP).get("/release").json()["missing"] == [{"source": "weather_sheets", "consequence": words}]


def test_going_back_is_taken_over(engine: Engine, warehouse_url: str, tmp_path: Path) -> None:
    publish_release(engine, tmp_path, 2)
    served = held(warehouse_url)
    rollback(engine, None, keep=1)
    served.look()
    assert served.release is not None
    assert served.release.id == 3
    assert said(served) == {"1", "3"}  # contents of 1 under the name of 3


def test_a_warehouse_that_goes_away_is_served_on_and_it_is_said(
    engine: Engine, tmp_path: Path, monkeypatch: Any
) -> None:
    if not is_sqlite(engine):
        pytest.skip("tests/api/test_server.py stops the server")
    file = Path(str(engine.url.database))
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
    engine.dispose()
    with TestClient(create_app(f"sqlite:///{file}")) as client:
        assert "x-database" not in client.get("/release").headers
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            if file.with_name(name).exists():
                file.with_name(name).rename(tmp_path / f"gone-{name}")
        _wait_for(client, "away")
        health, search = client.get("/health"), client.post("/cities/search", json={"codeRome": "A1101"})
        assert (health.status_code, health.json()["database"], health.json()["status"]) == (200, "away", "ok")
        assert client.get("/health", headers={"If-None-Match": "*"}).status_code == 200
        assert client.get("/release", headers={"If-None-Match": "*"}).status_code == 304
        assert (search.status_code, search.json()["total"], search.headers["x-database"]) == (200, 40, "away")
        for gone in tmp_path.glob("gone-*"):
            gone.rename(file.with_name(gone.name.removeprefix("gone-")))
        _wait_for(client, "ok")


def _wait_for(client: TestClient, database: str) -> None:
    """Until `/health` says so of the database."""
    until = time.monotonic() + 20
    while client.get("/health").json()["database"] != database:
        assert time.monotonic() < until, client.get("/health").json()
        time.sleep(0.02)


READ_ONLY = """
import os, sys
from fastapi.testclient import TestClient
from api.app import create_app
application = create_app(sys.argv[1])
os.setgroups([]), os.setgid(65534), os.setuid(65534)
with TestClient(application) as client:
    print(client.get("/cities/load/01001").status_code, client.get("/health").json()["release"])
"""
"""As an account that may not write."""


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become another account")
def test_a_sqlite_warehouse_in_a_folder_that_may_only_be_read_is_served(tmp_path: Path) -> None:
    """WAL wants a -shm beside the file, which cannot be made there."""
    with tempfile.TemporaryDirectory(prefix="mobiville-") as place:
        engine = connect(f"sqlite:///{place}/warehouse.db")
        publish_release(engine, tmp_path, 1)
        engine.dispose()
        file = Path(place) / "warehouse.db"
        assert not list(file.parent.glob("*-shm"))
        file.chmod(0o444)
        file.parent.chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, f"sqlite:///{file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.stdout.splitlines()[-1:] == ["200 1"], done.stdout + done.stderr


def test_a_file_that_changes_while_it_is_read_without_locks_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    engine = connect(url)
    publish_release(engine, tmp_path, 1)
    engine.dispose()
    monkeypatch.setattr("api.database._needs_no_locks", lambda _file: True)
    database = Database(url)
    with pytest.raises(OperationalError, match="changed while it was read"), database.snapshot(["releases"]):
        os.utime(tmp_path / "warehouse.db", (0, 0))
    with database.snapshot(["releases"]) as connection:
        assert connection.exec_driver_sql("SELECT MAX(id) FROM releases").scalar_one() == 1
