"""Databases and their fields by the screen."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from sojourn.kernel.tasks import list_tasks, perform
from sojourn.profiles.conversion import convert_task
from tests.browser.product import Product


def test_a_field_is_added_converted_and_deleted(user: Callable[[str], Page], shop: Product) -> None:
    page = user("/databases")
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="Field", exact=True).click()
    page.get_by_label("Title").fill("Size of shoe")
    expect(page.get_by_label("Name in the API")).to_have_value("size_of_shoe")
    page.get_by_role("button", name="Add", exact=True).click()
    row = page.locator("tr", has_text="size_of_shoe")
    expect(row).to_contain_text("Text")

    shop.connection.execute("UPDATE profiles_1 SET size_of_shoe = CASE WHEN id % 2 = 0 THEN '42' ELSE 'large' END")
    row.get_by_role("button").click()
    page.get_by_role("menuitem", name="Change the type").click()
    page.get_by_role("combobox", name="New type").click()
    page.get_by_role("option", name="Whole number").click()
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_role("alert")).to_contain_text("large")
    expect(page.get_by_role("button", name="Convert", exact=True)).to_be_disabled()
    page.get_by_label("Clear them").check()
    page.get_by_role("button", name="Convert", exact=True).click()
    expect(page.get_by_text("you may close this window")).to_be_visible()
    task = list_tasks(shop.connection, limit=1)[0]
    perform(shop.database_url, shop.clock, task.id, function=convert_task())
    expect(page.get_by_role("alert")).to_contain_text("were cleared")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(row).to_contain_text("Whole number")

    row.get_by_role("button").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete the field").click()
    expect(row).to_have_count(0)


def test_figures_and_settings_of_a_database(user: Callable[[str], Page], shop: Product) -> None:
    page = user("/databases/1?tab=figures")
    expect(page.locator(".kpi", has_text="Profiles")).to_contain_text("40")
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("Name for recipients").fill("Our shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The database is changed")).to_be_visible()
    expect(page.get_by_role("button", name="Wipe")).to_be_disabled()
