"""The index of tension is said as it is, from the employers' side, and no colour says good or bad."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import ROOT
from tests.web.conftest import Visit
from warehouse.criteria import OPPORTUNITY_BELOW

WORDS = ("facile", "plutôt facile", "ni facile ni difficile", "plutôt difficile", "difficile")


def test_each_class_is_in_words_and_in_shape(visit: Visit, url: str) -> None:
    body = {"codeRome": ["D1102"]}
    cities = httpx.post(f"{url}cities/search", json=body | {"index": 100}).json()["list"]
    visit.page.goto("?metier=D1102&page=11")
    items = visit.page.locator(".cities > li")
    expect(items).to_have_count(len(cities))
    for city, item in zip(cities, items.all(), strict=True):
        index = city["bassin.tensions.ind_t"]
        expect(item.locator(".tag")).to_contain_text(f"Recrutement {WORDS[index - 1]} indice {index} sur 5")
        expect(item.locator(".gauge .on")).to_have_count(index)
    for basin in httpx.post(f"{url}cities/search-basins", json=body).json():
        said = f"recrutement {WORDS[basin['ind_t'] - 1]} (indice {basin['ind_t']})"
        expect(visit.page.locator(f".map .basin[data-city='{basin['insee_com']}']")).to_have_attribute(
            "data-says", re.compile(re.escape(said))
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_of_the_classes_take_no_side(url: str, browser: Browser, scheme: str) -> None:
    visit = Visit(browser, url, 1280, 900, scheme)
    visit.page.goto("?metier=D1102")
    classes = visit.page.locator(".legend rect[class^=index]")
    expect(classes).to_have_count(5)
    painted = """all => all.map((it) => {
        const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
        context.fillStyle = getComputedStyle(it).fill;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]; })"""
    colours = classes.evaluate_all(painted)
    assert all(green < blue and abs(red - green) < 30 for red, green, blue in colours), "neither green nor red"
    lightness = [sum(colour) for colour in colours]
    assert lightness == sorted(lightness, reverse=scheme == "light")
    assert len(set(lightness)) == 5
    visit.context.close()


def test_the_filter_of_the_web_tier_says_what_it_does(visit: Visit) -> None:
    assert OPPORTUNITY_BELOW == 4
    visit.page.goto("?metier=D1102")
    expect(visit.page.locator(".hint")).to_have_text(
        "« Opportunités d’emploi » garde les bassins d’indice 1 à 3, « Peu d’opportunités » ceux d’indice 4 et 5."
    )
    visit.page.get_by_label("Peu d’opportunités", exact=True).check()
    expect(visit.page.locator(".cities .tag").first).to_contain_text("indice 4 sur 5")
    seen = visit.page.locator("#page").inner_text().replace("« Opportunités d’emploi »", "")
    assert "recherché" not in seen
    assert "offrent des opportunités" not in seen


def test_the_owner_is_asked(visit: Visit) -> None:
    visit.page.goto("")
    expect(visit.page.locator("footer")).to_contain_text(
        "de 1, recrutement facile pour l’employeur, à 5, recrutement difficile"
    )
    assert "`ind_t` < 4" in (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
