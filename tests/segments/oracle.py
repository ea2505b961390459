"""Rules asked in Python about one person, written from their meanings: slow, plain, and without a look at any SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import md5
from typing import Any
from urllib.parse import unquote_to_bytes
from zoneinfo import ZoneInfo

from phonenumbers import parse, region_code_for_number

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
    have: Any = {"_id": f"{person.id:024x}", "_created": NOW - timedelta(days=person.id % 40)}.get(
        name, person.values.get(name)
    )
    if "path" in rule:
        return _inside(rule, rule["operator"], have, rule["path"], rule.get("path_type", "line"), rule.get("value"))
    if name == "_sex" and have is not None:
        have = _SEXES[have]
    if name == "_status" and have is not None:
        have = _STATUSES[have]
    return _compared(rule, have)


_OPPOSITES = {"ne": "eq", "not_in": "in", "not_contains": "contains", "not_set": "set"}


def _inside(rule: dict[str, Any], operator: str, have: Any, path: str, kind: str, want: Any) -> bool:
    """One of the values at the end of the path fits; with the opposite of an operator: none fits."""
    if operator in _OPPOSITES:
        return not _inside(rule, _OPPOSITES[operator], have, path, kind, want)
    found = [have]
    for step in path.split("."):
        found = [item[step] for item in _elements(found) if isinstance(item, dict) and step in item]
    return any(_compared({"operator": operator, "value": want}, _read(item, kind)) for item in _elements(found))


def _elements(values: list[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _read(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "line":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if kind == "float":
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None or found.tzinfo:
        return found
    return found.replace(tzinfo=_ZONE if len(value) == 10 else UTC)


def _own_field(rule: dict[str, Any], custom: dict[str, Any] | None) -> bool:
    return _inside(rule, rule["operator"], custom, rule["name"], rule.get("type", "line"), rule.get("value"))


def _day(value: Any) -> date:
    return value.astimezone(_ZONE).date() if isinstance(value, datetime) else value


def _sign(have: Any, want: Any, test: Callable[[Any, Any], bool]) -> bool:
    if isinstance(have, (date, datetime)) and isinstance(want, str):
        if len(want) <= 10:
            day = date.fromisoformat(want) if "-" in want else date(*map(int, reversed(want.split("."))))
            return test(_day(have), day)
        moment = datetime.fromisoformat(want)
        return test(have, moment if isinstance(have, datetime) else moment.date())
    if isinstance(have, int) and isinstance(want, str):
        return test(have, int(want))
    if isinstance(have, str) and "@" in have:
        return test(have, want.lower())
    return test(have, want)


def _compared(rule: dict[str, Any], have: Any) -> bool:
    want, operator = rule.get("value"), rule["operator"]
    opposite = {
        "ne": "eq", "not_in": "in", "not_contains": "contains", "has_not": "has", "has_none": "has_any", "not_domain": "domain",
        "not_domain_group": "domain_group", "not_set": "set", "not_country": "country",
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


def _element(want: str) -> str:
    """A tag as it is kept, a phone number without its ornaments."""
    return "+" + re.sub(r"\D", "", want) if want.startswith("+") else want.strip()


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
    "starts_with": lambda have, want: (
        any(one.startswith("+" + re.sub(r"\D", "", want)) for one in have)
        if isinstance(have, list)
        else have.lower().startswith(want.lower())
    ),
    "ends_with": lambda have, want: have.lower().endswith(want.lower()),
    "matches": lambda have, want: re.search(want.replace("$", r"\Z"), have, re.IGNORECASE | re.DOTALL) is not None,
    "domain": lambda have, want: have.split("@")[1] in [one.lower().removeprefix("@") for one in want],
    "domain_group": lambda have, want: any(have.split("@")[1] in _GROUPS[one] for one in want),
    "has": lambda have, want: _element(want) in have,
    "has_any": lambda have, want: any(_element(one) in have for one in want),
    "has_all": lambda have, want: all(_element(one) in have for one in want),
    "country": lambda have, want: any(region_code_for_number(parse(one)) in want for one in have),
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


def _utm(rule: dict[str, Any], person: Person) -> bool:
    return _compared(
        rule.get("compare", {"operator": "set"}), _mark(person.values["_regurl"], rule.get("mark", "campaign"))
    )


def _mark(link: str | None, mark: str) -> str | None:
    query = (link or "").split("#")[0].partition("?")[2]
    for part in query.split("&"):
        name, sign, value = part.partition("=")
        if name == f"utm_{mark}" and sign:
            spaced = value.replace("+", " ")
            raw = unquote_to_bytes(spaced)
            try:
                return None if not value else spaced if b"\0" in raw else raw.decode()
            except UnicodeDecodeError:
                return spaced
    return None


def _subscription(rule: dict[str, Any], person: Person) -> bool:
    statuses = {"confirmed": 0, "subscribed": 0, "unsubscribed": 1, "unconfirmed": 4, "invalid": 6}
    state, channel = rule.get("state", "confirmed"), {"email": 1, "sms": 2}.get(rule.get("channel", ""))
    states = [state] if isinstance(state, str) else state
    found = any(
        rule.get("resource") in (None, s["resource"]) and channel in (None, s["channel"])
        and not s["deleted"]
        and any(word == "any" or (s["confirmed"] if word == "double_opt_in" else s["status"] == statuses[word]) for word in states)
        and (rule.get("category") is None or s["cats"] is None or rule["category"] in s["cats"])
        and (rule.get("priority") is None or s["priority"] <= rule["priority"])
        and ("added" not in rule or _compared(rule["added"], s["created_at"]))
        and ("changed" not in rule or _compared(rule["changed"], max(s["changes"], default=s["created_at"])))
        and ("confirmed" not in rule or _compared(rule["confirmed"], NOW if s["confirmed"] else None))
        and ("custom" not in rule or _own_field(rule["custom"], s["custom"]))
        and (rule.get("contact") or "").lower() in s["contact"].lower()
        for s in person.subscriptions
    )  # fmt: skip
    return found == (rule.get("presence", "some") == "some")


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
        "subscription": sum(channel in (None, s["channel"]) and not s["deleted"] for s in person.subscriptions), "relation": 0,
    }[rule["part"]]  # fmt: skip
    return {"at_least": have >= rule["number"], "at_most": have <= rule["number"], "exactly": have == rule["number"]}[
        rule["sign"]
    ]


def _sample(rule: dict[str, Any], person: Person) -> bool:
    place = int(md5(f"{rule.get('name', '')}:{person.id}".encode()).hexdigest()[:8], 16) % 10_000
    return round(rule["start"] * 100) <= place < round(rule["end"] * 100)


_RULES: dict[str, Callable[[dict[str, Any], Person], bool]] = {
    "field": _field, "utm": _utm, "activity": _activity, "subscription": _subscription, "scenario": _scenario, "promo_code": _promo_code, "structure": _structure, "sample": _sample,
}  # fmt: skip
