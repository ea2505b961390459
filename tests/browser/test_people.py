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
    expect(page.locator("table")).to_have_attribute("aria-rowcount", "40")
    page.get_by_role("searchbox").fill(FIRST)
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody@example.com")
    expect(page.get_by_text("Nobody fits.")).to_be_visible()


def test_a_profile_shows_fields_subscriptions_messages_and_its_path(user: User, shop: Product) -> None:
    shop.move(minutes=2)
    page = user(f"/profiles?search={FIRST}")
    page.locator("tbody tr a").click()
    subscriptions = page.locator("section", has=page.get_by_role("heading", name="Subscriptions"))
    expect(subscriptions).to_contain_text("Unconfirmed")
    expect(page.locator("section", has=page.get_by_role("heading", name="Contact"))).to_contain_text(FIRST)
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("Entered a scenario")
    expect(history.locator(".history > li").last).to_contain_text("Profile made")
    page.get_by_role("tab", name="Scenarios").click()
    path = page.locator("section", has=page.get_by_role("heading", name="Path through scenarios"))
    expect(path.locator("li b").first).to_be_visible()
    steps = path.locator("li b").all_inner_texts()
    assert steps[:7] == [
        "Entered the scenario", "New customer", "Welcome letter", "Give time to read", "Subscription confirmed?", "SMS already sent?", "Please confirm",
    ]  # fmt: skip
    assert "Wait for an answer" in steps[-1]
    page.get_by_role("tab", name="Messages").click()
    messages = page.locator("section", has=page.get_by_role("heading", name="Messages"))
    expect(messages).to_contain_text("Welcome letter")


def test_a_profile_is_changed_and_what_does_not_fit_is_told_at_its_field(user: User, shop: Product) -> None:
    page = user(f"/profiles?search={FIRST}")
    page.locator("tbody tr a").click()
    page.get_by_role("button", name="Edit", exact=True).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("City", exact=True).fill("Helsinki")
    drawer.get_by_label("Email").fill("no address")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    drawer.get_by_label("Email").fill(FIRST)
    drawer.get_by_role("button", name="Save").click()
    expect(drawer).to_have_count(0)
    expect(page.locator("section", has=page.get_by_role("heading", name="Contact"))).to_contain_text("Helsinki")
    expect(page.get_by_role("region", name="History")).to_contain_text("Helsinki")


def test_a_subscription_is_paused_from_the_card(user: User, shop: Product) -> None:
    page = user(f"/profiles?search={FIRST}")
    page.locator("tbody tr a").click()
    page.get_by_role("button", name=f"Actions for {FIRST}").click()
    page.get_by_role("menuitem", name="for 30 days").click()
    subscriptions = page.locator("section", has=page.get_by_role("heading", name="Subscriptions"))
    expect(subscriptions).to_contain_text("Suspended")
    expect(subscriptions).to_contain_text("until")


def test_a_long_list_draws_what_is_seen_and_reads_on_by_itself(user: User, shop: Product) -> None:
    shop.connection.execute(
        "INSERT INTO profile_1 (lane, id, created_at, updated_at, email) SELECT n & 63, n, now(), now(), 'far' || n || '@example.com' FROM generate_series(900001, 902000) n"
    )
    page = user("/profiles")
    expect(page.locator("tbody tr a").first).to_be_visible()
    for _ in range(60):
        page.locator(".shell-page").evaluate("page => page.scrollTop = page.scrollHeight")
        page.wait_for_timeout(150)
        if page.locator("table").get_attribute("aria-rowcount") == "2040":
            break
    expect(page.locator("table")).to_have_attribute("aria-rowcount", "2040")
    assert page.locator("tbody tr").count() < 80


def test_chosen_people_and_filtered_ones_are_handed_to_a_bulk_update(user: User, shop: Product) -> None:
    page = user("/profiles")
    page.locator("tbody input[type=checkbox]").nth(0).check()
    page.locator("tbody input[type=checkbox]").nth(2).check()
    page.get_by_role("button", name="Bulk update").click()
    expect(page.get_by_text("2 chosen profiles")).to_be_visible()
    page.goto("/profiles")
    page.get_by_role("button", name="Filter", exact=True).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Rule", exact=True).click()
    drawer.get_by_role("combobox", name="What is asked").click()
    page.get_by_role("option", name="Profile field", exact=True).click()
    drawer.get_by_role("combobox", name="Field", exact=True).fill("Email")
    page.get_by_role("option", name="Email", exact=True).click()
    drawer.get_by_label("Value").last.fill(FIRST)
    drawer.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("table")).to_have_attribute("aria-rowcount", "1")
    page.get_by_role("region", name="Many profiles").get_by_role("button", name="Export").click()
    expect(page.get_by_role("dialog")).to_be_visible()


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
