"""A scheduled import out of a database, and an outside table, made in the application."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from playwright.sync_api import Page, expect

from sojourn.cli.task_kinds import register_all
from sojourn.kernel.tasks import list_tasks, perform
from tests.browser.product import Product

User = Callable[[str], Page]


def test_profiles_come_out_of_a_database_by_themselves(user: User, shop: Product) -> None:
    folder = shop.settings.data / "sqlite"
    folder.mkdir(exist_ok=True)
    with sqlite3.connect(folder / "crm.db") as file:
        file.execute("CREATE TABLE crm (id integer, email text, city text)")
        file.execute("INSERT INTO crm VALUES (1, 'from-crm@example.com', 'Oslo')")
    file.close()
    page = user("/connections")
    page.get_by_role("button", name="New connection").first.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Name", exact=True).fill("CRM")
    drawer.get_by_label("System").fill("sqlite")
    drawer.get_by_label("Database").fill("crm.db")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer).to_have_count(0)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("It works. Found: crm")).to_be_visible()
    page.get_by_role("link", name="Scheduled imports").click()
    page.get_by_role("button", name="New scheduled import").first.click()
    page.get_by_label("Name", exact=True).fill("Nightly")
    page.get_by_label("SQL query").fill("SELECT * FROM nowhere")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_text("no such table: nowhere")).to_be_visible()
    page.get_by_label("SQL query").fill("SELECT id, email, city FROM crm WHERE id > :cursor")
    page.get_by_label("Go on by the column").fill("id")
    page.get_by_label("First value").fill("0")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("table", name="Columns")).to_contain_text("from-crm@example.com")
    expect(page.get_by_role("combobox", name="Field of email")).to_have_value("Email")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It has not run yet.")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("region", name="Runs")).to_contain_text("running")
    register_all(shop.settings)
    perform(shop.database_url, shop.clock, list_tasks(shop.connection, limit=1)[0].id)
    expect(page.get_by_role("region", name="Runs")).to_contain_text("1 rows: 1 new")
    page.get_by_role("link", name="Scheduled imports").first.click()
    expect(page.locator("tbody")).to_contain_text("Nightly")


def test_a_list_from_outside_is_pasted_and_offered_to_rules(user: User, shop: Product) -> None:
    page = user("/external-tables")
    page.get_by_role("button", name="New outside table").first.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Name", exact=True).fill("VIP of the shop")
    expect(drawer.get_by_label("Short name")).to_have_value("vip_of_the_shop")
    drawer.get_by_label("Values").fill("customer00001@example.com\nnobody@example.com")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer).to_have_count(0)
    expect(page.locator("tbody")).to_contain_text("usable")
