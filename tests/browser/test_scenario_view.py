"""Looking at a running scenario."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.product import Product

User = Callable[[str], Page]


def card(page: Page, title: str) -> Locator:
    return page.locator(".react-flow__node", has=page.get_by_text(title, exact=True))


def opened(user: User, shop: Product) -> Page:
    page = user(f"/scenarios/{shop.scenario_id}")
    expect(page.locator(".card")).to_have_count(12)
    return page


def test_the_canvas_shows_every_step_with_its_figures(user: User, shop: Product) -> None:
    page = opened(user, shop)
    expect(card(page, "New customer")).to_contain_text("40entered")
    expect(card(page, "Welcome letter")).to_contain_text("40sent")
    expect(card(page, "Give time to read")).to_contain_text("40inside")
    expect(page.locator(".strip")).to_contain_text("40 entered")
    expect(page.locator(".strip")).to_contain_text("40 inside")
    expect(page.locator(".react-flow__edge")).to_have_count(12)
    expect(page.locator(".link.back")).to_have_count(1)


def test_figures_change_before_ones_eyes(user: User, shop: Product) -> None:
    page = opened(user, shop)
    expect(page.get_by_label("Live")).to_be_visible()
    shop.move(minutes=2)
    expect(card(page, "Please confirm")).to_contain_text("40sent")
    expect(card(page, "Give time to read")).to_contain_text("0inside")
    expect(card(page, "Subscription confirmed?")).to_contain_text("40 · 100%No")


def test_a_step_opens_beside_the_canvas_with_its_settings(user: User, shop: Product) -> None:
    page = opened(user, shop)
    card(page, "Subscription confirmed?").locator(".card-name").click()
    drawer = page.get_by_role("dialog", name="Subscription confirmed?")
    expect(drawer.get_by_label("Name on the canvas")).to_have_value("Subscription confirmed?")
    expect(drawer.get_by_role("combobox", name="Resource")).to_have_value("Newsletter")
    expect(drawer.get_by_text("is confirmed", exact=True)).to_be_visible()
    expect(drawer.get_by_role("combobox", name="Yes leads to")).to_have_value("Add bonus points")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_a_pause_lists_the_people_inside_and_leads_to_them(user: User, shop: Product) -> None:
    page = opened(user, shop)
    card(page, "Give time to read").locator(".card-name").click()
    page.get_by_role("tab", name="Inside now").click()
    expect(page.locator(".person")).to_have_count(40)
    page.locator(".person").first.click()
    expect(page.get_by_role("heading", name="Path through scenarios")).to_be_visible()


def test_a_period_before_anything_happened_has_no_entries_but_people_inside(user: User, shop: Product) -> None:
    page = opened(user, shop)
    page.get_by_role("button", name="Period").click()
    page.get_by_role("menuitem", name="Today").click()  # the product's clock stands weeks before the browser's
    expect(page.locator(".strip")).to_contain_text("0 entered")
    expect(page.locator(".strip")).to_contain_text("40 inside")


def test_the_whole_screen_speaks_russian(open_page: Callable[..., Page], shop: Product) -> None:
    page = log_in(open_page("ru", dark=True), f"/scenarios/{shop.scenario_id}")
    expect(page.locator(".card")).to_have_count(12)
    expect(page.locator(".strip")).to_contain_text("40 вошли")
    expect(card(page, "Give time to read")).to_contain_text("Пауза")
    expect(page.get_by_role("button", name="Остановить")).to_be_visible()
