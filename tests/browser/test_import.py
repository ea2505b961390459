"""Importing a file by the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from sojourn.kernel.tasks import list_tasks, perform
from sojourn.profiles.tasks import import_task
from tests.browser.product import Product

CSV = (
    "email,first_name,city\n"
    + "".join(f"new{n}@example.com,New{n},Berlin\n" for n in range(20))
    + "not an address,Bad,Berlin\n"
)


def test_a_file_is_imported_and_refused_lines_are_told(
    user: Callable[[str], Page], shop: Product, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV, encoding="utf-8")
    page = user("/imports")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("people.csv")).to_be_visible()
    page.get_by_role("button", name="Start the import").click()
    expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
    task = list_tasks(shop.connection, limit=1)[0]
    perform(shop.database_url, shop.clock, task.id, function=import_task(shop.settings))
    expect(page.get_by_role("heading", name="Import completed")).to_be_visible()
    expect(page.locator(".kpi", has_text="New profiles")).to_contain_text("20")
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("22")
    expect(row).to_contain_text("not an address")
    page.get_by_role("link", name="See the profiles").click()
    expect(page.get_by_role("link", name="New19")).to_be_visible()
