"""Real parts for the tests: a private MariaDB on a temporary folder, and the real files where they are."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError

from warehouse.database import connect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
ARTEFACTS = ROOT / "var" / "test-artefacts"
"""Where pictures of what a test saw are kept."""
REAL_DATA = Path(os.environ.get("MOBIVILLE_REAL_DATA", ROOT.parent / "shared" / "real_data"))


SOAK = bool(os.environ.get("SOAK"))


def soak(sample: int, whole: int) -> int:
    """How often a long test does what it does: a sample in `make test`, the whole in `make soak`."""
    return whole if SOAK else sample


def _program(*names: str) -> str | None:
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin" + os.pathsep + "/usr/local/sbin"
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def needed(program: str, how: str) -> str:
    """The path of a program; without it the test is skipped, in CI it fails. `how`: what installs it."""
    if path := _program(program):
        return path
    message = f"{program} is not installed: {how}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def mariadb_programs() -> tuple[str, str]:
    """The server, and what sets up its folder; without them the test is skipped, in CI it fails."""
    server, install = _program("mariadbd", "mysqld"), _program("mariadb-install-db", "mysql_install_db")
    if not server or not install:
        message = "MariaDB's server is not installed, and MOBIVILLE_TEST_DATABASE_URL is not set"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return server, install


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """The URL of a MariaDB server: MOBIVILLE_TEST_DATABASE_URL, else a private one that ends with the tests."""
    if url := os.environ.get("MOBIVILLE_TEST_DATABASE_URL"):
        yield url
        return
    server, install = mariadb_programs()
    with tempfile.TemporaryDirectory(prefix="mobiville-mariadb-") as folder:
        private = PrivateServer(Path(folder), server, install)
        yield private.start()
        private.process.terminate()
        private.process.wait()


class PrivateServer:
    """A MariaDB server on a folder of its own, that may be killed and started again."""

    def __init__(self, folder: Path, server: str, install: str) -> None:
        data = folder / "data"
        as_root = ["--user=root"] if os.getuid() == 0 else []
        setup = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *as_root]
        # A server that starts deletes the temporary tables in its folder of temporary files: those of others too,
        # where it is shared, and one that misses its own ends with a segmentation fault.
        self.environment = os.environ | {"TMPDIR": str(folder)}
        for _ in range(3):  # several are set up at once, and MariaDB's program may give up then
            made = subprocess.run(setup, check=False, capture_output=True, text=True, env=self.environment)
            if made.returncode == 0:
                break
            shutil.rmtree(data, ignore_errors=True)
        else:
            pytest.fail(f"{install} failed: {made.stdout}{made.stderr}")
        port = free_port()
        self.url = f"mariadb+pymysql://root@127.0.0.1:{port}"
        self.log = folder / "log"
        self.command = [
            *(server, "--no-defaults", f"--datadir={data}", f"--socket={folder}/socket", f"--port={port}"),
            *("--bind-address=127.0.0.1", "--local-infile=1", "--innodb-flush-log-at-trx-commit=2", *as_root),
        ]

    def start(self) -> str:
        """Start it, wait until it answers, return its URL."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment)
        _wait_for(self.url)
        return self.url


def _wait_for(url: str) -> None:
    engine = create_engine(url)
    for _ in range(240):
        try:
            with engine.begin() as connection:  # nameless accounts would stand before those that a test makes
                connection.exec_driver_sql("DELETE FROM mysql.global_priv WHERE User = ''")
                connection.exec_driver_sql("FLUSH PRIVILEGES")
            break
        except OperationalError:
            time.sleep(0.25)
    else:
        pytest.fail("the private MariaDB did not start in a minute")
    engine.dispose()


@pytest.fixture
def mariadb_url(mariadb_server: str) -> Iterator[str]:
    """The URL of an empty MariaDB database."""
    name = f"mobiville_{uuid.uuid4().hex[:12]}"
    server = create_engine(mariadb_server)
    with server.begin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield make_url(mariadb_server).set(database=name).render_as_string(hide_password=False)
    with server.begin() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")
    server.dispose()


@pytest.fixture(params=["sqlite", "mariadb"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty warehouse, once on SQLite, once on MariaDB."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.db'}"
    url: str = request.getfixturevalue("mariadb_url")
    return url


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    """An empty warehouse, once on SQLite, once on MariaDB."""
    engine = connect(warehouse_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files; the test is skipped where it is not there."""
    if not REAL_DATA.is_dir():
        pytest.skip("no real files: set MOBIVILLE_REAL_DATA")
    return REAL_DATA


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A real Chromium without a screen, that asks nobody on its own; without it the test is skipped, in CI it fails."""
    from playwright.sync_api import sync_playwright  # the benchmark, which must stay small, imports this module

    program = needed("chromium", "tools/install_test_programs")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    flags += "--disable-component-update --disable-sync"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags.split())
        yield browser
        browser.close()
