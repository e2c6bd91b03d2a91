"""Up to three cities side by side: what the sheets say, in one table that its address holds."""

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.conftest import Visit


def values(page: Page, label: str) -> list[str]:
    """What the table says of a figure: of each city, then of France."""
    told: Locator = page.locator("tbody", has=page.get_by_role("rowheader", name=re.compile(f"^{label}")))
    return told.locator("td").all_inner_texts()


def digits(text: str) -> str:
    """The digits of a number, without the spaces between."""
    return re.sub(r"\D", "", text)


def test_from_a_sheet_to_three_cities_by_the_keyboard(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102&ville=29019")
    page.get_by_role("link", name="Comparer à d’autres villes").press("Enter")
    expect(page.locator("h1")).to_have_text("Comparer des villes")
    expect(page.locator("h1")).to_be_focused()
    for name in ("Lyon", "Cayenne"):
        field = page.get_by_role("combobox", name="Ajouter une ville")
        field.press_sequentially(name)
        expect(page.get_by_role("option").filter(has_text=name).first).to_be_visible()
        field.press("Enter")
        expect(page.get_by_role("columnheader", name=name)).to_be_visible()
    expect(page.get_by_role("combobox", name="Ajouter une ville")).to_have_count(0)
    assert "comparer=29019%2C69123%2C97302" in page.url
    page.reload()
    expect(page.get_by_role("columnheader")).to_have_text(
        [re.compile(name) for name in ("Brest", "Lyon", "Cayenne", "France")]
    )
    page.get_by_role("link", name="Retirer Lyon").press("Enter")
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.get_by_role("link", name="Cayenne", exact=True).press("Enter")
    expect(page.locator("h1")).to_have_text("Cayenne")
    page.get_by_role("link", name="Voir la comparaison").press("Enter")
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.get_by_role("combobox", name="Aller à une ville").fill("saint-")
    page.get_by_role("option").filter(has_text="Saint-Brieuc").click()
    page.get_by_role("link", name="Ajouter à la comparaison").click()
    expect(page.get_by_role("columnheader", name="Saint-Brieuc")).to_be_visible()


def test_the_figures_are_those_of_the_api(visit: Visit, url: str) -> None:
    codes = ("29019", "97302")
    cities = [httpx.get(f"{url}cities/load/{code}").json() for code in codes]
    figures = httpx.get(f"{url}cities/figures/29019").json()["figures"]
    trades = [httpx.get(f"{url}cities/trades/{code}").json()["trades"] for code in codes]
    page = visit.page
    page.goto(f"?vue=comparer&comparer={','.join(codes)}&metier=D1102")
    expect(page.get_by_role("columnheader")).to_have_count(3)
    expect(page.get_by_text("Prix de vente")).to_be_visible()
    people = [round(of * 1000) for of in (*(city["population"] for city in cities), figures["population"]["france"])]
    assert [digits(text) for text in values(page, "Population")] == [str(number) for number in people]
    prices = [digits(text.split("€")[0]) for text in values(page, "Prix de vente")]
    sold = [cities[0]["average_houseselled"], figures["average_houseselled"]["france"]]
    assert [prices[0], prices[-1]] == [str(round(price)) for price in sold]
    offers = [str(sum(trade["number"] or 0 for trade in those)) for those in trades]
    assert [digits(text) for text in values(page, "Offres dans la commune")][:2] == offers
    row = page.get_by_role("rowheader", name=re.compile("^Prix de vente"))
    expect(row).to_contain_text(re.compile("DGFiP, 2019"))


@pytest.mark.parametrize("codes", ["99999", "29019,99999"])
def test_a_city_that_there_is_not_is_said(visit: Visit, codes: str) -> None:
    visit.page.goto(f"?vue=comparer&comparer={codes}")
    expect(visit.page.get_by_text("Aucune commune n’a le code INSEE « 99999 »")).to_be_visible()
    expect(visit.page.get_by_role("table")).to_have_count(int("29019" in codes))
    assert [said for said in visit.said if "status of 404" not in said] == []
    visit.said.clear()


def test_what_are_no_cities_is_said_and_mended(visit: Visit) -> None:
    visit.page.goto("?vue=comparer&comparer=ailleurs")
    expect(visit.page.get_by_role("status").filter(has_text="les villes « ailleurs »")).to_be_visible()
    expect(visit.page.get_by_text("Choisissez jusqu’à trois villes")).to_be_visible()
    assert "ailleurs" not in visit.page.url
