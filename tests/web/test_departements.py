"""Departments: their official names, whatever the warehouse calls them; one fills the map and narrows the list."""

import json
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import expect

from tests.conftest import ROOT
from tests.web.conftest import Altered, Visit, comes_true
from tests.web.test_page import PAGE, total

KNOWN = "import('/page/departements.js').then((it) => it.DEPARTEMENTS.map((one) => Object.values(one)))"


def test_every_department_has_its_name_and_region(visit: Visit) -> None:
    """Codes and regions are those of the outlines; the sample's file has the names too, by hand."""
    visit.page.goto("")
    known = visit.page.evaluate(KNOWN)
    pieces = json.loads((PAGE / "basins.json").read_text(encoding="utf-8"))["objects"]["pieces"]["geometries"]
    of_pieces = [piece["properties"] for piece in pieces if piece["type"] != "Point"]
    assert {(code, region) for code, _, region in known} == {(it["departement"], it["region"]) for it in of_pieces}
    sample = (ROOT / "raw_data" / "sample" / "departements.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    named = {code.zfill(2): name for code, name, *_ in (line.split(";") for line in sample)}
    assert {code: name for code, name, _ in known} == {code: named[code] for code, *_ in known}
    assert len(known) == 101


def test_departments_are_called_by_their_official_names(altered: Altered) -> None:
    page = altered(("UPDATE departements SET name = ? WHERE code = ?", ("Finistere", "29"))).page
    page.goto("?region=53")
    total(page)
    expect(page.locator(".cities > li", has_text="Brest")).to_contain_text("Finistère · Bretagne")
    for view in ("?ville=29019", "?vue=comparer&comparer=29019"):
        page.goto(view)
        expect(page.locator("main")).to_contain_text("Finistère")
        expect(page.locator(".pending")).to_have_count(0)
        expect(page.locator("main")).not_to_contain_text("Finistere")


FILLS = """() => {
    const [width, height] = [640, 620], box = document.querySelector(".outline").getBBox();
    return [Math.max(box.width / width, box.height / height), box.x, box.y];
}"""
BESIDE = """() => {
    const points = [...document.querySelectorAll(".pins circle")]
        .map(({ cx, cy }) => new DOMPoint(cx.baseVal.value, cy.baseVal.value));
    return points.filter((point) => !document.querySelector(".outline").isPointInFill(point)).length;
}"""


def test_a_department_fills_the_map_and_the_list_has_its_cities(visit: Visit, url: str) -> None:
    page = visit.page
    page.goto("?metier=D1102&region=53")
    in_region = total(page)
    page.get_by_role("combobox", name="Département").select_option(label="Finistère (29)")
    page.wait_for_url("**departement=29**")
    expect(page.locator(".head h2")).not_to_contain_text(str(in_region))
    asked = {"codeRome": "D1102", "departement": "29"}
    found = httpx.post(f"{url}cities/search", json=asked).json()
    assert total(page) == found["total"] > 0
    expect(page.locator(".cities > li")).to_have_count(len(found["list"]))
    for about in page.locator(".cities .about").all_inner_texts():
        assert "Finistère" in about
    share, left, top = page.evaluate(FILLS)
    assert 0.85 < share < 1
    assert min(left, top) > 0
    basins = httpx.post(f"{url}cities/search-basins", json=asked).json()
    expect(page.locator(".map [data-basin]")).to_have_count(len(basins))
    expect(page.get_by_role("combobox", name="Région")).to_have_value("53")
    page.reload()
    expect(page.get_by_role("combobox", name="Département")).to_have_value("29")
    assert total(page) == found["total"]
    page.get_by_role("link", name="← Bretagne").click()
    expect(page.locator(".outline")).to_have_count(0)
    assert total(page) == in_region


def test_a_department_is_chosen_on_the_map_of_its_region(visit: Visit) -> None:
    page = visit.page
    page.goto("")
    total(page)
    page.locator(".region[data-region='53'] path").first.click()
    finistere = page.locator(".map [data-departement='29']")
    finistere.hover()
    expect(page.locator(".readout")).to_have_text("Finistère")
    finistere.click()
    page.wait_for_url("**?departement=29")
    assert total(page) > 0
    assert page.evaluate(BESIDE) <= 1  # an island that is too small to be drawn
    page.go_back()
    expect(page.get_by_role("combobox", name="Région")).to_have_value("53")
    expect(page.get_by_role("combobox", name="Département")).to_have_value("")


def test_a_department_is_chosen_by_the_keyboard(visit: Visit) -> None:
    page = visit.page
    page.goto("?region=53")
    total(page)
    page.get_by_role("combobox", name="Région").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Département")).to_be_focused()
    page.keyboard.type("Fin")
    page.wait_for_url("**?departement=29")
    total(page)
    expect(page.get_by_role("combobox", name="Département")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    comes_true(page, "!location.search")
    expect(page.get_by_role("combobox", name="Département").locator("option")).to_have_count(102)


def test_another_region_leaves_the_department(visit: Visit) -> None:
    page = visit.page
    page.goto("?departement=29")
    total(page)
    page.get_by_role("combobox", name="Région").select_option(label="Corse")
    page.wait_for_url("**?region=94")
    assert page.get_by_role("combobox", name="Département").locator("option").all_inner_texts() == [
        "Tous",
        "Corse-du-Sud (2A)",
        "Haute-Corse (2B)",
    ]
    page.goto("?departement=974")
    page.get_by_role("link", name="← Toute la France").click()
    expect(page.locator(".map .region")).to_have_count(18)


def test_a_department_that_there_is_not_is_said_and_mended(visit: Visit) -> None:
    page = visit.page
    page.goto("?region=53&departement=20")
    expect(page.get_by_role("status").filter(has_text="connaissons pas")).to_contain_text("le département « 20 »")
    assert total(page) > 0
    assert urlsplit(page.url).query == "region=53"
