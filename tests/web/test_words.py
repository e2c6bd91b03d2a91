"""Names, places, years and orders are written as French readers write them."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.web.conftest import Altered, Visit
from tests.web.test_page import names, total


@pytest.mark.parametrize(
    ("name", "given", "written"),
    [
        ("of", "Orléans", "d’Orléans"),
        ("of", "Évreux", "d’Évreux"),
        ("of", "Hyères", "d’Hyères"),
        ("of", "Haguenau", "de Haguenau"),
        ("of", "Le Mans", "du Mans"),
        ("of", "Les Abymes", "des Abymes"),
        ("of", "Lens", "de Lens"),
        ("basinName", "PAYS D AUGE", "Bassin de Pays d’Auge"),
        ("basinName", "Agde-Pézenas", "Bassin d’Agde-Pézenas"),
        ("basinName", "BASSIN BASSE-TERRE", "Bassin Basse-Terre"),
        ("inhabitants", 0.0, "moins de 50 habitants"),
        ("inhabitants", 0.1, "100 habitants"),
        ("years", "2019", "2019"),
        ("years", "20211221", "21 décembre 2021"),
        ("years", "2021-12-20 to 2021-12-21", "20–21 décembre 2021"),
        ("years", "1981-2010", "1981–2010"),
        ("years", "unknown", "non précisé"),
        ("years", None, "non précisé"),
    ],
)
def test_words(visit: Visit, name: str, given: object, written: str) -> None:
    visit.page.goto("")
    call = "([name, given]) => import('/page/words.js').then((words) => words[name](given))"
    assert visit.page.evaluate(call, [name, given]) == written


def test_places_are_named_with_their_accents(visit: Visit) -> None:
    page = visit.page
    page.goto("?metier=D1102&ville=45234")
    expect(page.locator(".city")).to_contain_text("Bassin d’Orléans.")
    page.goto("?metier=D1102&ville=29019")
    expect(page.locator(".city")).to_contain_text("Béziers")
    page.get_by_role("combobox", name="Aller à une ville").fill("pointe-a-p")
    expect(page.get_by_role("option").first).to_contain_text("Pointe-à-Pitre")
    page.goto("?region=53")
    expect(page.locator(".cities")).to_contain_text("Finistère · Bretagne")
    page.goto("?region=3")
    expect(page.locator(".cities > li .about > p").first).to_have_text("Guyane")
    page.goto("?ville=97302")
    expect(page.locator(".where").first).to_have_text("Guyane · 97300")


def test_a_commune_of_next_to_nobody(visit: Visit, url: str) -> None:
    found = httpx.post(f"{url}cities/autocomplete", json={"query": "Le Mont-Saint-Michel"}).json()
    visit.page.goto(f"?ville={found[0]['insee_com']}")
    expect(visit.page.get_by_text("moins de 50 habitants")).to_be_visible()


def test_near_cities_are_listed_near_first(visit: Visit) -> None:
    visit.page.goto("?ville=75056")
    near = visit.page.locator("section", has=visit.page.get_by_role("heading", name="Villes proches")).locator(
        "li span"
    )
    expect(near.nth(5)).to_be_visible()
    distances = [int(found[1]) for text in near.all_inner_texts() if (found := re.search(r"à (\d+) km", text))]
    assert len(distances) == 6
    assert distances == sorted(distances)


def test_the_order_of_the_list_is_labelled_as_it_is(visit: Visit) -> None:
    page, order = visit.page, visit.page.get_by_role("combobox", name="Trier par")
    page.goto("")
    total(page)
    assert order.locator("option").all_inner_texts() == ["Population", "Proximité de la mer", "Altitude"]
    page.goto("?metier=D1102&tri=mer")
    total(page)
    assert order.locator("option").all_inner_texts()[1] == "Indice, puis proximité de la mer"
    assert names(page)


def test_a_basin_without_a_name(altered: Altered) -> None:
    visit = altered(("UPDATE bassins SET bassin_name = NULL WHERE bassin_id > ?", (0,)))
    visit.page.goto("?ville=29019&metier=D1102")
    expect(visit.page.locator(".city")).to_contain_text("offres dans la commune")
    visit.page.goto("?metier=D1102")
    total(visit.page)
    assert visit.said == []
