"""Rule trees for the oracle: field, subscription, message; all, any, not. A rule that cannot be answered is false."""

from __future__ import annotations

from typing import Any

from tests.reference.person import ACCEPTED, HANDING_OVER, IN_DOUBT, PLANNED, Passage, Person

_STATES = {
    "subscribed": 0, "confirmed": 0, "unsubscribed": 1, "complained": 2, "hardbounced": 3, "unconfirmed": 4, "suspended": 5, "invalid": 6,
}  # fmt: skip


def holds(tree: dict[str, Any], person: Person, passage: Passage) -> bool:
    """Whether the tree is true for this person now."""
    if "all" in tree:
        return all(holds(child, person, passage) for child in tree["all"])
    if "any" in tree:
        return any(holds(child, person, passage) for child in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person, passage)
    if tree["rule"] == "field":
        return _field(tree, person)
    if tree["rule"] == "subscription":
        return _subscription(tree, person)
    return _message(tree, person, passage)


def _field(rule: dict[str, Any], person: Person) -> bool:
    value, wanted, operator = person.fields.get(rule["field"]), rule.get("value"), rule["operator"]
    if operator == "set":
        return value is not None
    if operator == "not_set":
        return value is None
    if operator == "ne":
        return bool(value != wanted)
    if operator == "has_not":
        return value is None or wanted not in value
    if value is None:
        return False
    match operator:
        case "eq":
            return bool(value == wanted)
        case "lt":
            return bool(value < wanted)
        case "le":
            return bool(value <= wanted)
        case "gt":
            return bool(value > wanted)
        case "ge":
            return bool(value >= wanted)
        case "in":
            return value in wanted
        case "contains":
            return wanted.lower() in value.lower()
        case "starts_with":
            return value.lower().startswith(wanted.lower())
        case "has":
            return wanted in value
    raise AssertionError(operator)


def _subscription(rule: dict[str, Any], person: Person) -> bool:
    state = rule.get("state", "confirmed")
    return any(
        (s.confirmed_at is not None if state == "double_opt_in" else s.status == _STATES[state])
        for s in person.subscriptions
        if rule.get("resource") in (None, s.resource) and rule.get("channel") in (None, s.channel)
    )


def _message(rule: dict[str, Any], person: Person, passage: Passage) -> bool:
    looked_at = [passage] if rule.get("scope", "passage") == "passage" else person.passages
    found = 0
    for message in (m for p in looked_at for m in p.messages.values()):
        happened = {
            "sent": message.state in (PLANNED, HANDING_OVER, ACCEPTED, IN_DOUBT),
            "opened": message.opened,
            "clicked": message.clicked,
        }[rule["event"]]
        found += (
            happened
            and rule.get("channel") in (None, message.channel)
            and rule.get("node") in (None, message.node)
            and rule.get("template") in (None, message.template)
        )
    return found >= rule.get("at_least", 1)
