"""The editor of rules on a segment's page: comparisons by the type of the field, values by the comparison, problems at the rule, the whole in words."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sojourn.profiles import add_field
from tests.browser.conftest import log_in
from tests.browser.product import Product

User = Callable[[str], Page]
SHOTS = os.environ.get("SOJOURN_TEST_PICTURES")


def picture(page: Page, name: str) -> None:
    """Keep a picture where the environment names a folder for them."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def shop_with_objects(shop: Product) -> Product:
    row = shop.connection.execute("SELECT id FROM profile_database ORDER BY id LIMIT 1").fetchone()
    assert row
    add_field(shop.connection, shop.clock, row[0], "orders", "Orders", "objects")
    return shop


def rules_of(product: Product, name: str) -> Any:
    row = product.connection.execute("SELECT rules FROM segment WHERE name = %s", (name,)).fetchone()
    assert row
    return row[0]


def choose(page: Page, box: Locator, option: str) -> None:
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def add_field_rule(page: Page, number: int, field: str, operator: str, names: tuple[str, ...] = ("Rule", "What is asked", "Profile field", "Field", "Comparison")) -> Locator:  # fmt: skip
    """Add a rule about a field; the row of the rule."""
    button, kind, kind_of_rule, field_box, comparison = names
    page.get_by_role("button", name=button, exact=True).first.click()
    row = page.locator(".rule-row").nth(number)
    choose(page, row.get_by_role("combobox", name=kind), kind_of_rule)
    row.get_by_role("combobox", name=field_box, exact=True).fill(field)
    page.get_by_role("option", name=field, exact=True).click()
    if operator:
        choose(page, row.get_by_role("combobox", name=comparison, exact=True), operator)
    return row


def test_values_follow_from_the_field_and_the_comparison(user: User, shop_with_objects: Product) -> None:
    page = user("/segments/new")
    page.get_by_label("Name", exact=False).first.fill("Right people")

    row = add_field_rule(page, 0, "City", "is one of")
    row.get_by_role("combobox", name="Value").focus()
    page.evaluate(
        "navigator.clipboard && (document.activeElement.dispatchEvent(Object.assign(new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: (() => { const d = new DataTransfer(); d.setData('text', 'Riga\\nOslo\\n\\nParis'); return d })()}))))"
    )
    expect(row).to_contain_text("Paris")

    row = add_field_rule(page, 1, "Phones", "has a number of the country")
    row.get_by_role("combobox", name="Value").fill("Kazakh")
    page.get_by_role("option", name="Kazakhstan").click()
    page.keyboard.press("Escape")

    row = add_field_rule(page, 2, "Date of birth", "has its anniversary")
    row.get_by_role("textbox", name="from day").fill("0")
    row.get_by_role("textbox", name="to day").fill("7")

    row = add_field_rule(page, 3, "Orders", "")
    row.get_by_role("textbox", name="Path inside").fill("lines.sum")
    choose(page, row.get_by_role("combobox", name="Read as"), "number")
    choose(page, row.get_by_role("combobox", name="Comparison", exact=True), "is at least")
    row.get_by_role("textbox", name="Value").fill("100")

    page.get_by_role("button", name="Rule", exact=True).first.click()
    row = page.locator(".rule-row").nth(4)
    row.get_by_role("button", name="More conditions").click()
    choose(page, row.get_by_role("combobox", name="Added: Comparison"), "was in the last days")
    row.get_by_role("textbox", name="Value").fill("30")
    row.get_by_role("textbox", name="Own field: Name of the field").fill("size")
    row.get_by_role("textbox", name="Value").nth(1).fill("M")

    words = page.get_by_text("In words:").locator("..")
    expect(words).to_contain_text("City is one of Riga, Oslo, Paris")
    expect(words).to_contain_text("Orders → lines.sum is at least 100")
    expect(words).to_contain_text("added was in the last days: 30 days, size is M")
    expect(page.locator(".rule-problem")).to_have_count(0)
    picture(page, "rules")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Right people")).to_be_visible()
    assert rules_of(shop_with_objects, "Right people") == {
        "all": [
            {"rule": "field", "field": "_city", "operator": "in", "value": ["Riga", "Oslo", "Paris"]},
            {"rule": "field", "field": "phones", "operator": "country", "value": ["KZ"]},
            {"rule": "field", "field": "_bdate", "operator": "anniversary", "value": [0, 7]},
            {"rule": "field", "field": "orders", "path": "lines.sum", "path_type": "float", "operator": "ge", "value": 100},
            {
                "rule": "subscription", "state": "confirmed", "added": {"operator": "last_days", "value": 30},
                "custom": {"name": "size", "operator": "eq", "value": "M"},
            },
        ]
    }  # fmt: skip


def test_a_problem_stands_at_its_rule_and_goes_when_it_is_solved(user: User, shop: Product) -> None:
    page = user("/segments/new")
    add_field_rule(page, 0, "Bonus points", "is between")
    page.get_by_role("button", name="Group", exact=True).click()
    group = page.locator(".rule-group .rule-group")
    choose(page, group.get_by_role("combobox", name="What is asked"), "Profile field")
    group.get_by_role("combobox", name="Field", exact=True).fill("Email")
    page.get_by_role("option", name="Email", exact=True).click()
    choose(page, group.get_by_role("combobox", name="Comparison", exact=True), "matches the pattern")
    group.get_by_role("textbox", name="Value").fill("^(a")
    expect(page.locator(".rule-row").nth(0).locator(".rule-problem")).to_contain_text("Two values are needed")
    expect(group.locator(".rule-problem")).to_contain_text("has no “)” behind it")
    picture(page, "rules-problems")
    row = page.locator(".rule-row").nth(0)
    row.get_by_role("textbox", name="Value").nth(0).fill("5")
    row.get_by_role("textbox", name="Value").nth(1).fill("9")
    group.get_by_role("textbox", name="Value").fill("^(a|b)")
    expect(page.locator(".rule-problem")).to_have_count(0)
    expect(page.get_by_text("In words:").locator("..")).to_contain_text("Email matches the pattern ^(a|b)")


def test_rules_of_a_segment_are_copied(user: User, shop: Product) -> None:
    page = user("/segments/new")
    page.get_by_label("Name", exact=False).first.fill("From Riga")
    add_field_rule(page, 0, "City", "contains").get_by_role("textbox", name="Value").fill("riga")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="From Riga")).to_be_visible()

    page.goto("/segments/new")
    page.get_by_label("Name", exact=False).first.fill("Both")
    page.get_by_role("button", name="Rule", exact=True).click()
    page.get_by_role("button", name="Copy", exact=True).click()
    choose(page, page.get_by_role("combobox", name="Copy the rules of a segment"), "From Riga")
    expect(page.locator(".rule-row")).to_have_count(2)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Both")).to_be_visible()
    assert rules_of(shop, "Both")["all"][1] == {
        "rule": "field",
        "field": "_city",
        "operator": "contains",
        "value": "riga",
    }


def test_the_editor_speaks_russian(open_page: Callable[..., Page], shop_with_objects: Product) -> None:
    page = log_in(open_page("ru", dark=True), "/segments/new")
    names = ("Правило", "О чём вопрос", "Поле профиля", "Поле", "Сравнение")
    row = add_field_rule(page, 0, "Дата рождения", "за последние дни", names)
    expect(row.locator(".rule-problem")).to_contain_text("Нужно целое число")
    row.get_by_role("textbox", name="Значение").fill("5")
    row = add_field_rule(page, 1, "Телефоны", "есть номер страны", names)
    row.get_by_role("combobox", name="Значение").fill("Казах")
    page.get_by_role("option", name="Казахстан").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Словами:").locator("..")).to_contain_text("Дата рождения за последние дни: 5 дн.")
    page.get_by_role("button", name="Правило", exact=True).first.click()
    page.locator(".rule-row").nth(2).get_by_role("button", name="Ещё условия").click()
    picture(page, "rules-russian")


def test_rules_are_built_with_the_keyboard_alone(user: User, shop: Product) -> None:
    page = user("/segments/new")
    page.get_by_label("Name", exact=False).first.fill("By keys")
    page.get_by_role("button", name="Rule", exact=True).focus()
    page.keyboard.press("Enter")
    row = page.locator(".rule-row").nth(0)
    row.get_by_role("combobox", name="What is asked").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Profile fi")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(row.get_by_role("combobox", name="Field", exact=True)).to_be_focused()
    page.keyboard.type("Bonus")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("12")
    expect(page.get_by_text("In words:").locator("..")).to_contain_text("Bonus points is 12")
    page.keyboard.press("Tab")
    expect(row.get_by_role("button", name="Remove the rule")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".rule-row")).to_have_count(0)
