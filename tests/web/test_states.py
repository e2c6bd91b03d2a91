"""What is seen while the page loads, where an address is wrong, on paper, on a phone, and by the keyboard."""

import re
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.web.conftest import Visit, comes_true
from tests.web.test_page import names, total

ONE_ROUND_TRIP = 10 * 1_460  # bytes: the first window of TCP, RFC 6928
FINGER = 44
PRESSED = "a[href], button, summary, select, .type-ahead, .chips label"
TOO_SMALL = f"""() => [...document.querySelectorAll({PRESSED!r})]
    .filter(it => it.checkVisibility() && !it.closest(".skip, .credit, p:not(.crumb, .back-out), .unseen"))
    .map(it => [it, (it.closest(".cities > li") ?? it).getBoundingClientRect()])
    .filter(([, box]) => box.height < {FINGER} - 0.5 || box.width < {FINGER} - 0.5)
    .map(([it, box]) => `${{it.outerHTML.slice(0, 90)}} ${{Math.round(box.width)}} x ${{Math.round(box.height)}}`)"""
CUT = """() => [...document.querySelectorAll("#page *")]
    .filter(it => it.checkVisibility() && !it.closest("svg, .wide, .unseen, .autocomplete__wrapper"))
    .filter(it => it.getBoundingClientRect().right > innerWidth + 0.5 || it.scrollWidth > it.clientWidth + 1
        && getComputedStyle(it).overflowX !== "visible" && it.clientWidth)
    .map(it => it.outerHTML.slice(0, 90))"""
VIEWS = (
    "",
    "?metier=D1102",
    "?metier=D1102&ville=29019",
    "?departement=29",
    "?vue=donnees",
    "?vue=comparer&comparer=29019,69123",
    "?ville=99999",
    "nope",
    "mentions-legales",
    "accessibilite",
)


def test_unknown_values_of_an_address_are_said_and_mended(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102&taille=geante&tri=prix&page=zz")
    note = page.get_by_role("status").filter(has_text="Nous ne connaissons pas")
    expect(note).to_contain_text("l’ordre « prix », la taille « geante » et le numéro de page « zz »")
    assert total(page) > 10
    assert urlsplit(page.url).query == "metier=D1102"
    page.get_by_role("link", name="Suivante").click()
    expect(note).to_have_count(0)
    page.goto("?metier=<b>")
    expect(note).to_contain_text("le métier « <b> »")


def test_a_page_after_the_last_is_the_last(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102&page=9999")
    expect(page.locator(".pages")).to_contain_text(re.compile(r"Page (\d+) sur \1\b"))
    assert len(names(page)) > 0
    assert "page=9999" not in page.url


@pytest.mark.parametrize("path", ["nope", "nope/", "a/b/c", "page/nope.js"])
def test_an_address_that_there_is_not_is_a_page(url: str, browser: Browser, path: str) -> None:
    visit = Visit(browser, url, 1280, 900)
    answer = visit.page.goto(path)
    assert answer is not None
    assert answer.status == 404
    expect(visit.page.locator("h1")).to_have_text("Cette page n’existe pas")
    assert visit.page.locator("h1").evaluate("it => getComputedStyle(it).fontSize") != "32px"
    visit.page.get_by_role("link", name="Choisir un métier").click()
    assert total(visit.page) > 10
    assert [said for said in visit.said if "status of 404" not in said] == []
    visit.context.close()


def test_programs_are_answered_in_json(url: str) -> None:
    for path, accept in (("nope", "*/*"), ("api/nope", "text/html"), ("cities/load/99999", "text/html")):
        answer = httpx.get(url + path, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


def test_the_first_answer_is_enough_for_a_first_text(visit: Visit, url: str) -> None:
    """So a slow line shows it after a single round trip, long before scripts, style and data are there."""
    others: list[Route] = []
    visit.page.route(lambda asked: asked != url, lambda route: others.append(route))
    first = visit.page.goto("", wait_until="commit")
    assert first is not None
    assert len(first.body()) < ONE_ROUND_TRIP
    comes_true(visit.page, "performance.getEntriesByName('first-contentful-paint').length > 0")
    expect(visit.page.get_by_text("Chargement des données…")).to_be_visible()
    assert len(others) > 3
    visit.page.unroute_all()  # and let go of those that were held
    expect(visit.page.locator(".list")).to_have_attribute("aria-busy", "false")
    assert total(visit.page) > 10
    expect(visit.page.get_by_text("Chargement des données…")).to_have_count(0)


def test_paper_has_no_controls(visit: Visit) -> None:
    page = visit.page
    page.emulate_media(media="print")
    for view in ("?metier=D1102", "?metier=D1102&ville=29019", "?vue=comparer&comparer=29019,69123"):
        page.goto(view)
        expect(page.locator(".pending")).to_have_count(0)
        expect(page.locator("h1")).to_be_visible()
        for control in (
            "select",
            ".chips",
            ".pages",
            "nav",
            "#ville",
            "#comparer",
            ".clear",
            "button",
            ".crumb",
            ".drop",
        ):
            assert [it for it in page.locator(control).all() if it.is_visible()] == [], control


@pytest.mark.parametrize("view", VIEWS)
def test_a_finger_finds_everything_on_a_phone(url: str, browser: Browser, view: str) -> None:
    phone = Visit(browser, url, 390, 844)
    page = phone.page
    page.goto(view)
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".pending")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelectorAll('details:not(.all-trades)').forEach((it) => { it.open = true; })")
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.context.close()


def test_rows_of_tables_are_as_high_as_what_they_say(phone: Visit) -> None:
    phone.page.goto("?vue=donnees")
    tables = phone.page.get_by_role("region", name="Tables").locator("tbody tr")
    expect(tables.first).to_be_visible()
    assert max(tables.evaluate_all("rows => rows.map((row) => row.clientHeight)")) < 50
    files = phone.page.get_by_role("region", name="Fichiers").locator("tbody tr")
    expect(files).not_to_have_count(0)
    assert all(re.search(r"\d", row.locator("td.n").first.inner_text()) for row in files.all())


RINGS = """() => { const it = document.activeElement, ring = it.closest(".cities > li") ?? it;
    const style = getComputedStyle(ring);
    const reach = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth), box = ring.getBoundingClientRect();
    const cut = [];
    for (let up = ring.parentElement; up && up !== document.body; up = up.parentElement) {
        if (getComputedStyle(up).overflowX === "visible") continue;
        const around = up.getBoundingClientRect();
        if (box.left - reach < around.left - 0.5 || box.right + reach > around.right + 0.5) cut.push(up.className);
    }
    const is_ringed = style.outlineStyle !== "none" || it.matches(".chips input, h1, main");
    return [it.outerHTML.slice(0, 80), is_ringed, cut]; }"""


def test_focus_rings_are_whole(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102")
    total(page)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # after the last
        what, has_ring, cut = page.evaluate(RINGS)
        assert has_ring, what
        assert not cut, what
