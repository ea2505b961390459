"""Rules asked in Python about one person, written from their meanings: slow, plain, and without a look at any SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import md5
from typing import Any
from zoneinfo import ZoneInfo

from tests.segments.people import NOW, ZONE, Person

_ZONE = ZoneInfo(ZONE)
_GROUPS = {
    "google": {"gmail.com", "googlemail.com"},
    "mailru": {"mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru"},
}
_SEXES, _STATUSES = (
    ("male", "female"),
    ("subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid"),
)
_TODAY = NOW.astimezone(_ZONE).date()


def holds(tree: dict[str, Any], person: Person, dynamic: dict[int, dict[str, Any]] | None = None) -> bool:
    """Whether the tree is true for the person at the moment `NOW`; `dynamic` are the trees of dynamic segments."""
    if "all" in tree:
        return all(holds(child, person, dynamic) for child in tree["all"])
    if "any" in tree:
        return any(holds(child, person, dynamic) for child in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person, dynamic)
    if tree["rule"] == "segment":
        return _segment(tree, person, dynamic or {})
    return _RULES[tree["rule"]](tree, person)


# ---------------------------------------------------------------------------------------------- fields


def _field(rule: dict[str, Any], person: Person) -> bool:
    name = rule["field"]
    have: Any = {"_id": person.id, "_created": NOW - timedelta(days=person.id % 40)}.get(name, person.values.get(name))
    if "path" in rule:
        if name == "orders":
            return any(_compared(rule, _inside(item, rule)) for item in have or ())
        return _compared(rule, _inside(have, rule))
    if name == "_sex" and have is not None:
        have = _SEXES[have]
    if name == "_status" and have is not None:
        have = _STATUSES[have]
    return _compared(rule, have)


def _inside(value: Any, rule: dict[str, Any]) -> Any:
    for step in rule["path"].split("."):
        value = value.get(step) if isinstance(value, dict) else None
    kind = rule.get("path_type", "line")
    if value is None:
        return None
    if kind == "line":
        return (
            value
            if isinstance(value, str)
            else {True: "true", False: "false"}.get(value, str(value))
            if isinstance(value, bool)
            else str(value)
        )
    if kind == "float":
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _day(value: Any) -> date:
    return value.astimezone(_ZONE).date() if isinstance(value, datetime) else value


def _sign(have: Any, want: Any, test: Callable[[Any, Any], bool]) -> bool:
    if isinstance(have, (date, datetime)) and isinstance(want, str):
        if len(want) == 10:
            return test(_day(have), date.fromisoformat(want))
        moment = datetime.fromisoformat(want)
        return test(have, moment if isinstance(have, datetime) else moment.date())
    return test(have, want)


def _compared(rule: dict[str, Any], have: Any) -> bool:
    want, operator = rule.get("value"), rule["operator"]
    opposite = {
        "ne": "eq", "not_in": "in", "not_contains": "contains", "has_not": "has", "has_none": "has_any", "not_domain": "domain",
        "not_domain_group": "domain_group", "not_set": "set",
    }.get(operator)  # fmt: skip
    if opposite:
        return not _compared({**rule, "operator": opposite}, have)
    if operator == "set":
        return have is not None
    if operator == "empty":
        return have is not None and have in ({}, [])
    if operator == "not_empty":
        return have is not None and have not in ({}, [])
    if operator.startswith("count_"):
        return {"eq": int.__eq__, "ge": int.__ge__, "le": int.__le__}[operator[6:]](len(have or ()), want)
    return have is not None and _TESTS[operator](have, want)


def _anniversary(have: Any, want: list[int]) -> bool:
    born = _day(have)
    for offset in range(want[0], want[1] + 1):
        day = _TODAY + timedelta(days=offset)
        if (born.month, born.day) == (day.month, day.day):
            return True
        leap = (day + timedelta(days=1)).month == 3
        if (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28) and leap:
            return True
    return False


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: _sign(have, want, lambda a, b: bool(a == b)),
    "in": lambda have, want: any(_sign(have, one, lambda a, b: bool(a == b)) for one in want),
    "lt": lambda have, want: _sign(have, want, lambda a, b: bool(a < b)),
    "le": lambda have, want: _sign(have, want, lambda a, b: bool(a <= b)),
    "gt": lambda have, want: _sign(have, want, lambda a, b: bool(a > b)),
    "ge": lambda have, want: _sign(have, want, lambda a, b: bool(a >= b)),
    "before": lambda have, want: _sign(have, want, lambda a, b: bool(a < b)),
    "after": lambda have, want: _sign(have, want, lambda a, b: bool(a > b)),
    "between": lambda have, want: (
        _sign(have, want[0], lambda a, b: bool(a >= b)) and _sign(have, want[1], lambda a, b: bool(a <= b))
    ),
    "contains": lambda have, want: want.lower() in have.lower(),
    "starts_with": lambda have, want: any(
        one.lower().startswith(want.lower()) for one in (have if isinstance(have, list) else [have])
    ),
    "ends_with": lambda have, want: have.lower().endswith(want.lower()),
    "matches": lambda have, want: re.search(want, have, re.IGNORECASE) is not None,
    "domain": lambda have, want: have.split("@")[1] in want,
    "domain_group": lambda have, want: any(have.split("@")[1] in _GROUPS[one] for one in want),
    "has": lambda have, want: want in have,
    "has_any": lambda have, want: any(one in have for one in want),
    "has_all": lambda have, want: all(one in have for one in want),
    "last_days": lambda have, want: _TODAY - timedelta(days=want) < _day(have) <= _TODAY,
    "next_days": lambda have, want: _TODAY <= _day(have) < _TODAY + timedelta(days=want),
    "days_ago": lambda have, want: _day(have) == _TODAY - timedelta(days=want),
    "days_ahead": lambda have, want: _day(have) == _TODAY + timedelta(days=want),
    "more_days_ago": lambda have, want: _day(have) < _TODAY - timedelta(days=want),
    "more_days_ahead": lambda have, want: _day(have) > _TODAY + timedelta(days=want),
    "anniversary": _anniversary,
    "weekday": lambda have, want: _day(have).isoweekday() in want,
    "month": lambda have, want: _day(have).month in want,
}


# ---------------------------------------------------------------------------------------------- what happened


def _in_window(rule: dict[str, Any], at: datetime) -> bool:
    if (days := rule.get("within_days")) is not None:
        return NOW - timedelta(hours=24 * days) < at <= NOW
    if (since := rule.get("since")) and at < datetime.combine(date.fromisoformat(since), time(0), _ZONE):
        return False
    until = rule.get("until")
    return not until or at < datetime.combine(date.fromisoformat(until) + timedelta(days=1), time(0), _ZONE)


def _often(rule: dict[str, Any], number: int) -> bool:
    match rule.get("happened", "at_least"):
        case "at_least":
            return number >= rule.get("times", 1)
        case "at_most":
            return number <= rule.get("times", 1)
    return number == 0


def _activity(rule: dict[str, Any], person: Person) -> bool:
    kind, channel = (
        {"sent": 1, "opened": 3, "clicked": 4}[rule["event"]],
        {"email": 1, "sms": 2}.get(rule.get("channel", "")),
    )
    return _often(
        rule,
        sum(
            event["kind"] == kind and channel in (None, event["channel"]) and event["template"] in (rule.get("templates") or (1, 2, 3))
            and event["scenario"] in (rule.get("scenarios") or (1, 2)) and rule.get("link") in (None, event["url"]) and _in_window(rule, event["at"])
            for event in person.events
        ),
    )  # fmt: skip


def _subscription(rule: dict[str, Any], person: Person) -> bool:
    statuses = {"confirmed": 0, "subscribed": 0, "unsubscribed": 1, "unconfirmed": 4, "invalid": 6}
    state, channel = rule.get("state", "confirmed"), {"email": 1, "sms": 2}.get(rule.get("channel", ""))
    days = rule.get("added_within_days")
    return any(
        rule.get("resource") in (None, s["resource"]) and channel in (None, s["channel"])
        and (state == "any" or (s["confirmed"] if state == "double_opt_in" else s["status"] == statuses[state]))
        and (rule.get("category") is None or s["cats"] is None or rule["category"] in s["cats"])
        and (rule.get("priority") is None or s["priority"] <= rule["priority"])
        and (days is None or NOW - timedelta(days=days) < s["created_at"] <= NOW)
        and (rule.get("contact") or "").lower() in s["contact"].lower()
        for s in person.subscriptions
    )  # fmt: skip


def _scenario(rule: dict[str, Any], person: Person) -> bool:
    own = [passage for passage in person.passages if passage["scenario"] == rule["scenario"]]
    days = rule.get("within_days")
    recent = [p for p in own if p["state"] != "entered" and p["at"] > NOW - timedelta(days=days)] if days else own
    match rule["participation"]:
        case "entered":
            return bool(recent)
        case "never_entered":
            return not recent
        case "inside" | "not_inside":
            inside = any(p["state"] == "inside" and rule.get("at_node") in (None, p["node"]) for p in own)
            return inside == (rule["participation"] == "inside")
    return any(p["state"] == rule["participation"] for p in recent)


def _promo_code(rule: dict[str, Any], person: Person) -> bool:
    def valid(code: dict[str, Any]) -> bool:
        expired = code["expires"] is not None and code["expires"] <= NOW
        return {"any": True, "valid": not expired, "expired": expired}[rule.get("validity", "any")]

    return _often(
        rule,
        sum(rule.get("pool") in (None, c["pool"]) and valid(c) and _in_window(rule, c["at"]) for c in person.codes),
    )


def _segment(rule: dict[str, Any], person: Person, dynamic: dict[int, dict[str, Any]]) -> bool:
    number, membership = rule["segment"], rule.get("membership", "in")
    if number in dynamic:
        return holds(dynamic[number], person, dynamic) == (membership == "in")
    history = person.members.get(number, [])
    now = bool(history) and history[-1][1]
    match membership:
        case "in" | "not_in":
            return now == (membership == "in")
        case "past":
            return any(entered for _, entered in history) and not now
    return _often(rule, sum(entered and _in_window(rule, at) for at, entered in history))


def _structure(rule: dict[str, Any], person: Person) -> bool:
    channel = {"email": 1, "sms": 2}.get(rule.get("channel", ""))
    have = {
        "email": int(person.values["email"] is not None), "phone": len(person.values["phones"] or ()),
        "subscription": sum(channel in (None, s["channel"]) for s in person.subscriptions), "relation": 0,
    }[rule["part"]]  # fmt: skip
    return {"at_least": have >= rule["number"], "at_most": have <= rule["number"], "exactly": have == rule["number"]}[
        rule["sign"]
    ]


def _sample(rule: dict[str, Any], person: Person) -> bool:
    place = int(md5(f"{rule.get('name', '')}:{person.id}".encode()).hexdigest()[:8], 16) % 10_000
    return round(rule["start"] * 100) <= place < round(rule["end"] * 100)


_RULES: dict[str, Callable[[dict[str, Any], Person], bool]] = {
    "field": _field, "activity": _activity, "subscription": _subscription, "scenario": _scenario, "promo_code": _promo_code, "structure": _structure, "sample": _sample,
}  # fmt: skip
