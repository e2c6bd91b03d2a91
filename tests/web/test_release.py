"""« Les données »: the release that is served, what changed, and its files to download."""

import re
from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect
from sqlalchemy import Table

from tests.api.server import Server
from tests.web.conftest import Altered, Visit, address_of
from warehouse.tables import SERVED, record


def test_the_release(visit: Visit, url: str) -> None:
    release = httpx.get(f"{url}release").json()
    visit.page.goto("?vue=donnees")
    expect(visit.page.locator(".lead")).to_contain_text(f"Version {release['id']}")
    tables = visit.page.get_by_role("region", name="Tables").locator("tbody tr")
    expect(tables).to_have_count(len(release["tables"]))
    for table in release["tables"]:
        row = tables.filter(has=visit.page.get_by_role("rowheader", name=table["table"], exact=True))
        assert re.sub(r"\D", "", row.locator("td").first.inner_text()) == str(table["rows"])
    files = {(s["file_name"], s["sha256"]) for table in release["tables"] for s in table["sources"]}
    expect(visit.page.get_by_role("region", name="Fichiers").locator("tbody tr")).to_have_count(len(files))
    visit.keep("release")


def test_the_files_to_download_are_there(visit: Visit, url: str) -> None:
    offered = httpx.get(f"{url}downloads").json()
    page = visit.page
    page.goto("?vue=donnees")
    rows = page.get_by_role("region", name="Téléchargements").locator("tbody tr")
    expect(rows).to_have_count(len(SERVED))
    links = rows.get_by_role("link")
    for file in offered["files"]:
        link = rows.locator(f"a[href='api/{file['path']}']")
        expect(link).to_have_accessible_name(re.compile(f"^{file['table']} en {file['format']}, [0-9,]+ [kM]o$"))
    expect(links).to_have_count(len(offered["files"]))
    with page.expect_download() as download:
        rows.filter(has=page.get_by_text("cities", exact=True)).get_by_role("link").first.click()
    size = next(file["bytes"] for file in offered["files"] if file["path"].endswith("/cities.parquet"))
    assert download.value.path().stat().st_size == size
    expect(page.locator(".credits li")).to_have_count(len(offered["sources"]))
    expect(page.locator(".credits")).to_contain_text("Licence Ouverte 2.0")
    page.get_by_role("link", name="dictionnaire des données").click()
    expect(page.locator("h1")).to_have_text("Dictionnaire des données")


def test_no_files_to_download_is_said(warehouse: str, browser: Browser, tmp_path: Path) -> None:
    server = Server(tmp_path, warehouse)
    visit = Visit(browser, address_of(server), 1280, 900)
    visit.page.goto("?vue=donnees")
    expect(visit.page.locator("main")).to_contain_text("Aucun fichier à télécharger pour l’instant")
    expect(visit.page.get_by_role("alert")).to_have_count(0)
    visit.context.close()
    server.stop()


def copied(table: Table) -> tuple[str, tuple[()]]:
    """The statement that says of release 2 what is said of release 1."""
    key = next(iter(table.primary_key)).name
    names = [column.name for column in table.columns]
    values = ", ".join("2" if name == key else name for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {values} FROM {table.name}", ()


def test_what_changed_is_said(altered: Altered) -> None:
    other = "UPDATE release_tables SET row_count = row_count - 5, sha256 = '' WHERE release_id = 1 AND table_name = ?"
    visit = altered(*map(copied, record.sorted_tables), (other, ("tensions",)))
    visit.page.goto("?vue=donnees")
    expect(visit.page.locator(".lead")).to_contain_text("1 table a changé depuis la précédente")
    tables = visit.page.get_by_role("region", name="Tables")
    expect(tables.locator("tr", has_text="tensions").last).to_contain_text("+5")
    expect(tables.locator("tr", has_text="tensions").last).to_contain_text("modifié")
    expect(tables.get_by_text("inchangé")).to_have_count(len(SERVED) - 1)
    assert visit.said == []
