"""Two entries of one person become one on the card, and come apart again."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from demo.customers import customers
from tests.browser.product import Product

User = Callable[[str], Page]
FIRST, SECOND = customers()[0], customers()[1]


def act(page: Page, item: str) -> None:
    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("menuitem", name=item).click()


def test_two_profiles_are_merged_with_a_choice_and_the_merge_is_taken_back(user: User, shop: Product) -> None:
    page = user(f"/profiles?search={FIRST.email}")
    page.locator("tbody tr a").click()
    act(page, "Merge with another…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The other profile").fill(SECOND.email)
    dialog.get_by_role("listitem").get_by_role("button").click()
    expect(dialog).to_contain_text("Welcome series")
    dialog.get_by_role("row", name="Last name").get_by_role("radio").last.check()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("region", name="History")).to_contain_text("Merged")
    merged = page.locator("section", has=page.get_by_role("heading", name="Merged into this profile"))
    expect(merged).to_contain_text(SECOND.email)
    subscriptions = page.locator("section", has=page.get_by_role("heading", name="Subscriptions"))
    expect(subscriptions).to_contain_text(SECOND.email)
    merged.get_by_role("button", name="Take back").click()
    expect(merged).to_have_count(0)
    expect(subscriptions).not_to_contain_text(SECOND.email)


def test_a_subscription_is_split_off_and_the_two_are_related(user: User, shop: Product) -> None:
    page = user("/databases/1?tab=settings")
    page.get_by_role("button", name="New kind").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("Brought along")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    page.goto(f"/profiles?search={FIRST.email}")
    page.locator("tbody tr a").click()
    act(page, "Split off…")
    dialog.get_by_label("SMS").check()
    dialog.get_by_role("button", name="Split off").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("section", has=page.get_by_role("heading", name="Subscriptions"))).not_to_contain_text(
        FIRST.email
    )
    page.get_by_role("tab", name="Relations").click()
    page.get_by_role("button", name="Add a relation").click()
    dialog.get_by_role("combobox", name="Kind").click()
    page.get_by_role("option", name="Brought along").click()
    dialog.get_by_label("The other profile").fill(FIRST.email)
    dialog.get_by_role("listitem").get_by_role("button").click()
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_have_count(0)
    relations = page.get_by_role("region", name="Relations")
    expect(relations).to_contain_text("Brought along")
    relations.get_by_role("link").click()
    page.get_by_role("tab", name="Relations").click()
    expect(relations).to_contain_text("from the other to here")
