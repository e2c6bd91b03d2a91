"""The page as people see it: the API in a process of its own on the sample, and a real Chromium without a screen."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import make_url

from tests.api.server import Server
from tests.conftest import ARTEFACTS
from tests.pipelines.conftest import run_in


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a warehouse made from the sample."""
    folder = tmp_path_factory.mktemp("page")
    made = run_in(folder, "refresh")
    assert made.returncode == 0, made.stderr
    return f"sqlite:///{folder / 'var' / 'warehouse.db'}"


@pytest.fixture(scope="session")
def server(warehouse: str) -> Iterator[Server]:
    """The API on the sample, and on its files to download."""
    server = Server(folder_of(warehouse), warehouse)
    yield server
    server.stop()


def folder_of(warehouse: str) -> Path:
    """Where a warehouse was made: its files to download lie there too."""
    return Path(str(make_url(warehouse).database)).parents[1]


@pytest.fixture(scope="session")
def url(server: Server) -> str:
    """The address of the page."""
    return address_of(server)


def address_of(server: Server) -> str:
    """Where a server serves its page."""
    return f"http://127.0.0.1:{server.port}/"


class Visit:
    """One person's browser on the page: what it says on its console, and what it asks of whom."""

    def __init__(self, browser: Browser, url: str, width: int, height: int, scheme: str = "light") -> None:
        self.context = browser.new_context(
            base_url=url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale="fr-FR",
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def keep(self, name: str) -> None:
        """Keep a picture of what is seen."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Visit]:
    """A visit at a desk, which must end without an error on the console and without a request to another host."""
    visit = Visit(browser, url, 1280, 900)
    yield visit
    visit.context.close()
    assert visit.said == []
    assert [asked for asked in visit.asked if not asked.startswith((url, "data:"))] == []


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[Visit]:
    """The same on a phone, in the dark."""
    visit = Visit(browser, url, 390, 844, "dark")
    yield visit
    visit.context.close()
    assert visit.said == []


def comes_true(page: Page, expression: str) -> None:
    """Wait until an expression is true in the page. What waits in the page itself takes `eval`, which ours forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"it does not come true: {expression}")


Altered = Callable[..., Visit]


@pytest.fixture
def altered(browser: Browser, warehouse: str, tmp_path: Path) -> Iterator[Altered]:
    """Visit a copy of the warehouse after some statements, each with its values."""
    with ExitStack() as ends:

        def visit(*statements: tuple[str, tuple[object, ...]]) -> Visit:
            copy = shutil.copy(str(make_url(warehouse).database), tmp_path / "warehouse.db")
            with closing(sqlite3.connect(copy)) as connection, connection:
                for statement, values in statements:
                    connection.execute(statement, values)
            server = Server(folder_of(warehouse), f"sqlite:///{copy}")
            ends.callback(server.stop)
            visit = Visit(browser, address_of(server), 1280, 900)
            ends.callback(visit.context.close)
            return visit

        yield visit
