"""Logging in and out, and the frame round all pages."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.product import EMAIL, PASSWORD


def test_a_stranger_is_led_to_the_log_in_and_then_on_to_where_he_wanted(page: Page) -> None:
    page.goto("/profiles")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url("/profiles")


def test_a_wrong_password_is_told_in_words(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("textbox", name="Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("password")
    expect(page.get_by_role("navigation")).to_have_count(0)


def test_after_logging_out_nothing_is_shown_any_more(user: Callable[[str], Page]) -> None:
    page = user("/")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    page.goto("/scenarios")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_every_page_says_that_messages_go_to_the_sandbox(user: Callable[[str], Page]) -> None:
    page = user("/")
    for name in ("Overview", "Profiles", "Import", "Scenarios", "Sandbox mailbox"):
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_text("Messages go to the sandbox mailbox, not to people.")).to_be_visible()


def test_the_language_changes_at_once_and_stays(user: Callable[[str], Page]) -> None:
    page = user("/scenarios")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Русский").click()
    expect(page.get_by_role("heading", name="Сценарии")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Сценарии")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "ru"
