"""Subscriptions and resources as integrations handle them."""

from __future__ import annotations

import pytest

from sojourn.profiles.resource_fields import SubscriptionField, set_fields

CONTACT = {"db_id": 1, "resource_id": 1, "channel": "email", "email": "ann@example.com"}


@pytest.fixture
def ann(api):
    data = {"subscriptions": [{"resource_id": 1, "channel": "email", "email": "ann@example.com"}]}
    return api.call("profiles/import", db_id=1, email="ann@example.com", data=data)["profile_id"]


def listed(api, ann):
    return [one["status"] for one in api.call("subscriptions/list", db_id=1, profile_id=ann)["data"]]


def test_one_is_read_deleted_and_restored_with_its_status(api, ann):
    assert api.call("subscriptions/get", profile_id=ann, **CONTACT)["data"]["email"] == "ann@example.com"
    api.call("subscriptions/set", profile_id=ann, status="unsubscribed", **CONTACT)
    assert api.call("subscriptions/delete", profile_id=ann, **CONTACT)["error"] == 0
    assert listed(api, ann) == []
    assert api.call("subscriptions/get", profile_id=ann, **CONTACT)["error"] == 404
    assert api.call("subscriptions/restore", profile_id=ann, **CONTACT)["error"] == 0
    assert listed(api, ann) == ["unsubscribed"]
    assert api.call("subscriptions/restore", profile_id=ann, **CONTACT)["error"] == 404


def test_an_import_without_a_status_does_not_bring_a_deleted_one_back_and_one_with_a_status_does(api, ann):
    api.call("subscriptions/delete", profile_id=ann, **CONTACT)
    given = {"resource_id": 1, "channel": "email", "email": "ann@example.com"}
    api.call("profiles/import", db_id=1, email="ann@example.com", data={"subscriptions": [given]})
    assert listed(api, ann) == []
    api.call("profiles/import", db_id=1, email="ann@example.com", data={"subscriptions": [given | {"status": 0}]})
    assert listed(api, ann) == ["subscribed"]


def test_everybody_is_suspended_and_comes_back_but_not_out_of_an_own_pause(api, ann, connection):
    bob = {"subscriptions": [{"resource_id": 1, "channel": "email", "email": "bob@example.com", "status": "suspended"}]}
    other = api.call("profiles/import", db_id=1, email="bob@example.com", data=bob)["profile_id"]
    connection.execute(
        "UPDATE subscription SET suspended_until = created_at + interval '30 days' WHERE contact LIKE 'bob%'"
    )
    assert api.call("subscriptions/suspend_all", db_id=1, channel="sms")["updated"] == 0
    assert api.call("subscriptions/suspend_all", db_id=1, channel="email", resource_id=1)["updated"] == 1
    assert listed(api, ann) == ["suspended"]
    assert api.call("subscriptions/unsuspend_all", db_id=1)["updated"] == 1
    assert listed(api, ann) == ["subscribed"] and listed(api, other) == ["suspended"]
    assert api.call("subscriptions/suspend_all", db_id=9)["error"] == 404


def test_own_fields_of_subscriptions_are_told_and_checked_by_their_types(api, ann, connection):
    fields = [SubscriptionField(1, "shoe", "Shoe size", "integer"), SubscriptionField(1, "since", "Since", "date")]
    set_fields(connection, 1, fields)
    told = api.call("resources/fields_get", id=1, channel="email")["data"]
    assert [(one["name"], one["title"]) for one in told] == [("shoe", "Shoe size"), ("since", "Since")]
    assert api.call("resources/fields_get", id=1, channel="sms")["data"] == []
    wrong = api.call("subscriptions/set", profile_id=ann, custom_fields={"shoe": "large"}, **CONTACT)
    assert wrong["error"] == 400 and "shoe" in wrong["error_text"]
    given = {"shoe": "42", "since": "2026-01-31", "own": True}
    assert api.call("subscriptions/set", profile_id=ann, custom_fields=given, **CONTACT)["error"] == 0
    kept = api.call("subscriptions/get", profile_id=ann, **CONTACT)["data"]["custom_fields"]
    assert kept == {"shoe": 42, "since": "2026-01-31T00:00:00+00:00", "own": True}


def test_what_was_shown_at_the_subscription_is_kept_as_proof(api, connection):
    text = "I want letters of the shop. I can leave at any time."
    for name in ("a", "b"):
        given = {
            "resource_id": 1,
            "channel": "email",
            "email": f"{name}@example.com",
            "consent": text,
            "ip": "192.0.2.7",
        }
        api.call("profiles/import", db_id=1, email=f"{name}@example.com", data={"subscriptions": [given]})
    rows = connection.execute(
        "SELECT t.text, s.opt_in_ip FROM subscription s JOIN consent_text t ON t.id = s.consent_id"
    ).fetchall()
    assert rows == [(text, "192.0.2.7")] * 2
    assert connection.execute("SELECT count(*) FROM consent_text").fetchone() == (1,)
