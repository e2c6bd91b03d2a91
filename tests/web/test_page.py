"""What people do on the page, in a real browser, on the real API."""

import json
import re
from itertools import combinations
from math import hypot
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Table

from tests.api.server import Server
from tests.conftest import ROOT
from tests.web.conftest import Altered, Visit, address_of
from warehouse.tables import SERVED, record

PAGE = ROOT / "web" / "page"
FIRST_VIEW_BYTES = 200_000
BAKERY = "Boulangerie - viennoiserie"


def total(page: Page) -> int:
    """The number of communes that the list says it has."""
    heading = page.locator(".head h2")
    expect(heading).to_contain_text("commune")
    expect(page.locator(".list")).to_have_attribute("aria-busy", "false")
    return int(re.sub(r"\D", "", heading.inner_text().split("commune")[0]))


def names(page: Page) -> list[str]:
    """The cities of the list, in its order."""
    return page.locator(".cities h3").all_inner_texts()


def choose_bakery(page: Page) -> None:
    """Type the beginning of a job title and take the first that fits."""
    page.get_by_role("combobox", name="Votre métier").fill("boulang")
    page.get_by_role("option").filter(has_text=BAKERY).first.click()
    expect(page.locator(".head h2")).to_contain_text(BAKERY)


def test_from_a_trade_to_a_city_and_back(visit: Visit) -> None:
    page = visit.page
    page.goto("")
    everywhere = total(page)
    choose_bakery(page)
    assert "metier=D1102" in page.url
    wanted = total(page)
    assert 10 < wanted < everywhere
    visit.keep("trade")

    page.get_by_role("combobox", name="Région").select_option(label="Bretagne")
    expect(page.locator(".head h2")).not_to_contain_text(str(wanted))
    in_bretagne = total(page)
    page.get_by_label("Mer", exact=True).check()
    page.wait_for_url("**cadre=side-sea**")
    by_the_sea = total(page)
    assert 0 < by_the_sea <= in_bretagne < wanted
    page.get_by_role("link", name="Effacer les filtres").click()
    expect(page.get_by_role("combobox", name="Région")).to_have_value("")
    assert total(page) == wanted

    first = names(page)
    page.get_by_role("link", name="Suivante").click()
    expect(page.locator(".pages")).to_contain_text("Page 2")
    expect(page.locator(".cities .rank").first).to_have_text("11")
    second = names(page)
    assert not set(first) & set(second)

    page.locator(".cities h3 a").nth(1).click()
    expect(page.locator("h1")).to_have_text(second[1])
    expect(page.locator("h1")).to_be_focused()
    expect(page.get_by_role("heading", name="Villes proches")).to_be_visible()
    visit.keep("city")
    shared = page.url
    page.reload()
    expect(page.locator("h1")).to_have_text(second[1])
    assert page.url == shared
    assert second[1] in page.title()

    page.go_back()
    expect(page.locator(".pages")).to_contain_text("Page 2")
    assert names(page) == second
    page.go_back()
    expect(page.locator(".cities .rank").first).to_have_text("1")
    assert names(page) == first
    page.go_forward()
    page.go_forward()
    expect(page.locator("h1")).to_have_text(second[1])


def test_a_shared_address_shows_the_same_to_another(visit: Visit, url: str, browser: Browser) -> None:
    visit.page.goto("?metier=D1102&cadre=side-sea&tri=mer")
    total(visit.page)
    other = Visit(browser, url, 1280, 900)
    other.page.goto(visit.page.url)
    total(other.page)
    assert names(other.page) == names(visit.page)
    assert other.page.get_by_label("Mer", exact=True).is_checked()
    other.context.close()


def test_a_city_says_what_the_api_says(visit: Visit, url: str) -> None:
    page = visit.page
    known = httpx.get(f"{url}cities/load/29019").json()
    page.goto("?ville=29019&metier=D1102")
    expect(page.locator("h1")).to_have_text("Brest")
    values = dict(
        zip(page.locator("dt").all_inner_texts(), page.locator("dd:not(.beside)").all_inner_texts(), strict=True)
    )
    assert re.sub(r"\D", "", values["Population"]) == str(round(known["population"] * 1000))
    assert values["Altitude moyenne"] == f"{known['z_moyen']}\N{NO-BREAK SPACE}m".replace("\N{NO-BREAK SPACE}", " ")
    assert re.sub(r"\D", "", values["Prix de vente"].split("€")[0]) == str(round(known["average_houseselled"]))
    of_commerce = [row for row in known["equipments"] if row["typequ"].startswith("B")]
    commerce = page.locator(".domain", has_text="Commerces")
    commerce.locator("summary").click()
    expect(commerce.locator("li")).to_have_count(len(of_commerce))
    bakeries = next(row["total"] for row in of_commerce if row["typequ"] == "B203")
    expect(commerce.locator("li", has_text="Boulangerie")).to_have_text(f"Boulangerie{bakeries}")
    assert "code " not in page.locator(".city").inner_text()


def test_a_city_is_found_by_its_name(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102")
    page.get_by_role("combobox", name="Aller à une ville").fill("saint-")
    page.get_by_role("option").filter(has_text="Saint-Brieuc").click()
    expect(page.locator("h1")).to_have_text("Saint-Brieuc")
    assert "metier=D1102" in page.url
    expect(page.get_by_role("combobox", name="Aller à une ville")).to_have_value("")


IS_IN = """(areas) => {
    const at = document.querySelector(".pin.chosen circle");
    return [...document.querySelectorAll(areas)]
        .some((area) => area.isPointInFill(new DOMPoint(at.cx.baseVal.value, at.cy.baseVal.value)));
}"""


@pytest.mark.parametrize(
    ("insee", "areas"),
    [
        *((insee, ".basin.here") for insee in ("75056", "69123", "13055", "2B096", "97611")),
        *((insee, ".region:not(.far) path") for insee in ("29019", "67482", "2A004", "97411", "97302")),
    ],
)
def test_a_city_lies_in_its_basin_on_the_map(visit: Visit, insee: str, areas: str) -> None:
    """Where the basin is one of the sample's invented ones, which have no outline, in its region."""
    visit.page.goto(f"?ville={insee}")
    expect(visit.page.locator(".pin.chosen")).to_have_count(1)
    assert visit.page.locator(".basin.here").count() == (areas == ".basin.here")
    assert visit.page.evaluate(IS_IN, areas)


def test_all_of_france_is_on_one_map(visit: Visit, url: str) -> None:
    basins = httpx.post(f"{url}cities/search-basins", json={"codeRome": ["M1501"]}).json()
    visit.page.goto("?metier=M1501")
    expect(visit.page.locator(".map .region")).to_have_count(18)
    expect(visit.page.locator(".map .basin[data-city]")).to_have_count(len(basins))
    drawn = visit.page.locator(".map [data-basin]").evaluate_all(
        "all => all.map((it) => [it.dataset.basin, it.tagName])"
    )
    outlines = json.loads((PAGE / "basins.json").read_text(encoding="utf-8"))["objects"]["pieces"]["geometries"]
    known = {piece["properties"].get("basin") for piece in outlines}
    assert dict(drawn) == {
        str(basin["bassin_id"]): "path" if basin["bassin_id"] in known else "circle" for basin in basins
    }
    assert {"path", "circle"} == set(dict(drawn).values())
    overseas = [basin for basin in basins if basin["insee_com"].startswith("97")]
    assert len(overseas) > 2
    in_boxes = visit.page.locator(".map .basin[data-city^='97']").evaluate_all(
        """all => { const boxes = [...document.querySelectorAll(".box")].map((box) => box.getBoundingClientRect());
            return all.filter((it) => { const { left, top, right, bottom } = it.getBoundingClientRect();
                return boxes.some((box) => left >= box.left && right <= box.right && top >= box.top
                    && bottom <= box.bottom); }).length; }"""
    )
    assert in_boxes == len(overseas)


def test_basins_are_coloured_by_their_index(visit: Visit, url: str) -> None:
    basins = httpx.post(f"{url}cities/search-basins", json={"codeRome": ["D1102"]}).json()
    page = visit.page
    page.goto("")
    total(page)
    expect(page.locator(".map .basin:not(.plain)")).to_have_count(0)
    expect(page.locator(".legend")).to_have_count(0)
    page.goto("?metier=D1102")
    expect(page.locator(".legend")).to_be_visible()
    for basin in basins:
        drawn = page.locator(f".map [data-basin='{basin['bassin_id']}']")
        assert f"index-{basin['ind_t']}" in (drawn.get_attribute("class") or "").split(), basin
    assert len({basin["ind_t"] for basin in basins}) > 2
    listed = page.locator(".ranking a[data-basin]")
    assert listed.evaluate_all("all => all.map((it) => it.ariaLabel).sort()") == sorted(
        page.locator(".map [data-basin]").evaluate_all("all => all.map((it) => it.dataset.says)")
    )
    page.get_by_text("bassins d’emploi de la carte").click()
    listed.first.focus()
    looked = page.locator(".map [data-looked]")
    assert looked.get_attribute("data-basin") == listed.first.get_attribute("data-basin")
    page.locator(".map [data-basin]").first.hover()
    expect(page.locator(".readout")).to_contain_text("recrutement")


def test_a_region_fills_the_map(visit: Visit) -> None:
    page = visit.page
    page.goto("")
    total(page)
    page.locator(".region[data-region='53'] path").first.click()
    expect(page.get_by_role("combobox", name="Région")).to_have_value("53")
    width, height = page.locator(".region[data-region='53']").evaluate(
        "it => [it.getBBox().width, it.getBBox().height]"
    )
    assert max(width / 640, height / 620) > 0.85


SHOWN = """all => all.map((it) => it.getBoundingClientRect()).map((it) => [it.left, it.top, it.right, it.bottom])"""


def is_free(boxes: list[list[float]]) -> bool:
    """Whether no two of the boxes overlap."""
    return not any(
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
        for one, other in combinations(boxes, 2)
    )


@pytest.mark.parametrize("region", ["", "11", "84"])
def test_pins_and_names_do_not_overlap(visit: Visit, region: str) -> None:
    page = visit.page
    page.goto(f"?region={region}")
    total(page)
    pins = page.locator(".pins .pin")
    expect(pins).to_have_count(10)
    circles = pins.locator("circle").evaluate_all(
        "all => all.map((it) => [it.cx.baseVal.value, it.cy.baseVal.value, it.r.baseVal.value])"
    )
    assert all(hypot(x - u, y - v) > r + s for (x, y, r), (u, v, s) in combinations(circles, 2))
    names = page.locator(".names text").evaluate_all(SHOWN)
    assert names or region
    assert is_free(names)


def test_the_map_is_zoomed_and_moved(visit: Visit) -> None:
    page = visit.page
    page.goto("")
    total(page)
    land, smaller = page.locator(".map .region").first, page.get_by_role("button", name="Réduire la carte")
    before = land.bounding_box()
    assert before
    expect(smaller).to_be_disabled()
    before_names = page.locator(".names text").count()
    page.get_by_role("button", name="Agrandir la carte").press("Enter")
    expect(smaller).to_be_enabled()
    larger = land.bounding_box()
    assert larger
    assert larger["width"] == pytest.approx(2 * before["width"], rel=0.05)
    box = page.locator(".map > svg").bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 30, steps=4)
    page.mouse.up()
    dragged = land.bounding_box()
    assert dragged
    assert dragged["x"] - larger["x"] == pytest.approx(60, abs=3)
    assert "region" not in page.url  # a drag is no click
    page.mouse.wheel(0, -300)  # scrolls the page instead
    page.wait_for_timeout(100)
    scrolled = land.bounding_box()
    assert scrolled
    assert scrolled["width"] == pytest.approx(larger["width"], rel=0.01)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(
        f"document.querySelector('.map .region').getBoundingClientRect().width > {larger['width'] * 1.2}"
    )
    assert before_names > 10


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit.page
    page.goto("")
    total(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Votre métier")).to_be_focused()
    with page.expect_response(lambda response: response.request.post_data == '{"label":"boulang"}'):
        page.keyboard.type("boulang", delay=20)
    expect(page.get_by_role("option").nth(1)).to_contain_text("Boulanger / Boulangère")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**metier=D1102**")
    total(page)
    page.get_by_label("Tous", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**cadre=side-sea**")
    total(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.cities h3 a')"):
            break
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator("h1")).to_be_focused()


def test_a_phone(phone: Visit) -> None:
    page = phone.page
    page.goto("?metier=D1102")
    total(page)
    expect(page.get_by_role("combobox", name="Région")).to_be_hidden()
    page.get_by_text("Filtres", exact=True).click()
    page.get_by_role("combobox", name="Région").select_option("53")
    expect(page.get_by_text("Filtres (1)")).to_be_visible()
    total(page)
    for name, address in (("list", page.url), ("city", "?ville=29019&metier=D1102"), ("release", "?vue=donnees")):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".pending")).to_have_count(0)
        phone.keep(f"phone-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, f"{name} is wider than the phone"


VIEWS = (
    *("", "?metier=D1102", "?metier=D1102&ville=29019", "?vue=donnees", "?ville=99999"),
    *("?metier=Z9999", "?metier=A0000", "nope", "mentions-legales", "accessibilite"),
    *("?vue=comparer", "?vue=comparer&metier=D1102&comparer=29019,69123,97302"),
)


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(url: str, browser: Browser, scheme: str, width: int) -> None:
    visit = Visit(browser, url, width, 900, scheme)
    for address in VIEWS:
        visit.page.goto(address)
        expect(visit.page.locator("h1")).to_be_visible()
        expect(visit.page.locator(".pending")).to_have_count(0)
        visit.page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
        found = Axe().run(
            visit.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
        )
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
    visit.context.close()


def test_what_is_not_there_is_said(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102&region=6")
    expect(page.locator(".lone")).to_contain_text("Aucune commune ne réunit tout cela")
    page.get_by_role("link", name="Effacer les filtres").last.click()
    assert total(page) > 10
    page.goto("?metier=A0000")
    expect(page.locator(".lone")).to_contain_text("Aucun bassin d’emploi n’est suivi")
    page.get_by_role("combobox", name="Votre métier").fill("zzzzzz")
    expect(page.get_by_text("Aucun métier trouvé").first).to_be_visible()


def test_an_address_that_asks_for_what_is_not(url: str, browser: Browser) -> None:
    visit = Visit(browser, url, 1280, 900)
    for address, says in (
        ("?ville=99999", "Cette commune n’est pas connue"),
        ("?ville=<img src=x onerror=alert(1)>", "Cette commune n’est pas connue"),
        ("?taille=geante", "commune"),
        ("?page=nul", "commune"),
    ):
        visit.page.goto(address)
        expect(visit.page.locator("main")).to_contain_text(says)
    assert [said for said in visit.said if "status of 4" not in said] == []
    visit.context.close()


def test_the_api_goes_away_and_comes_back(warehouse: str, browser: Browser, tmp_path: Path) -> None:
    server = Server(tmp_path, warehouse)
    visit = Visit(browser, address_of(server), 1280, 900)
    page = visit.page
    try:
        page.goto("?metier=D1102")
        before = names(page) if total(page) else []
        server.stop()
        page.get_by_role("link", name="Suivante").click()
        expect(page.get_by_role("alert")).to_contain_text("ne répond pas")
        assert names(page) == before  # what was there stays readable
        visit.keep("away")
        server.start()
        expect(page.locator(".cities .rank").first).to_have_text("11", timeout=20_000)  # by itself
        expect(page.get_by_role("alert")).to_have_count(0)

        server.stop()
        page.get_by_role("link", name="Les données").click()
        page.get_by_role("link", name="Carte").click()
        page.locator(".cities h3 a").first.click()
        gone = page.get_by_role("heading", name="Le service ne répond pas")
        expect(gone).to_be_visible()
        page.get_by_role("button", name="Réessayer maintenant").click()
        expect(gone).to_be_visible()
        server.start()
        expect(page.get_by_role("heading", name="Villes proches")).to_be_visible(timeout=10_000)
    finally:
        server.stop()
        visit.context.close()


PHOTO = "https://upload.wikimedia.org/wikipedia/commons/b/b4/Brest_port.jpg"


def test_a_photo_comes_when_it_is_asked_for(altered: Altered) -> None:
    told = ("Brest est une commune française.", PHOTO, "29019")
    visit = altered(("UPDATE cities SET description = ?, photo = ? WHERE insee_com = ?", told))
    page = visit.page
    page.route("https://upload.wikimedia.org/**", lambda route: route.fulfill(path=ROOT / "web/page/icon.svg"))
    page.goto("?ville=29019")
    expect(page.locator(".description")).to_contain_text("Brest est une commune française.")
    expect(page.locator(".description .credit")).to_contain_text("Wikipédia, ses auteurs, CC BY-SA")
    licence = page.get_by_role("link", name="auteur et licence")
    expect(licence).to_have_attribute("href", re.compile("Brest_port.jpg$"))
    assert PHOTO not in visit.asked
    page.get_by_role("button", name="Afficher une photo").click()
    expect(page.get_by_role("img", name="Vue de Brest")).to_be_visible()
    assert PHOTO in visit.asked
    assert visit.said == []


def test_slow_is_said(visit: Visit) -> None:
    page = visit.page
    cdp = visit.context.new_cdp_session(page)
    page.goto("")
    total(page)
    slow = {"offline": False, "latency": 3_500, "downloadThroughput": -1, "uploadThroughput": -1}
    cdp.send("Network.emulateNetworkConditions", slow)
    page.locator(".cities h3 a").first.click()
    expect(page.locator(".pending .slow")).to_contain_text("plus long que d’habitude")
    expect(page.get_by_role("heading", name="Le lieu")).to_be_visible()


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


def test_a_city_names_the_communes_that_it_was_made_of(visit: Visit) -> None:
    page = visit.page
    page.goto("?ville=01091")  # an old link
    expect(page.locator("h1")).to_have_text("Valserhône")
    expect(page.locator(".city header")).to_contain_text(
        "Réunit Bellegarde-sur-Valserine, Châtillon-en-Michaille, Lancrans et 4 communes dont le nom n’est pas connu"
    )
    page.goto("?vue=donnees")
    expect(page.locator(".lead")).to_contain_text("Géographie : COG 2026.")
    page.goto("?ville=29019")
    expect(page.locator("h1")).to_have_text("Brest")
    expect(page.get_by_text("Réunit")).to_have_count(0)


def test_invented_figures_are_said_on_every_view(visit: Visit, altered: Altered) -> None:
    real = altered(("UPDATE release_sources SET sha256 = 'x' WHERE source_id = ?", ("communes",)))
    for page, times in ((visit.page, 1), (real.page, 0)):
        for view in ("", "?vue=donnees", "?metier=D1102", "?ville=69123"):
            page.goto(view)
            expect(page.locator("footer")).to_contain_text("Version")
            expect(page.get_by_text("Données d’essai, inventées")).to_have_count(times)


def test_the_first_view_is_light(visit: Visit) -> None:
    page = visit.page
    cdp = visit.context.new_cdp_session(page)
    cdp.send("Network.enable")
    sizes: list[float] = []
    cdp.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto("")
    total(page)
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 10
    assert sum(sizes) < FIRST_VIEW_BYTES


def test_the_policy_holds(visit: Visit, url: str) -> None:
    policy = httpx.get(url).headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy
    visit.page.goto("")
    total(visit.page)
    refused = "document.body.append(Object.assign(document.createElement('script'), { textContent: 'ran = 1' }))"
    visit.page.evaluate(refused)
    assert visit.page.evaluate("typeof ran") == "undefined"
    assert len(visit.said) == 1
    assert "Content Security Policy" in visit.said.pop()


def test_names_and_ages_are_written_well(visit: Visit) -> None:
    visit.page.goto("")
    call = "([name, ...given]) => import('/page/words.js').then((words) => words[name](...given))"
    for name, given, written in (
        ("placeName", ["SAINT-JEAN-DE-LUZ"], "Saint-Jean-de-Luz"),
        ("placeName", ["LES SABLES-D'OLONNE"], "Les Sables-d'Olonne"),
        ("placeName", ["L'HAY-LES-ROSES"], "L'Hay-les-Roses"),
        ("fold", ["Œuvre d’Été"], "oeuvre d'ete"),
        ("recruiting", [1], "Recrutement facile"),
        ("recruiting", [5], "Recrutement difficile"),
        ("recruiting", [None], "Recrutement d’indice inconnu"),
    ):
        assert visit.page.evaluate(call, [name, *given]) == written
    age = "([vintage, now]) => import('/page/words.js').then((words) => words.age(vintage, new Date(now)))"
    for vintage, written in (("2019", "7 ans"), ("20261101", "24 jours"), ("2025-11-02", "12 mois"), ("346", "")):
        assert visit.page.evaluate(age, [vintage, "2026-11-25"]) == written


def test_every_facility_of_the_sample_has_its_label() -> None:
    labels = json.loads((PAGE / "facilities.json").read_text(encoding="utf-8"))["vintages"][-1]["labels"]
    facts = (ROOT / "tests" / "sample_maker" / "facts" / "facilities.csv").read_text(encoding="utf-8").splitlines()[1:]
    for code, _, label in (line.split(";") for line in facts):
        assert labels[code] == label.replace("'", "’")


def test_what_is_served_is_packed(url: str) -> None:
    served = httpx.get(f"{url}page/basins.json")
    assert served.headers["content-encoding"] == "gzip"
    assert served.content == (PAGE / "basins.json").read_bytes()
    assert served.headers["cache-control"] == "no-cache"
    known = {"if-none-match": served.headers["etag"]}
    assert httpx.get(f"{url}page/basins.json", headers=known).status_code == 304
    assert httpx.get(f"{url}page/../app.py").status_code == 404
    assert httpx.get(f"{url}page/%2e%2e/%2e%2e/pyproject.toml").status_code == 404
