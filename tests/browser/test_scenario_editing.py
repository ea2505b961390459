"""Building a scenario on the canvas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from sojourn.scenarios import ScenarioDocument, get_scenario, save_draft
from tests.browser.product import Product

User = Callable[[str], Page]


def drag(page: Page, start: Locator, x: float, y: float) -> None:
    start.scroll_into_view_if_needed()
    box = start.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, y, steps=8)
    page.mouse.up()


def node(page: Page, number: int) -> Locator:
    return page.locator(f".react-flow__node[data-id='{number}']")


@pytest.fixture
def draft(product: Product, user: User) -> Callable[[], ScenarioDocument]:
    """A fresh scenario, open in the browser; gives its draft as it is saved, once the screen says so."""
    product.shop(1)
    page = user("/scenarios")
    page.get_by_role("button", name="Scenario").click()
    window = page.get_by_role("dialog")
    window.get_by_label("Name").fill("Birthday")
    window.get_by_label("Start over").check()
    window.get_by_role("button", name="Create").click()
    expect(page.locator(".card")).to_have_count(1)

    def saved() -> ScenarioDocument:
        expect(page.get_by_text("All changes saved")).to_be_visible()
        return get_scenario(product.connection, "Birthday").document

    return saved


def add_first_step(page: Page, kind: str) -> None:
    """Add a step by the “+” of the start node. While the canvas still settles its menu may close again: then ask once more."""
    plus, item = (
        page.get_by_role("button", name="Add a step after Manual & API entry: Next"),
        page.get_by_role("menuitem", name=kind),
    )
    for _ in range(4):
        plus.click()
        try:
            return item.click(timeout=4000)
        except PlaywrightTimeout:
            continue
    item.click()


def test_a_new_scenario_has_its_database_its_reentry_and_a_start(
    draft: Callable[[], ScenarioDocument], page: Page
) -> None:
    document = draft()
    assert document.reentry.mode == "restart"
    assert [one.type for one in document.nodes] == ["start"]
    expect(page.get_by_role("button", name="1 hint")).to_be_visible()


def test_steps_come_from_the_palette_by_dragging_and_by_the_plus(
    draft: Callable[[], ScenarioDocument], page: Page
) -> None:
    drag(page, page.get_by_role("button", name="Condition"), 900, 700)
    expect(page.locator(".card")).to_have_count(2)
    page.keyboard.press("Escape")
    add_first_step(page, "Pause")
    expect(page.get_by_role("dialog", name="Pause")).to_be_visible()
    document = draft()
    assert [one.type for one in document.nodes] == ["start", "condition", "pause"]
    assert document.nodes[0].links == {"next": 2}


def test_a_link_is_drawn_by_dragging_and_by_the_keyboard(draft: Callable[[], ScenarioDocument], page: Page) -> None:
    drag(page, page.get_by_role("button", name="Pause"), 900, 700)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show everything").click()
    page.wait_for_timeout(500)
    target = node(page, 1).locator(".handle-in").bounding_box()
    assert target
    drag(page, page.locator("[data-link='0:next']"), target["x"] + 3, target["y"] + 8)
    expect(page.locator(".react-flow__edge")).to_have_count(1)
    assert draft().nodes[0].links == {"next": 1}

    node(page, 0).focus()
    page.keyboard.press("Enter")
    choice = page.get_by_role("combobox", name="Next leads to")
    expect(choice).to_have_value("Pause")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".react-flow__edge")).to_have_count(0)


def test_undo_takes_back_and_redo_repeats(draft: Callable[[], ScenarioDocument], page: Page) -> None:
    add_first_step(page, "E-mail")
    page.keyboard.press("Escape")
    node(page, 1).focus()
    page.keyboard.press("Control+z")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("button", name="Redo").click()
    expect(page.locator(".card")).to_have_count(2)
    assert draft().nodes[0].links == {"next": 1}


def test_settings_are_drawn_from_their_schema_and_saved(draft: Callable[[], ScenarioDocument], page: Page) -> None:
    add_first_step(page, "E-mail")
    drawer = page.get_by_role("dialog", name="E-mail")
    drawer.get_by_role("combobox", name="Subscription resource").click()
    page.get_by_role("option", name="Newsletter").click()
    drawer.get_by_role("combobox", name="Template").click()
    expect(page.get_by_role("option", name="Confirmation reminder")).to_have_count(0)  # that one is an SMS
    page.get_by_role("option", name="Gift letter").click()
    drawer.get_by_role("switch", name="Confirmation letter").check(force=True)
    expect(node(page, 1)).to_contain_text("Gift letter")
    assert draft().nodes[1].settings == {"resource": "Newsletter", "template": "Gift letter", "confirmation": True}


def test_rules_are_built_in_groups(draft: Callable[[], ScenarioDocument], page: Page) -> None:
    add_first_step(page, "Condition")
    drawer = page.get_by_role("dialog", name="Condition")
    drawer.get_by_role("button", name="Rule", exact=True).click()
    drawer.get_by_role("button", name="Group", exact=True).click()
    kinds = drawer.get_by_role("combobox", name="What is asked")
    expect(kinds).to_have_count(2)
    kinds.nth(1).click()
    page.get_by_role("option", name="Profile field").click()
    drawer.get_by_role("combobox", name="Field", exact=True).click()
    page.get_by_role("option", name="Bonus points").click()
    drawer.get_by_role("combobox", name="Comparison").click()
    page.get_by_role("option", name="is at least").click()
    drawer.get_by_role("textbox", name="Value").fill("50")
    expect(node(page, 1)).to_contain_text("Bonus points is at least 50")
    assert draft().nodes[1].settings["rules"] == {
        "all": [
            {"rule": "subscription", "state": "confirmed"},
            {"rule": "field", "field": "bonus_points", "operator": "ge", "value": 50},
        ]
    }


def test_hints_lead_to_the_step_and_publishing_asks_about_the_sandbox(
    draft: Callable[[], ScenarioDocument], page: Page, product: Product
) -> None:
    add_first_step(page, "Condition")
    page.keyboard.press("Escape")
    draft()
    page.get_by_role("button", name="1 hint").click()
    page.get_by_role("button", name="The condition has no rules").click()
    drawer = page.get_by_role("dialog", name="Condition")
    drawer.get_by_role("button", name="Rule", exact=True).click()
    draft()
    expect(page.get_by_role("button", name="hint")).to_have_count(0)

    page.get_by_role("button", name="Publish", exact=True).click()
    window = page.get_by_role("dialog", name="Publish this scenario?")
    expect(window).to_contain_text("sandbox mailbox")
    window.get_by_role("button", name="Publish and activate").click()
    expect(page.locator(".pill", has_text="Active")).to_be_visible()
    assert get_scenario(product.connection, "Birthday").active

    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.locator(".pill", has_text="Stopped")).to_be_visible()


def test_somebody_elses_change_is_not_overwritten(
    draft: Callable[[], ScenarioDocument], page: Page, product: Product
) -> None:
    current = get_scenario(product.connection, "Birthday")
    other = current.document.model_copy(update={"description": "changed elsewhere"})
    save_draft(product.connection, product.clock, current.id, current.revision, other)
    name = page.get_by_label("Name of the scenario")
    name.fill("Mine")
    name.press("Enter")
    window = page.get_by_role("dialog", name="Somebody else has changed this scenario")
    window.get_by_role("button", name="Load the newest state").click()
    expect(name).to_have_value("Birthday")
    assert get_scenario(product.connection, "Birthday").document.description == "changed elsewhere"


def test_the_arrow_keys_move_a_step_and_tidy_up_puts_it_back(draft: Callable[[], ScenarioDocument], page: Page) -> None:
    node(page, 0).focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    assert draft().nodes[0].position.y > 0
    page.get_by_role("button", name="Tidy up").click()
    page.wait_for_timeout(100)
    assert draft().nodes[0].position.y == 0
