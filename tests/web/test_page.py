"""What people do on the page, in a real browser, on the real API."""

import json
import re
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.api.server import Server
from tests.conftest import ROOT
from tests.web.conftest import Altered, Visit, address_of

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
