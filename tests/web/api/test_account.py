"""Name, zone and language of the account."""

from __future__ import annotations

from tests.web.api.browser import Browser


def test_the_zone_of_the_account_can_be_changed(browser: Browser) -> None:
    zones = browser.get("/time-zones")
    assert zones[0] == "UTC" and "Europe/Moscow" in zones and len(zones) == len(set(zones))
    answer = browser.call("PATCH", "/account", json={"time_zone": "Europe/Moscow"})
    assert answer.json() == {"name": "Main", "time_zone": "Europe/Moscow", "language": "en"}
    assert browser.get("/account")["time_zone"] == "Europe/Moscow"


def test_what_does_not_fit_is_told(browser: Browser) -> None:
    for body, place in (
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"language": "xx"}, "language"),
        ({"name": " "}, "name"),
    ):
        assert browser.refused("PATCH", "/account", 400, json=body)["place"] == place


def test_only_a_master_changes_the_account(editor: Browser) -> None:
    assert editor.refused("PATCH", "/account", 403, json={"name": "x"})["code"] == "role_missing"
