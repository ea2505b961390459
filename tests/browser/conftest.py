"""A real browser before a real product. A page that complains in its console, or asks anybody but our own host, fails its test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from sojourn.kernel import Settings, VirtualClock
from sojourn.web.static_files import BUILT
from tests.browser.product import EMAIL, PASSWORD, Product, run_product

CHROMIUM = os.environ.get("SOJOURN_TEST_BROWSER", "/usr/bin/chromium")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
_OWN = ("data:", "blob:", "about:")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; its absence, or that of the built application, is a failure and not a reason to skip."""
    assert Path(CHROMIUM).exists(), f"There is no browser at {CHROMIUM}; SOJOURN_TEST_BROWSER names another."
    assert (BUILT / "index.html").is_file(), "The web application is not built: run `npm run build` in ui/."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def product(
    settings: Settings, clock: VirtualClock, connection: psycopg.Connection, database_url: str
) -> Iterator[Product]:  # fmt: skip
    """A product with one user and nothing else."""
    with run_product(settings, clock, connection, database_url) as product:
        yield product


@pytest.fixture
def shop(product: Product) -> Product:
    """The product with the demo's welcome scenario and 40 customers, who all wait in its first pause."""
    product.shop(40)
    return product


@pytest.fixture
def open_page(browser: Browser, product: Product) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a fresh browser context; what they complain of fails the test at its end."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def note(message: ConsoleMessage) -> None:
        refused = (
            message.type == "error" and "Failed to load resource" in message.text
        )  # a test may provoke an error answer
        if message.type in ("error", "warning") and not refused:
            complaints.append(f"console: {message.text}")

    def outside(request: Request) -> None:
        if not request.url.startswith((product.address, *_OWN)):
            complaints.append(f"request to {request.url}")

    def make(language: str = "en", dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": 1600, "height": 950}, locale="ru-RU" if language == "ru" else "en-GB", base_url=product.address,
            color_scheme="dark" if dark else "light", reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", outside)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page in English where nobody is logged in."""
    return open_page()


def log_in(page: Page, path: str = "/") -> Page:
    """Log in by the screen and go to `path`."""
    page.goto("/login")
    page.locator("input[type=email]").fill(EMAIL)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    page.locator("nav").wait_for()
    if path != "/":
        page.goto(path)
    return page


@pytest.fixture
def user(page: Page) -> Callable[[str], Page]:
    """Gives the page of somebody who is logged in, at a path."""
    return lambda path="/": log_in(page, path)
