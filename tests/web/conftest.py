"""The page as people see it: the API in a process of its own on the sample, and a real Chromium without a screen."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import ROOT
from tests.pipelines.conftest import run_in

ARTEFACTS = ROOT / "var" / "test-artefacts"
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
STARTS_WITHIN_SECONDS = 60


class Service:
    """`mobiville api` on a warehouse, that may go away and come back at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, and wait until it is well."""
        command = [str(Path(sys.executable).parent / "mobiville"), "api", "--port", str(self.port)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MOBIVILLE_")}
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.url + "health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail("the API did not start in a minute")

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def warehouse_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the warehouse of the sample, in `var/warehouse.db`."""
    folder = tmp_path_factory.mktemp("page")
    made = run_in(folder, "refresh")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="session")
def service(warehouse_folder: Path) -> Iterator[Service]:
    """The API on the sample."""
    service = Service(warehouse_folder)
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium; without one the test is skipped, in CI it fails."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        message = "Chromium is not installed: tools/install_chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()


class Visit:
    """One person's browser on the page: what it says on its console, and what it asks of whom."""

    def __init__(self, browser: Browser, service: Service, width: int, height: int, scheme: str = "light") -> None:
        self.context = browser.new_context(
            base_url=service.url,
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
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    """A visit at a desk, which must end without an error on the console and without a request to another host."""
    visit = Visit(browser, service, 1280, 900)
    yield visit
    visit.context.close()
    assert visit.said == []
    assert [url for url in visit.asked if not url.startswith(service.url)] == []


@pytest.fixture
def phone(browser: Browser, service: Service) -> Iterator[Visit]:
    """The same on a phone, in the dark."""
    visit = Visit(browser, service, 390, 844, "dark")
    yield visit
    visit.context.close()
    assert visit.said == []
