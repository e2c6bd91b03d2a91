"""The API on the sample's warehouse, made once, in SQLite and in MariaDB."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url, select

from api.app import create_app
from tests.api.server import Server
from tests.pipelines.conftest import run_in
from warehouse import tables

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sample is staged: once, for both databases."""
    return tmp_path_factory.mktemp("sample")


def exports_of(folder: Path, url: str) -> Path:
    """Where the files to download are, of the sample in the warehouse of this URL."""
    return folder / f"exports-{make_url(url).get_backend_name()}"


def _refresh(folder: Path, url: str) -> str:
    """`mobiville refresh` of the sample into the warehouse; its URL."""
    places = {"staging": str(folder / "staging"), "exports": str(exports_of(folder, url))}
    made = run_in(folder, "refresh", "--sample", warehouse_url=url, **places)
    assert made.returncode == 0, made.stderr
    return url


@pytest.fixture(scope="session")
def sample_in_sqlite(sample_folder: Path) -> str:
    """The URL of the sample's warehouse in SQLite."""
    return _refresh(sample_folder, f"sqlite:///{sample_folder / 'warehouse.db'}")


@pytest.fixture(scope="session")
def sample_in_mariadb(sample_folder: Path, mariadb_server: str) -> Iterator[str]:
    """The URL of the sample's warehouse in MariaDB."""
    name = f"mobiville_{uuid.uuid4().hex[:12]}"
    server = create_engine(mariadb_server)
    with server.begin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield _refresh(sample_folder, make_url(mariadb_server).set(database=name).render_as_string(hide_password=False))
    with server.begin() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    server.dispose()


@pytest.fixture(scope="session", params=["sqlite", "mariadb"])
def api_url(request: pytest.FixtureRequest) -> str:
    """The URL of the sample's warehouse, once in SQLite, once in MariaDB."""
    url: str = request.getfixturevalue(f"sample_in_{request.param}")
    return url


@pytest.fixture(scope="session")
def exports(sample_folder: Path, api_url: str) -> Path:
    """The folder of the files to download."""
    return exports_of(sample_folder, api_url)


@pytest.fixture(scope="session")
def client(api_url: str, exports: Path) -> Iterator[TestClient]:
    """A client of the API in this process."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MOBIVILLE_EXPORTS", str(exports))
        app = create_app(api_url)
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="session")
def served(api_url: str) -> Tables:
    """Every row of every served table, read without the API."""
    engine = create_engine(api_url)
    with engine.connect() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in tables.SERVED
        }
    engine.dispose()
    return rows


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Start `mobiville api` on a warehouse, as a process of its own; it ends with the test."""
    started: list[Server] = []

    def start(url: str, *options: str) -> Server:
        started.append(Server(tmp_path, url, *options))
        return started[-1]

    yield start
    for server in started:
        server.stop()
