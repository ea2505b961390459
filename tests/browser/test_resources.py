"""Resources in the application, and the page where recipients manage what they get."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo.customers import customers
from sojourn.kernel.tokens import installation_key
from sojourn.templates import LinkFactory
from tests.browser.product import Product

User = Callable[[str], Page]
FIRST = customers()[0].email


def test_a_resource_gets_categories_and_a_recipient_leaves_one(user: User, shop: Product, browser) -> None:
    page = user("/resources")
    page.get_by_role("link", name="Newsletter", exact=True).click()
    page.get_by_role("tab", name="Categories").click()
    for title in ("New records", "Sales"):
        page.get_by_role("button", name="Add a category").click()
        page.get_by_label("Recipients read").last.fill(title)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There are changes that are not saved.")).to_have_count(0)
    lane, passage, hop = shop.connection.execute(
        "SELECT m.lane, m.passage_id, m.hop FROM message m JOIN profile_1 p ON p.lane = m.lane AND p.id = m.profile_id WHERE p.email = %s",
        (FIRST,),
    ).fetchone()
    shop.connection.execute("UPDATE subscription SET status = 0, effective = 0 WHERE contact = %s", (FIRST,))
    links = LinkFactory(shop.address, installation_key(shop.settings.data)).of(lane, passage, hop)
    recipient = browser.new_context(java_script_enabled=False, locale="en-GB").new_page()
    recipient.goto(links.manage_url)
    expect(recipient.get_by_role("heading", name="What you would like to get")).to_be_visible()
    recipient.get_by_label("Sales").uncheck()
    recipient.get_by_label("Name", exact=True).fill("Astrid")
    recipient.get_by_role("button", name="Save").click()
    expect(recipient.get_by_role("status")).to_have_text("Saved.")
    recipient.get_by_role("combobox", name="Take a break").select_option("60")
    recipient.get_by_role("button", name="Pause").click()
    expect(recipient.get_by_text("Paused until")).to_be_visible()
    recipient.get_by_role("link", name="По-русски").click()
    expect(recipient.get_by_role("button", name="Подписаться снова")).to_be_visible()
    card = page
    card.goto(f"/profiles?search={FIRST}")
    card.locator("tbody tr a").click()
    subscriptions = card.locator("section", has=card.get_by_role("heading", name="Subscriptions"))
    expect(subscriptions).to_contain_text("only new_records")
    expect(subscriptions).to_contain_text("Suspended")
    expect(card.get_by_role("region", name="History")).to_contain_text("Astrid")


def test_a_subscription_is_deleted_on_the_card_and_restored(user: User, shop: Product) -> None:
    page = user(f"/profiles?search={FIRST}")
    page.locator("tbody tr a").click()
    page.get_by_role("button", name=f"Actions for {FIRST}").click()
    page.get_by_role("menuitem", name="Proof of consent").click()
    expect(page.get_by_role("dialog")).to_contain_text("No text was kept.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Actions for {FIRST}").click()
    page.get_by_role("menuitem", name="Delete").click()
    subscriptions = page.locator("section", has=page.get_by_role("heading", name="Subscriptions"))
    expect(subscriptions).to_contain_text("deleted")
    subscriptions.get_by_role("button", name="Restore").click()
    expect(subscriptions).to_contain_text("Unconfirmed")
