"""Profiles, their ways through scenarios, and the letters they got."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo.customers import customers
from tests.browser.product import Product

User = Callable[[str], Page]
FIRST = customers()[0].email


def test_people_are_found_by_a_contact(user: User, shop: Product) -> None:
    page = user("/profiles")
    expect(page.locator("tbody tr")).to_have_count(40)
    page.get_by_role("searchbox").fill(FIRST)
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody@example.com")
    expect(page.get_by_text("Nobody has this contact.")).to_be_visible()


def test_a_profile_shows_fields_subscriptions_messages_and_its_path(user: User, shop: Product) -> None:
    shop.move(minutes=2)
    page = user(f"/profiles?search={FIRST}")
    page.locator("tbody tr a").click()
    expect(page.get_by_role("heading", name="Subscriptions").locator("..")).to_contain_text("Unconfirmed")
    expect(page.get_by_role("heading", name="Fields").locator("..")).to_contain_text(FIRST)
    path = page.get_by_role("heading", name="Path through scenarios").locator("..")
    steps = path.locator("li b").all_inner_texts()
    assert steps[:7] == [
        "Entered the scenario", "New customer", "Welcome letter", "Give time to read", "Subscription confirmed?", "SMS already sent?", "Please confirm",
    ]  # fmt: skip
    assert "Wait for an answer" in steps[-1]
    expect(page.get_by_role("heading", name="Messages").locator("..")).to_contain_text("Welcome letter")


def test_a_letter_is_read_in_a_frame_without_scripts_and_its_links_open_a_new_tab(user: User, shop: Product) -> None:
    page = user("/sandbox")
    page.get_by_role("searchbox").fill(FIRST)
    expect(page.locator(".letter-row")).to_have_count(1)
    page.locator(".letter-row").click()
    frame = page.locator("iframe")
    assert frame.get_attribute("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
    link = page.frame_locator("iframe").locator("a").first
    expect(link).to_be_visible()
    with page.context.expect_page() as opening:
        link.click()
    assert opening.value.url.startswith(shop.address)
    page.get_by_role("tab", name="Text").click()
    expect(page.locator(".letter-text")).to_contain_text("http")


def test_an_sms_is_shown_as_text(user: User, shop: Product) -> None:
    shop.move(minutes=2)
    page = user("/sandbox")
    page.locator(".letter-row", has=page.get_by_label("SMS")).first.click()
    expect(page.locator(".sms-bubble")).to_contain_text("100 points")


def test_an_empty_product_says_what_to_do(user: User, product: Product) -> None:
    page = user("/scenarios")
    expect(page.get_by_text("No scenarios yet")).to_be_visible()
    page.goto("/profiles")
    expect(page.get_by_text("No profile database yet")).to_be_visible()
    page.goto("/sandbox")
    expect(page.get_by_text("The mailbox is empty")).to_be_visible()
    page.goto("/profiles/000000000000000000000001")
    expect(page.get_by_text("This could not be loaded")).to_be_visible()
    page.goto("/no/such/page")
    expect(page.get_by_text("There is no such page.")).to_be_visible()
