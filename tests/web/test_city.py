"""A city's sheet: each figure in its context, weekly offers, aids, and why this city."""

import re
from statistics import median

import httpx
import pytest
from playwright.sync_api import expect

from tests.web.conftest import Altered, Visit
from tests.web.test_routes import sql

COLUMNS = ("population", "z_moyen", "distance_from_sea", "superficie", "average_houseselled", "rent_t2")


@pytest.mark.parametrize("insee", ["29019", "75056", "97302", "97501"])
def test_figures_are_those_of_the_tables(url: str, warehouse: str, insee: str) -> None:
    figures = httpx.get(f"{url}cities/figures/{insee}").json()["figures"]
    for column in COLUMNS:
        known = f"{column} IS NOT NULL AND nom_comm NOT LIKE '%-ARRONDISSEMENT'"
        known += f" AND {column} <> 0" * (column == "average_houseselled")
        rows = sql(warehouse, f"SELECT insee_com, code_dept, {column} FROM cities WHERE {known}")
        of = {code: value for code, _, value in rows}
        departement = sql(warehouse, "SELECT code_dept FROM cities WHERE insee_com = :code", code=insee)[0][0]
        near = [value for _, code, value in rows if code == departement]
        said = figures[column]
        assert said["france"] == pytest.approx(median(of.values()))
        assert said["departement"] == (pytest.approx(median(near)) if near else None)
        assert said["rank"] == (1 + sum(value > of[insee] for value in of.values()) if insee in of else None)
        assert said["of"] == len(of)


def test_each_figure_has_its_context_and_its_source(visit: Visit, url: str) -> None:
    answer = httpx.get(f"{url}cities/figures/29019").json()
    assert answer["criterions"] == ["side-sea", "big-city"]
    assert (answer["figures"]["average_houseselled"]["vintage"], answer["figures"]["population"]["vintage"]) == (
        "2019",
        "2026",
    )
    visit.page.goto("?ville=29019")
    price = visit.page.locator(".facts-group div", has_text="Prix de vente")
    expect(price).to_contain_text(re.compile(r"Finistère 979 €/m².*France .* €/m².*\d+e sur \d+.*DGFiP, 2019"))
    expect(visit.page.locator(".why li")).to_have_text([re.compile("^Mer"), re.compile("^Grande ville")])


def test_what_is_unknown_is_said_and_what_is_unknown_of_all_is_not_there(altered: Altered) -> None:
    visit = altered(
        ("UPDATE cities SET z_moyen = NULL WHERE insee_com = ?", ("29019",)),
        ("UPDATE cities SET average_temperature = ?", (None,)),
        ("UPDATE cities SET average_houserent = ?", (0,)),
    )
    visit.page.goto("?ville=29019")
    facts = visit.page.locator(".facts-group")
    expect(facts.locator("div", has_text="Altitude moyenne").locator("dd").first).to_have_text("inconnu")
    expect(facts.first).to_contain_text("Finistère")
    expect(facts.get_by_text("Température")).to_have_count(0)
    expect(facts.get_by_text("Loyer", exact=True)).to_have_count(0)
    assert visit.said == []


def test_weekly_offers_are_a_curve(altered: Altered) -> None:
    more = "INSERT INTO offers_history (week, code_region, rome_id, number, days) VALUES (?, 53, 'D1102', ?, 1)"
    weeks = [(f"2021-11-{day:02}", number) for day, number in ((1, 4), (8, 12), (15, 7))]
    visit = altered(*((more, week) for week in weeks))
    visit.page.goto("?ville=29019&metier=D1102")
    trend = visit.page.locator(".trend")
    expect(trend).to_contain_text("en Bretagne, semaine du 20 décembre 2021 ; 4 la semaine du 1 novembre 2021")
    points = (trend.locator("polyline").get_attribute("points") or "").split()
    assert len(points) == 4
    assert visit.said == []


def test_aids_that_fit_are_there(visit: Visit) -> None:
    visit.page.goto("?ville=29019")
    aids = visit.page.locator("section", has=visit.page.get_by_role("heading", name="Être aidé"))
    expect(aids.locator("details").first).to_be_visible()
    aid = aids.locator("details", has_text="MOBILI-JEUNE")
    aid.locator("summary").click()
    expect(aid).to_contain_text("Les moins de 30 ans en alternance")
    expect(aid).not_to_contain_text("salarié^")
