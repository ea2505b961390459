"""Importing a file by the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from sojourn.kernel.tasks import list_tasks, perform
from sojourn.profiles.change_sets import register_membership
from sojourn.profiles.tasks import import_task
from sojourn.segments.membership import members_of_import
from tests.browser.product import Product
from tests.browser.test_accessibility import violations

CSV = (
    "email,first_name,city\n"
    + "".join(f"new{n}@example.com,New{n},Berlin\n" for n in range(20))
    + "not an address,Bad,Berlin\n"
)


def run_last_task(shop: Product) -> None:
    task = list_tasks(shop.connection, limit=1)[0]
    perform(shop.database_url, shop.clock, task.id, function=import_task(shop.settings))


def test_a_file_is_looked_into_tried_and_imported_and_refused_lines_are_told(
    user: Callable[[str], Page], shop: Product, tmp_path: Path
) -> None:
    register_membership(members_of_import)
    file = tmp_path / "people.csv"
    file.write_text(CSV, encoding="utf-8")
    page = user("/imports")
    page.get_by_role("button", name="New import").first.click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("people.csv")).to_be_visible()
    following = page.get_by_role("button", name="Next")
    assert violations(page) == []
    following.click()
    expect(page.get_by_role("cell", name="new0@example.com")).to_be_visible()
    assert violations(page) == []
    following.click()
    expect(page.get_by_role("combobox", name="Where “email” goes")).not_to_have_value("")
    expect(page.get_by_text("An e-mail address is needed.")).to_be_visible()
    page.get_by_role("button", name="Same value for all rows").click()
    page.get_by_role("combobox", name="Field").fill("Supplier")
    page.get_by_role("option", name="Supplier", exact=True).click()
    page.get_by_role("textbox", name="Value for all rows").fill("Fair")
    page.wait_for_timeout(500)
    assert violations(page) == []
    following.click()
    page.get_by_role("button", name="Subscribe the rows").click()
    assert violations(page) == []
    page.get_by_role("textbox", name="New segment of the result").fill("Of the fair")
    following.click()

    page.get_by_role("button", name="Try without writing").click()
    expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
    run_last_task(shop)
    expect(page.get_by_role("heading", name="This is what would happen")).to_be_visible()
    expect(page.locator(".kpi", has_text="New profiles")).to_contain_text("20")
    assert violations(page) == []

    page.get_by_role("button", name="Start the import").click()
    expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
    run_last_task(shop)
    expect(page.get_by_role("heading", name="Import completed")).to_be_visible()
    expect(page.locator(".kpi", has_text="New profiles")).to_contain_text("20")
    row = page.locator(".table-panel tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("22")
    expect(row).to_contain_text("not an address")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download rejected rows").click()
    assert "not an address" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("link", name="Imports", exact=True).click()
    expect(page.get_by_role("link", name="people.csv")).to_be_visible()
    page.get_by_role("link", name="people.csv").click()
    page.get_by_role("link", name="See the profiles").click()
    expect(page.get_by_role("link", name="New19")).to_be_visible()
