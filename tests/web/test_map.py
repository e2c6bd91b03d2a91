"""The map: basins as areas, pins and names that do not overlap, what fills it, and how it is moved."""

import json
from itertools import combinations
from math import hypot

import httpx
import pytest
from playwright.sync_api import expect

from tests.web.conftest import Visit, comes_true
from tests.web.test_page import PAGE, total

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
    expect(visit.page.locator(".commune")).to_have_count(1)
    assert visit.page.evaluate(IS_IN, ".commune")


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
    comes_true(page, f"document.querySelector('.map .region').getBoundingClientRect().width > {larger['width'] * 1.2}")
    assert before_names > 10
