"""Steps that split, wait and send on: drawn and set up on the canvas, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sojourn.scenarios import create_scenario, get_scenario
from tests.browser.product import Product

User = Callable[[str], Page]
_NODES: list[dict[str, Any]] = [
    {"id": 0, "type": "start", "position": {"x": 0, "y": 80}, "links": {"next": 1}},
    {"id": 1, "type": "split", "title": "Test", "position": {"x": 340, "y": 80}, "settings": {"branches": [{"title": "Letter", "percent": 50}, {"percent": 30}, {"title": "Nothing", "percent": 20}]}, "links": {"b1": 2, "b2": 3, "b3": 5}},
    {"id": 2, "type": "window", "position": {"x": 700, "y": -60}, "settings": {"opens": "09:00", "closes": "20:00", "days": [1, 2, 3, 4, 5]}, "links": {"next": 4}},
    {"id": 3, "type": "pause", "position": {"x": 700, "y": 140}, "settings": {"until": "field", "field": "_bdate", "time": "10:00"}, "links": {"next": 4, "no_date": 5}},
    {"id": 4, "type": "goal", "position": {"x": 1060, "y": 0}, "settings": {"goal": "purchase", "value": 12.5}, "links": {"next": 6}},
    {"id": 5, "type": "exit", "position": {"x": 1060, "y": 260}},
    {"id": 6, "type": "jump", "position": {"x": 1420, "y": 0}, "settings": {"scenario": "Welcome"}},
    {"id": 8, "type": "wait_event", "position": {"x": 1060, "y": 440}, "settings": {"events": [{"event": "clicked"}, {"event": "goal", "goal": "purchase"}], "time_out": "2d"}, "links": {"e1": 5}},
    {"id": 7, "type": "api_filter", "position": {"x": 1420, "y": 220}},
]  # fmt: skip


@pytest.fixture
def steps(product: Product) -> int:
    product.shop(1)
    welcome = get_scenario(product.connection, product.scenario_id)
    nodes = [{**node, "settings": {"scenario": welcome.name}} if node["type"] == "jump" else node for node in _NODES]
    document = {"name": "All steps", "database": welcome.database_name, "nodes": nodes}
    return create_scenario(product.connection, product.clock, document).id


def test_shares_of_a_split_are_set_and_their_sum_is_told(steps: int, user: User, product: Product) -> None:
    page = user(f"/scenarios/{steps}")
    expect(page.locator(".card")).to_have_count(9)
    page.locator(".react-flow__node[data-id='1']").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Percent 3").fill("10")
    expect(drawer.get_by_text("Together: 90 %")).to_be_visible()
    drawer.get_by_role("button", name="Share out evenly").click()
    expect(drawer.get_by_text("Together: 100 %")).to_be_visible()
    expect(page.get_by_text("All changes saved")).to_be_visible()
    saved = get_scenario(product.connection, steps).document.nodes[1]
    assert [branch["percent"] for branch in saved.settings["branches"]] == [33.34, 33.33, 33.33]


def test_a_pause_shows_the_settings_that_belong_to_how_it_waits(steps: int, user: User, product: Product) -> None:
    page = user(f"/scenarios/{steps}")
    page.locator(".react-flow__node[data-id='3']").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_role("combobox", name="Date field")).to_be_visible()
    drawer.get_by_role("combobox", name="Wait").click()
    page.get_by_role("option", name="Until a time of day").click()
    expect(drawer.get_by_role("combobox", name="Date field")).to_be_hidden()
    drawer.get_by_role("group", name="On").get_by_text("Sun").click()
    expect(drawer.get_by_label("At this time of day")).to_have_value("10:00")
    expect(page.get_by_text("All changes saved")).to_be_visible()
    settings = get_scenario(product.connection, steps).document.nodes[3].settings
    assert (settings["until"], settings["days"]) == ("time", [1, 2, 3, 4, 5, 6])


def test_steps_that_end_the_way_have_no_output_to_draw_from(steps: int, user: User) -> None:
    page = user(f"/scenarios/{steps}")
    leaving = page.locator(".react-flow__node[data-id='5']")
    expect(leaving).to_be_visible()
    assert leaving.locator(".handle-out").count() == 0
    assert page.locator(".react-flow__node[data-id='1'] .handle-out").count() == 3


def test_a_filter_begins_with_the_content_of_the_call(steps: int, user: User) -> None:
    page = user(f"/scenarios/{steps}")
    page.locator(".react-flow__node[data-id='7']").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Rule", exact=True).click()
    expect(drawer.get_by_role("combobox", name="What is asked")).to_have_value("Content of the API call")


def test_events_are_waited_for_each_with_an_output(steps: int, user: User, product: Product) -> None:
    page = user(f"/scenarios/{steps}")
    page.locator(".react-flow__node[data-id='8']").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Add an event").click()
    drawer.get_by_role("combobox", name="Event 3").click()
    page.get_by_role("option", name="unsubscribes").click()
    drawer.get_by_label("Name of the goal").fill("order")
    expect(page.get_by_text("All changes saved")).to_be_visible()
    expect(drawer.get_by_text("Unsubscribed")).to_be_visible()
    events = next(node for node in get_scenario(product.connection, steps).document.nodes if node.id == 8).settings[
        "events"
    ]
    assert [(one["event"], one.get("goal")) for one in events] == [
        ("clicked", None),
        ("goal", "order"),
        ("unsubscribed", None),
    ]
