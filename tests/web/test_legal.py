"""The pages that a public site must have."""

from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect

from tests.api.server import Server
from tests.web.conftest import Visit, address_of

OPERATOR = {"NAME": "Ville <b>d’essai</b>", "CONTACT": "contact@essai.example", "HOST": "Hébergeur d’essai, Brest"}


def test_the_footer_leads_to_them(visit: Visit) -> None:
    for link, title in (("Mentions légales", "Mentions légales"), ("Accessibilité", "Déclaration d’accessibilité")):
        visit.page.goto("?metier=D1102&ville=29019")
        visit.page.locator("footer").get_by_role("link", name=link).click()
        expect(visit.page.locator("h1")).to_have_text(title)
        assert visit.page.title() == f"{title} · Mobiville"
        expect(visit.page.locator("main")).to_contain_text("[non renseigné]")
    visit.page.get_by_role("link", name="Mobiville", exact=True).click()
    expect(visit.page.locator("h1")).to_contain_text("Où exercer votre métier")


def test_the_operator_is_named_as_the_settings_say(warehouse: str, tmp_path: Path, browser: Browser) -> None:
    server = Server(tmp_path, warehouse)
    server.stop()
    server.environment |= {f"MOBIVILLE_OPERATOR_{name}": value for name, value in OPERATOR.items()}
    server.start()
    visit = Visit(browser, address_of(server), 1280, 900)
    try:
        for page, shown in (("mentions-legales", ("NAME", "CONTACT", "HOST")), ("accessibilite", ("NAME", "CONTACT"))):
            visit.page.goto(page)
            for name in shown:
                expect(visit.page.locator("main")).to_contain_text(OPERATOR[name])
        assert visit.said == []
    finally:
        visit.context.close()
        server.stop()


def test_they_are_read_without_a_script_and_through_the_proxy_path(url: str) -> None:
    for path in ("mentions-legales", "accessibilite", "api/accessibilite", "accessibilite/"):
        answer = httpx.get(url + path)
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert "{" not in answer.text
