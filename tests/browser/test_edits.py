"""Publishing an edit with people inside, and single people at a step."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from sojourn.scenarios import get_scenario, save_draft
from tests.browser.product import Product

User = Callable[[str], Page]


def test_an_edit_shows_what_it_does_takes_people_along_and_is_undone(shop: Product, user: User) -> None:
    current = get_scenario(shop.connection, shop.scenario_id)
    document = current.document.model_dump(mode="json")
    [wait] = [node for node in document["nodes"] if node["type"] == "pause" and node["id"] == 3]
    follower = wait["links"]["next"]
    for node in document["nodes"]:
        node["links"] = {port: follower if target == wait["id"] else target for port, target in node["links"].items()}
    document["nodes"].remove(wait)
    save_draft(shop.connection, shop.clock, current.id, current.revision, document)

    page = user(f"/scenarios/{current.id}")
    page.get_by_role("button", name="Publish").click()
    window = page.get_by_role("dialog")
    expect(window.get_by_role("region", name="What changes")).to_contain_text("Step removed")
    window.get_by_label("Take everybody along").check()
    expect(window.get_by_role("cell", name="40").first).to_be_visible()
    window.get_by_role("combobox", name="Go to").click()
    page.get_by_role("option", name="leave the scenario").click()
    window.get_by_role("combobox", name="Go to").click()
    page.get_by_role("option", name="Confirmed?").first.click()
    window.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is published.")).to_be_visible()
    assert shop.connection.execute("SELECT DISTINCT node_id FROM resting").fetchall() == [(follower,)]

    expect(page.get_by_text("40 were taken along to version 2")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).last.click()
    expect(page.get_by_text("Everybody is back where they were.")).to_be_visible()
    assert shop.connection.execute("SELECT DISTINCT node_id FROM resting").fetchall() == [(wait["id"],)]


def test_one_person_is_let_on_and_another_taken_out(shop: Product, user: User) -> None:
    page = user(f"/scenarios/{shop.scenario_id}")
    page.locator(".react-flow__node[data-id='3']").click()
    page.get_by_role("tab", name="Inside now").click()
    page.get_by_role("button", name="Actions: ").first.click()
    page.get_by_role("menuitem", name="Let on now").click()
    expect(page.get_by_text("Goes on now.")).to_be_visible()
    page.get_by_role("button", name="Actions: ").nth(1).click()
    page.get_by_role("menuitem", name="Take out").click()
    expect(page.get_by_text("Taken out.")).to_be_visible()
    counts = shop.connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE due_at <= %s) FROM resting", (shop.clock.now(),)
    ).fetchone()
    assert counts == (39, 1)
