"""Departments: their official names, whatever the warehouse calls them."""

import json

from playwright.sync_api import expect

from tests.conftest import ROOT
from tests.web.conftest import Altered, Visit
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
