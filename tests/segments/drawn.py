"""Rules as Hypothesis draws them: every operator of every type of field, every rule, with values near to what the people have."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sojourn.segments.operators import operators_of

DRAWN: set[str] = {"field"}
"""Rules that the strategies know."""


def many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3)


def field(
    name: str, operators: list[str], value: st.SearchStrategy[Any] | None, **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    rule = {"rule": "field", "field": name, **more}
    values = value if value is not None else st.none()
    return st.builds(
        lambda operator, given: {**rule, "operator": operator} | ({} if value is None else {"value": given}),
        st.sampled_from(operators),
        values,
    )


days = st.sampled_from(
    ["2026-03-28", "2026-03-29", "2026-03-30", "2026-02-28", "2025-03-29", "1992-02-29", "28.3.2026"]
)
moments = st.one_of(
    days, st.sampled_from(["2026-03-29T00:30:00Z", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00+02:00"])
)
SOME: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.sampled_from([-3, 0, 1, 5, 10, 11, 2**40, "5"]), "float": st.sampled_from([0.5, 1, 72.25, -1e300]), "boolean": st.booleans(),
    "line": st.sampled_from(["Riga", "riga", "R", "%", "_", "a%b", "ü", "Oslo", "'", "\\", "Ж"]), "enum": st.sampled_from(["gold", "bronze", "silver"]),
    "ip": st.sampled_from(["10.0.0.1", "10.0.0.2", "192.168.1.1"]), "email": st.sampled_from(["p1@gmail.com", "P2@Mail.ru", "nobody@shop.test"]),
    "tags": st.sampled_from(["a", "b", "d e", " c ", "z"]), "phones": st.sampled_from(["+79001234567", "+1 (202) 555-0100", "+14165550100"]), "date": moments,
    "sex": st.sampled_from(["male", "female"]), "status": st.sampled_from(["subscribed", "unsubscribed", "suspended"]),
    "profile_id": st.sampled_from([f"{number:024x}" for number in (1, 17, 999)]),
}  # fmt: skip
"""Values of each type of field."""
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "line": st.sampled_from(["r", "GA", "%", "_", "a%", "Ü", "ã"]), "enum": st.sampled_from(["o", "R", "gold"]), "ip": st.sampled_from(["10.", ".1", "8.1"]),
    "email": st.sampled_from(["p1", "GMAIL", ".ru", "@"]), "tags": SOME["tags"], "phones": SOME["phones"],
}  # fmt: skip
"""Texts to look for in each type of field."""
RANGES = {
    "integer": [[0, 5], [-3, -3], [5, 2**40]], "float": [[0.5, 1], [-1e9, 72.25]],
    "date": [["2026-03-01", "2026-03-29"], ["2026-03-29", "2026-03-29"], ["2026-03-28T23:00:00Z", "2026-03-29"], ["1988-03-01", "29.03.2001"]],
}  # fmt: skip
SHAPES: dict[str, Any] = {
    "none": lambda kind: None, "one": lambda kind: SOME[kind], "many": lambda kind: many(SOME[kind]), "text": lambda kind: PARTS[kind], "texts": lambda kind: many(PARTS[kind]),
    "pattern": lambda kind: st.sampled_from(["^r", "ga$", "[aeiou]{2}", "o|x", "\\d", "^.{3,4}$", "(a|e)+", "\\.", "[^a-m]$", "^\\w+$"]),
    "range": lambda kind: st.sampled_from(RANGES[kind]), "days": lambda kind: st.sampled_from([1, 2, 7, 8, 29, 30, 31]), "count": lambda kind: st.integers(0, 3),
    "days_range": lambda kind: st.sampled_from([[0, 0], [-1, 1], [-30, 0], [0, 7], [-366, 366], [-29, -29], [-28, -28]]),
    "weekdays": lambda kind: many(st.integers(1, 7)), "months": lambda kind: many(st.integers(1, 12)), "groups": lambda kind: many(st.sampled_from(["google", "mailru"])),
    "countries": lambda kind: many(st.sampled_from(["RU", "KZ", "US", "CA", "DE", "FR"])),
}  # fmt: skip
SPECIAL = {
    ("phones", "starts_with"): st.sampled_from(["+7", "+1", "7 90", "1(416)"]), ("email", "domain"): many(st.sampled_from(["gmail.com", "@Shop.test"])),
    ("email", "not_domain"): many(st.sampled_from(["gmail.com", "shop.test"])), ("date", "days_ago"): st.sampled_from([0, 1, 2, 30]), ("date", "days_ahead"): st.sampled_from([0, 1, 7]),
}  # fmt: skip
NAMES = {
    "integer": ["points"], "float": ["weight"], "boolean": ["vip"], "line": ["town"], "enum": ["level"], "ip": ["address"], "email": ["email"], "tags": ["labels"], "phones": ["phones"],
    "date": ["seen", "_bdate", "_created"], "sex": ["_sex"], "status": ["_status"], "profile_id": ["_id"], "object": ["car"], "objects": ["orders"],
}  # fmt: skip
"""Fields of each type."""


def fields(kind: str) -> list[st.SearchStrategy[dict[str, Any]]]:
    """All operators of a type over all fields of the type."""
    return [
        field(name, [operator.code], SPECIAL.get((kind, operator.code), SHAPES[operator.shape](kind)))
        for name in NAMES[kind]
        for operator in operators_of(kind)
    ]


PLAIN = [one for kind in NAMES if kind != "date" for one in fields(kind)]
DATES = [*fields("date"), *(field(name, ["lt", "le", "gt", "ge"], moments) for name in NAMES["date"])]
INSIDE = [
    field("car", ["eq", "ne", "contains"], st.sampled_from(["bmw", "BMW", "5", "Ж"]), path="make"), field("car", ["set", "not_set", "empty", "not_empty"], None),
    field("car", ["set", "not_set"], None, path="make"), field("car", ["lt", "ge", "eq"], st.sampled_from([1999, 2020.5]), path="year", path_type="float"),
    field("car", ["eq", "ne"], st.booleans(), path="new", path_type="boolean"), field("car", ["after", "last_days"], st.just(1), path="nothing.deep", path_type="date").map(
        lambda rule: rule if rule["operator"] == "last_days" else {**rule, "value": "2026-01-01"}
    ),
    field("car", ["before", "after", "eq", "ne", "le"], moments, path="bought", path_type="date"), field("car", ["in", "not_in"], many(days), path="bought", path_type="date"),
    field("car", ["last_days", "days_ago"], st.sampled_from([1, 2]), path="bought", path_type="date"), field("car", ["weekday"], many(st.integers(1, 7)), path="bought", path_type="date"),
    field("car", ["eq", "ne", "starts_with", "matches"], st.sampled_from(["left", "3", "l"]), path="doors"), field("car", ["set", "not_set"], None, path="doors"),
    field("car", ["eq", "ne", "contains", "not_contains"], st.sampled_from(["Ann", "n", "Bo"]), path="owners.name"), field("car", ["not_set"], None, path="owners.name"),
    field("orders", ["ge", "lt", "ne"], st.sampled_from([1, 50, 51]), path="sum", path_type="float"), field("orders", ["eq", "ne"], st.just("50"), path="sum"), field("orders", ["in", "not_in"], st.just(["50", "2"]), path="sum"),
    field("orders", ["set", "not_set", "empty", "not_empty"], None), field("orders", ["before", "not_set"], st.just("2026-03-02"), path="at", path_type="date"),
]  # fmt: skip
windows = st.one_of(
    st.just({}),
    st.builds(lambda n: {"within_days": n}, st.sampled_from([1, 2, 7, 30, 31, 365])),
    st.builds(lambda a, b: {k: v for k, v in (("since", a), ("until", b)) if v}, st.sampled_from([None, "2026-02-26", "2026-03-28"]), st.sampled_from([None, "2026-03-28", "2026-03-29"])),
)  # fmt: skip
often = st.one_of(
    st.just({}),
    st.builds(
        lambda h, n: {"happened": h, "times": n}, st.sampled_from(["at_least", "at_most", "never"]), st.integers(1, 3)
    ),
)


def rule(code: str, *parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    DRAWN.add(code)
    return st.tuples(*parts).map(lambda found: {"rule": code, **{k: v for part in found for k, v in part.items()}})


def one(name: str, *values: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([{} if value is None else {name: value} for value in values])


UTM = [
    rule("utm", one("mark", None, "source", "medium", "term", "content"), st.sampled_from([{"compare": {"operator": operator.code}} for operator in operators_of("line") if operator.shape == "none"])),
    rule("utm", one("mark", None, "source", "medium", "term", "content"), st.builds(lambda o, v: {"compare": {"operator": o, "value": v}}, st.sampled_from(["eq", "ne", "contains", "not_contains", "starts_with", "ends_with"]), st.sampled_from(["Riga", "riga", "summer sale", "Ж", "a%b", "e%", "%ff", "%00", "late", "no"]))),
    rule("utm", one("mark", "source", "campaign"), st.builds(lambda o, v: {"compare": {"operator": o, "value": v}}, st.sampled_from(["in", "not_in"]), many(st.sampled_from(["Riga", "Ж", "%ff"])))),
]  # fmt: skip
BEHAVIOUR = [
    *UTM,
    rule("activity", one("event", "sent", "opened", "clicked"), one("channel", None, "email"), one("templates", None, [1], [2, 3]), one("scenarios", None, [2]), one("link", None, "https://a.test/"), often, windows),
    rule("subscription", one("state", "confirmed", "unsubscribed", "any", "double_opt_in", "unconfirmed", "invalid", ["unsubscribed", "unconfirmed"], ["double_opt_in", "subscribed"]), one("resource", None, 1), one("channel", None, "sms"), one("category", None, "news"), one("priority", None, 0), one("presence", None, "none"), one("contact", None, "A@")),
    rule("subscription", st.just({"state": "any"}), one("presence", None, "none"), one("added", None, {"operator": "last_days", "value": 2}, {"operator": "ne", "value": "2026-03-29"}),
         one("confirmed", None, {"operator": "eq", "value": "2026-03-29"}, {"operator": "not_set"}), one("changed", None, {"operator": "last_days", "value": 7}, {"operator": "lt", "value": "2026-03-29"}), one("custom", None, {"name": "size", "operator": "ne", "value": "M"}, {"name": "size", "operator": "set"}, {"name": "size", "type": "float", "operator": "ge", "value": 3}, {"name": "since", "type": "date", "operator": "days_ago", "value": 0})),
    rule("scenario", one("scenario", 1, 2), one("participation", "entered", "never_entered", "inside", "not_inside", "completed", "failed"), one("within_days", None, 1, 30)),
    rule("scenario", one("scenario", 1), one("participation", "inside", "not_inside"), one("at_node", 3, 4)),
    rule("promo_code", one("pool", None, 1), one("validity", "any", "valid", "expired"), often, windows),
    rule("segment", one("segment", 1, 2), one("membership", "in", "not_in", "past")), rule("segment", one("segment", 1, 2), st.just({"membership": "entered"}), often, windows),
    rule("segment", one("segment", 3, 4), one("membership", "in", "not_in")),
    rule("structure", one("part", "email", "phone", "subscription", "relation"), one("sign", "at_least", "at_most", "exactly"), one("number", 0, 1, 2)),
    rule("structure", st.just({"part": "subscription", "sign": "at_least", "number": 1}), one("channel", "email", "sms")),
    rule("sample", st.sampled_from([{"start": 0, "end": 50}, {"start": 50, "end": 100}, {"start": 12.5, "end": 13}]), one("name", None, "other")),
]  # fmt: skip


trees = st.recursive(
    st.one_of(*PLAIN, *DATES, *INSIDE, *BEHAVIOUR),
    lambda child: st.one_of(
        st.lists(child, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(child, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        child.map(lambda part: {"not": part}),
    ),
    max_leaves=7,
)
