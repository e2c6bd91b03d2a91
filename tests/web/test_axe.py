"""Axe, which looks at a page as assistive technology does, finds nothing wrong with any view."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.web.conftest import Visit

VIEWS = (
    *("", "?metier=D1102", "?metier=D1102&ville=29019", "?vue=donnees", "?ville=99999"),
    *("?metier=Z9999", "?metier=A0000", "nope", "mentions-legales", "accessibilite"),
    *("?region=53", "?departement=29&metier=D1102", "dictionary"),
    *("?vue=comparer", "?vue=comparer&metier=D1102&comparer=29019,69123,97302"),
)
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "dark": ["color-contrast", "link-in-text-block"],
}
"""What axe looks for: in the dark nothing but colours is otherwise, of which these two are."""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", RULES)
def test_axe_finds_nothing(url: str, browser: Browser, scheme: str, width: int) -> None:
    visit = Visit(browser, url, width, 900, scheme)
    for address in VIEWS:
        visit.page.goto(address)
        expect(visit.page.locator("h1")).to_be_visible()
        expect(visit.page.locator(".pending")).to_have_count(0)
        visit.page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
        found = Axe().run(visit.page, options={"runOnly": RULES[scheme], "resultTypes": ["violations"]})
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
    visit.context.close()
