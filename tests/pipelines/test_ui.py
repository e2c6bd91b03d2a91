"""The Dagster UI as a data engineer uses it: the real server and daemon, in a real browser."""

import bz2
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import raw_data
from assets.common.staleness import served_release
from resources.settings import Settings
from tests.conftest import ARTEFACTS, free_port, soak
from warehouse import tables

DAYS = range(20211220, 20211230)
"""Those of the dumps that are there: ten."""
COLOURS = 256
"""Of a picture that is kept: enough for a page, and a third of the size."""
PATIENCE = 180
"""Seconds that anything may take on a busy machine."""


@dataclass
class Running:
    """`mobiville ui` on files of its own."""

    url: str
    files: Path
    settings: Settings
    log: Path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("ui")
    files = Path(shutil.copytree(raw_data.SAMPLE, folder / "files"))
    for day in DAYS[2:]:
        write_dump(files, day)
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    environment |= {"MOBIVILLE_RAW_DATA": str(files), "MOBIVILLE_SENSOR_SECONDS": "1"}
    command = [str(Path(sys.executable).parent / "mobiville"), "ui", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/server_info"), "the UI does not answer")
    settings = Settings(raw_data=files, warehouse_url=f"sqlite:///{folder / 'var' / 'warehouse.db'}")
    yield Running(url, files, settings, folder / "log")
    server.send_signal(signal.SIGINT)  # as Ctrl-C: it ends its own processes
    server.wait(PATIENCE)


@pytest.fixture(scope="module")
def page(running: Running, browser: Browser) -> Iterator[Page]:
    """A page of a browser that has asked nobody but the UI, when all is done."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    asked: set[str] = set()
    page = context.new_page()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.set_default_timeout(PATIENCE * 1000)
    expect.set_options(timeout=PATIENCE * 1000)
    yield page
    expect.set_options(timeout=None)
    context.close()
    assert asked - {""} == {urlsplit(running.url).netloc}  # what stands within the page has no host


def write_dump(files: Path, day: int, more: bytes = b"") -> None:
    """Write the sample's dump of 21 December 2021 as that of another day, with more lines."""
    folder, name = files / "datalake", "mv_villes_offre_full.csv.bz2"
    lines = bz2.decompress((folder / f"20211221_{name}").read_bytes())
    (folder / f"{day}_{name}").write_bytes(bz2.compress(lines.replace(b"20211221", str(day).encode()) + more))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def wait_until(there: Callable[[], object], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > end:
            pytest.fail(otherwise)
        time.sleep(0.5)


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page: graph, one-asset, failed-check and backfill are those of docs/ (ui-….png)."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(page.screenshot())) as seen:
        seen.convert("RGB").quantize(COLOURS).save(ARTEFACTS / f"{name}.png", optimize=True)


def release_of(running: Running) -> int:
    release = served_release(running.settings)
    return release.id if release else 0


def test_the_graph_is_there_from_raw_files_to_serving(page: Page, running: Running) -> None:
    page.goto(f"{running.url}/asset-groups")
    for group in ("raw_files", "territory", "work", "life", "serving"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()
    expect(page.get_by_text("Join the Dagster community")).to_have_count(0)
    keep(page, "graph")


def test_one_asset_is_materialized_from_its_page(page: Page, running: Running) -> None:
    page.goto(f"{running.url}/assets/staged/departements")
    expect(page.get_by_text("Never materialized").first).to_be_visible()
    expect(page.get_by_text("mobiville refresh --only departements")).to_be_visible()
    expect(page.get_by_text("rent of a two-room flat, EUR per month").first).to_be_visible()
    page.get_by_role("button", name="Materialize").first.click()
    expect(page.get_by_text("Never materialized")).to_have_count(0)
    page.goto(f"{running.url}/assets/staged/departements?view=events")
    expect(page.get_by_text("dagster/row_count")).to_be_visible()
    keep(page, "one-asset")


def test_materialize_all_is_green_and_publishes_a_release(page: Page, running: Running) -> None:
    page.goto(f"{running.url}/asset-groups")
    page.get_by_role("button", name="Materialize all").click()
    wait_until(lambda: release_of(running), "the run published nothing")
    release = served_release(running.settings)
    assert release
    assert set(release.tables) == set(tables.metadata.tables)
    page.goto(f"{running.url}/runs")
    expect(page.get_by_text("Success").first).to_be_visible()
    expect(page.get_by_text("Failure", exact=True)).to_have_count(0)
    assert running.log.read_text().splitlines()[0] == f"Dagster's UI is on {running.url} (Ctrl-C ends it)"


def test_the_page_of_an_asset_shows_its_picture_without_a_click(page: Page, running: Running) -> None:
    page.goto(f"{running.url}/assets/staged/cities")
    picture = page.get_by_alt_text("Communes of mainland France by region")
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.complete", arg=picture.element_handle())
    assert picture.evaluate("image => image.naturalWidth") > 400
    keep(page, "picture")


def test_a_check_is_run_alone_and_shows_its_rows_and_its_history(page: Page, running: Running) -> None:
    before = release_of(running)
    page.goto(f"{running.url}/assets/staged/cities_jobs?view=checks&checkDetail=commune_is_in_cities")
    expect(page.get_by_text("This is a non-blocking asset check.")).to_be_visible()
    page.get_by_text("Execute", exact=True).click()
    expect(page.get_by_text("In Progress", exact=True)).to_have_count(0)
    expect(page.get_by_text("the commune is in cities: 5 rows (0.04%) fail")).to_be_visible()
    expect(page.get_by_role("cell", name="98735", exact=True).first).to_be_visible()
    expect(page.get_by_role("cell", name="12916", exact=True)).to_be_visible()  # the row, of the staged table
    keep(page, "check-alone")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="data-docs").click()
    docs = opened.value
    expect(docs).to_have_title("staged/cities_jobs: Data Docs")
    line = docs.get_by_role("row").filter(has_text="commune_is_in_cities")
    expect(line).to_contain_text("warned")
    expect(line).to_contain_text("0.04%")
    expect(docs.get_by_role("cell", name="98735", exact=True).first).to_be_visible()
    keep(docs, "data-docs")
    docs.close()
    page.get_by_text("Execution history", exact=True).click()
    expect(page.get_by_role("row").filter(has=page.get_by_text("Failed", exact=True))).to_have_count(2)
    page.goto(f"{running.url}/assets/staged/cities_jobs?view=checks&checkDetail=has_rows")
    page.get_by_text("Execution history", exact=True).click()
    expect(page.get_by_role("row").filter(has=page.get_by_text("Passed", exact=True))).to_have_count(1)
    assert release_of(running) == before


def test_days_are_backfilled_side_by_side(page: Page, running: Running) -> None:
    number = soak(3, len(DAYS))  # a process each
    page.goto(f"{running.url}/locations/mobiville/jobs/offers_by_day/partitions")
    page.get_by_text("Launch backfill").click()
    page.get_by_placeholder("ex: 2021-12-20").fill(f"[2021-12-20...2021-12-{19 + number}]")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Submit {number} runs").click()
    expect(page.get_by_text("Launch offers_by_day backfill")).to_have_count(0)
    page.goto(f"{running.url}/runs?view=backfills")
    expect(page.get_by_text("Success", exact=True)).to_be_visible()
    page.get_by_role("link", name="View", exact=True).click()
    expect(page.get_by_text("Succeeded", exact=True).first).to_be_visible()
    keep(page, "backfill")
    page.goto(f"{running.url}/assets/staged/offers_by_day?view=partitions")
    expect(page.get_by_text("Materialized (10)")).to_be_visible()
    keep(page, "days")


def test_a_dump_dropped_in_the_folder_is_served_by_itself(page: Page, running: Running) -> None:
    before = release_of(running)
    write_dump(running.files, 20211230, b"01004;A1101;7;20211230\n")
    wait_until(lambda: release_of(running) > before, "the sensor did not load the dump")
    release = served_release(running.settings)
    assert release
    assert release.tables["cities_jobs"].sources[-1].vintage == "20211230"
    new = {name for name, table in release.tables.items() if table.contents_id == release.id}
    assert new == {"cities_jobs", "offers_history"}
    page.goto(f"{running.url}/runs")
    expect(page.get_by_text("new_dump").first).to_be_visible()
    page.goto(f"{running.url}/locations/mobiville/sensors/new_dump")
    expect(page.get_by_text("Running", exact=False).first).to_be_visible()
    keep(page, "sensor")


def test_a_changed_file_that_is_wrong_fails_its_check_with_its_rows(page: Page, running: Running) -> None:
    before = release_of(running)
    tensions = running.files / "cities-tension-utf8.csv"
    lines = tensions.read_text().splitlines()
    lines[7] = lines[7].rsplit(";", 1)[0] + ";9"
    tensions.write_text("\n".join(lines) + "\n")
    failed = page.get_by_text("ind_t is from 1 to 5: 1 rows")
    page.goto(f"{running.url}/assets/staged/tensions?view=checks&checkDetail=ind_t_is_in_range")
    end = time.monotonic() + PATIENCE
    while not failed.is_visible() and time.monotonic() < end:
        page.wait_for_timeout(2000)
        page.reload()
        page.wait_for_load_state("networkidle")
    expect(failed).to_be_visible()
    expect(page.get_by_role("cell", name="9", exact=True).first).to_be_visible()
    keep(page, "failed-check")
    page.goto(f"{running.url}/runs")
    page.get_by_role("link", name="View", exact=True).first.click()
    said = page.get_by_text("ind_t is from 1 to 5: 1 rows").last
    expect(said).to_be_in_viewport()  # at the first click
    for words in ("line 8", "ind_t 9", "cities-tension-utf8.csv", "correct them at the publisher's"):
        expect(said).to_contain_text(words)
    keep(page, "failed-run")
    assert release_of(running) == before


def test_no_warning_was_given_on_the_way(running: Running) -> None:
    assert [line for line in running.log.read_text().splitlines() if "Warning" in line] == []
