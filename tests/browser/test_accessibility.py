"""Every screen passes axe, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from sojourn.kernel.tokens import installation_key
from sojourn.profiles.categories import CategoryDraft, set_categories
from sojourn.templates import LinkFactory
from tests.browser.conftest import log_in
from tests.browser.product import Product

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
_READY = ".page h1, .card, .letter h2, .login"


def violations(page: Page) -> list[str]:
    assert AXE.is_file(), "axe is not installed: run `npm ci` in ui/."
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


LATER = (
    "/databases", "/databases/1", "/databases/1?tab=figures", "/databases/1?tab=settings", "/segments", "/segments/new", "/exports", "/bulk-update",
    "/suppression", "/resources", "/resources/1", "/resources/1?tab=categories", "/resources/1?tab=fields", "/import-plans", "/connections", "/external-tables", "/profiles/000000000000000000000001?tab=relations",
    "/suppression/1", "/settings/account", "/settings/privacy",
)  # fmt: skip


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_screen_breaks_a_rule_of_accessibility(open_page: Callable[..., Page], shop: Product, dark: bool) -> None:
    page = open_page(dark=dark)
    page.goto("/login")
    page.locator(".login").wait_for()
    found = {"/login": violations(page)}
    log_in(page)
    scenario = f"/scenarios/{shop.scenario_id}"
    for path in ("/", "/scenarios", scenario, "/profiles", "/sandbox?message=1", "/imports", *LATER):
        page.goto(path)
        page.locator(_READY).first.wait_for()
        page.wait_for_timeout(700)
        found[path] = violations(page)
    page.goto(scenario)
    page.get_by_text("Subscription confirmed?", exact=True).click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_timeout(500)
    found["drawer"] = violations(page)
    assert {path: rules for path, rules in found.items() if rules} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nor_do_the_pages_of_recipients(browser: Browser, shop: Product, dark: bool) -> None:
    set_categories(shop.connection, 1, [CategoryDraft("sale", "Sales", "Reduced"), CategoryDraft("new", "New")])
    shop.connection.execute("UPDATE subscription SET status = 0, effective = 0")
    row = shop.connection.execute("SELECT lane, passage_id, hop FROM message LIMIT 1").fetchone()
    assert row
    links = LinkFactory(shop.address, installation_key(shop.settings.data)).of(*row)
    page = browser.new_context(color_scheme="dark" if dark else "light", bypass_csp=True).new_page()
    found = {}
    for address in (
        f"{links.manage_url}?lang=en",
        f"{links.manage_url}?lang=ru",
        links.unsubscribe_url,
        links.opt_in_url,
    ):
        page.goto(address)
        found[address] = violations(page)
    page.goto(links.manage_url)
    page.get_by_label("Email").evaluate("field => { field.type = 'text'; field.value = 'no address' }")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    found["wrong"] = violations(page)
    assert {path: rules for path, rules in found.items() if rules} == {}
