"""Draws plays: a graph, people, and what happens, round by round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.reference.graph import outputs_of
from tests.reference.person import ACCEPTED, HANDING_OVER, IN_DOUBT, NOT_SENT, REJECTED

FIELDS = {
    "points": "integer",
    "visits": "integer",
    "spent": "float",
    "level": "line",
    "labels": "tags",
    "vip": "boolean",
}
RESOURCES = ["News", "Alerts"]
TEMPLATES = {"email": ["Letter", "Gift"], "sms": ["Text", "Reminder"]}
CONFIRMATION = "Confirm"
POOLS = ["SPRING", "AUTUMN"]
STARTS = ["start_any_import", "start_api_import", "start_file_import"]
_LENGTHS = ["1m", "5m", "5m", "1h"]
_CLOCKS = ["10:00", "10:05", "11:00", "09:30"]
_VALUES = {
    "integer": st.integers(-3, 5),
    "float": st.sampled_from([-0.5, 0.0, 0.5, 2.0]),
    "line": st.sampled_from(["a", "Ab", "b"]),
    "tags": st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=2, unique=True),
    "boolean": st.booleans(),
}
HUGE = 2**63 - 2
"""Points of people whose increase fails."""


@dataclass
class PersonDraft:
    """A person at the beginning."""

    lane: int
    exists: bool
    fields: dict[str, Any]
    status: int | None
    subscriptions: list[tuple[str, str, int]]
    """Resource, channel, status."""


@dataclass
class Round:
    """What happens between two comparisons, in this order; then the clock moves on and the engine runs."""

    fields: list[tuple[int, str, Any]] = field(default_factory=list)
    statuses: list[tuple[int, int, int]] = field(default_factory=list)
    global_statuses: list[tuple[int, int | None]] = field(default_factory=list)
    outcomes: list[tuple[frozenset[int], int]] = field(default_factory=list)
    answers: list[tuple[frozenset[int], int]] = field(default_factory=list)
    opens: list[tuple[frozenset[int], bool]] = field(default_factory=list)
    captures: list[tuple[int, int, str, Any]] = field(default_factory=list)
    """Person, number of the start node, key, context."""
    remove: bool = False
    publish: int | None = None
    """Number of the graph that is published now."""
    fold: bool = False
    advance: int = 0
    lag: bool = False
    """The engine does not run this time."""


@dataclass
class Play:
    """Everything drawn."""

    graphs: list[dict[str, Any]]
    people: list[PersonDraft]
    rounds: list[Round]
    batch: int


# ---------------------------------------------------------------------------------------------- graphs


@st.composite
def _field_rule(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    kind = FIELDS[name]
    operators = {
        "integer": ["eq", "ne", "lt", "le", "gt", "ge", "in", "set", "not_set"],
        "float": ["eq", "ne", "lt", "ge", "set"],
        "line": ["eq", "ne", "contains", "starts_with", "in", "set", "not_set"],
        "tags": ["has", "has_not", "set", "not_set"],
        "boolean": ["eq", "ne", "set", "not_set"],
    }[kind]
    rule = {"rule": "field", "field": name, "operator": draw(st.sampled_from(operators))}
    if rule["operator"] in ("set", "not_set"):
        return rule
    if rule["operator"] in ("has", "has_not"):
        return {**rule, "value": draw(st.sampled_from(["x", "y"]))}
    if rule["operator"] == "in":
        return {**rule, "value": draw(st.lists(_VALUES[kind], min_size=1, max_size=2))}
    return {**rule, "value": draw(_VALUES[kind])}


def _subscription_rule() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "rule": st.just("subscription"),
            "state": st.sampled_from(["confirmed", "double_opt_in", "unsubscribed", "unconfirmed"]),
        },
        optional={"resource": st.sampled_from(RESOURCES), "channel": st.sampled_from(["email", "sms"])},
    )


def _message_rule(nodes: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "rule": st.just("message"),
            "event": st.sampled_from(["sent", "sent", "opened", "clicked"]),
            "scope": st.sampled_from(["passage", "passage", "ever"]),
            "at_least": st.sampled_from([1, 1, 1, 2, 3]),
        },
        optional={
            "channel": st.sampled_from(["email", "sms"]),
            "node": st.sampled_from(nodes),
            "template": st.sampled_from([t for names in TEMPLATES.values() for t in names]),
        },
    )


def _rules(nodes: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    rule = st.one_of(_field_rule(), _message_rule(nodes), _subscription_rule())
    return st.recursive(
        rule,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=2)}),
            st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=2)}),
            st.fixed_dictionaries({"not": inner}),
        ),
        max_leaves=3,
    )


@st.composite
def _changes(draw: st.DrawFn) -> list[dict[str, Any]]:
    changes = []
    for name in draw(
        st.lists(st.sampled_from(["points", "points", *sorted(FIELDS)]), min_size=1, max_size=2, unique=True)
    ):
        kind = FIELDS[name]
        operations = ["set", "clear"]
        if kind in ("integer", "float"):
            operations += ["increase"] * 3 + ["decrease"]
        if kind == "tags":
            operations += ["add_tags", "add_tags", "remove_tags"]
        operation = draw(st.sampled_from(operations))
        changes.append(
            {"field": name, "operation": operation, **({} if operation == "clear" else {"value": draw(_VALUES[kind])})}
        )
    return changes


def _settings(draw: st.DrawFn, kind: str, nodes: list[int]) -> dict[str, Any]:
    match kind:
        case "pause" if draw(st.integers(0, 4)) == 4:
            return {"until": "time", "time": draw(st.sampled_from(_CLOCKS)), "zone": "account"}
        case "pause":
            return {"length": draw(st.sampled_from(_LENGTHS))}
        case "window":
            return {
                "opens": draw(st.sampled_from(_CLOCKS)),
                "closes": draw(st.sampled_from(_CLOCKS)),
                "zone": draw(st.sampled_from(["account", "profile"])),
            }
        case "split":
            return {
                "branches": [
                    {"percent": share}
                    for share in draw(st.sampled_from([[50, 25, 25], [0, 100, 0], [33.34, 33.33, 33.33]]))
                ]
            }
        case "api_filter":
            content = {"name": "order", "type": "float", "operator": "ge", "value": draw(st.sampled_from([7, 8]))}
            return {"rules": {"rule": "api_content", "content": content}}
        case "goal":
            return {"goal": "bought"}
        case "exit":
            return {}
        case "condition":
            return {"rules": draw(_rules(nodes))}
        case "update_profile":
            return {"changes": draw(_changes())}
        case "promo_code":
            return {"pool": draw(st.sampled_from(POOLS))}
        case "api_request":
            return {"url": "http://centre.test/tasks", "give_up_after": draw(st.sampled_from(["1m", "1h"]))}
        case "email":
            confirmation = draw(st.sampled_from([False, False, True]))
            template = CONFIRMATION if confirmation else draw(st.sampled_from(TEMPLATES["email"]))
            return {"resource": draw(st.sampled_from(RESOURCES)), "template": template, "confirmation": confirmation}
        case "sms":
            return {"resource": draw(st.sampled_from(RESOURCES)), "template": draw(st.sampled_from(TEMPLATES["sms"]))}
    return {"wait": draw(st.sampled_from(_LENGTHS))} if draw(st.integers(0, 3)) == 3 else {}


_CHOICES = {"other": ["on"] * 6 + ["anywhere"] * 2 + ["nowhere"], "not_sent": ["on", "anywhere", "nowhere", "nowhere"]}
KINDS = [
    "pause",
    "pause",
    "condition",
    "condition",
    "update_profile",
    "update_profile",
    "promo_code",
    "api_request",
    "email",
    "email",
    "sms",
    "split",
    "window",
    "api_filter",
    "goal",
    "exit",
]


MOTIFS = ["read", "twice", "codes", "sent", "diamond", "loop", "none", "none"]


def _motif(draw: st.DrawFn, steps: list[int]) -> dict[int, dict[str, Any]]:
    """The first steps, more often than not, such that one of them needs what another of the same pass did."""
    name = draw(st.sampled_from(MOTIFS)) if len(steps) >= 4 else "none"
    if name == "none":
        return {}
    a, b, c, d = steps[:4]
    more = {
        "type": "update_profile",
        "settings": {"changes": [{"field": "points", "operation": "increase", "value": draw(st.integers(1, 5))}]},
    }
    points = {
        "rule": "field",
        "field": "points",
        "operator": draw(st.sampled_from(["ge", "lt"])),
        "value": draw(st.integers(0, 8)),
    }
    has = {"type": "condition", "settings": {"rules": points}}
    code = {"type": "promo_code", "settings": {"pool": draw(st.sampled_from(POOLS))}}
    kind = draw(st.sampled_from(["email", "sms"]))
    send = {"type": kind, "settings": {"resource": draw(st.sampled_from(RESOURCES)), "template": TEMPLATES[kind][0]}}
    sent = {"rule": "message", "event": "sent", "node": a, "at_least": draw(st.sampled_from([1, 2]))}
    asked = {"type": "condition", "settings": {"rules": sent}}
    return {
        "read": {a: {**more, "links": {"next": b}}, b: {**has, "links": {"yes": c, "no": d}}},
        "twice": {a: {**more, "links": {"next": b}}, b: {**more, "links": {"next": c}}},
        "codes": {a: {**code, "links": {"next": b, "none_left": b}}, b: {**code, "links": {"next": c, "none_left": d}}},
        "sent": {a: {**send, "links": {"next": b}}, b: {**asked, "links": {"yes": c, "no": d}}},
        "diamond": {
            a: {**has, "links": {"yes": b, "no": c}},
            b: {**more, "links": {"next": c}},
            c: {**more, "links": {"next": d}},
        },
        "loop": {
            a: {**send, "links": {"next": b}},
            b: {"type": "pause", "settings": {"length": "5m"}, "links": {"next": c}},
            c: {**asked, "links": {"yes": d, "no": a}},
        },
    }[name]


@st.composite
def graphs(draw: st.DrawFn, ids: list[int] | None = None) -> dict[str, Any]:
    """A graph that may have loops without a pause: the caller takes the links out that `check_document` names."""
    numbers = ids or draw(
        st.lists(st.integers(0, 40), min_size=draw(st.sampled_from([3, 7, 9, 12])), max_size=14, unique=True)
    )
    more = draw(st.integers(0, min(2, len(numbers) - 2)))
    kinds = {numbers[0]: "start", **dict(zip(numbers[1 : 1 + more], STARTS, strict=False))}
    steps = numbers[1 + more :]
    motif = _motif(draw, steps)
    kinds |= {number: draw(st.sampled_from(KINDS)) for number in steps if number not in motif}
    nodes = []
    for number in sorted(numbers) if draw(st.booleans()) else numbers:
        if number in motif:
            nodes.append({"id": number, **motif[number]})
            continue
        kind = kinds[number]
        links = {}
        later = steps[steps.index(number) + 1 :] if number in steps else steps
        for output in outputs_of(kind) if kind != "exit" else ():
            choice = draw(st.sampled_from(_CHOICES["not_sent" if output == "not_sent" else "other"]))
            if choice == "on" and later:
                links[output] = draw(st.sampled_from(later[:3]))
            elif choice == "anywhere":
                links[output] = draw(st.sampled_from(steps))
        if motif and kind.startswith("start"):
            links["next"] = steps[0]
        nodes.append({"id": number, "type": kind, "settings": _settings(draw, kind, numbers), "links": links})
    mode = draw(st.sampled_from(["never", "after_exit", "after_exit", "restart", "parallel", "parallel"]))
    interval = mode == "after_exit" and draw(st.booleans())
    return {
        "format": "sojourn/scenario@1", "name": "Play", "database": "People", "nodes": nodes,
        "reentry": {"mode": mode, **({"min_interval": draw(st.sampled_from(["1m", "5m"]))} if interval else {})},
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------- people and rounds


@st.composite
def _people(draw: st.DrawFn) -> PersonDraft:
    values = {name: draw(_VALUES[kind]) for name, kind in FIELDS.items() if draw(st.booleans())}
    if draw(st.integers(0, 9)) == 9:
        values["points"] = HUGE
    pairs = draw(
        st.lists(
            st.tuples(st.sampled_from(RESOURCES), st.sampled_from(["email", "sms"])),
            min_size=draw(st.sampled_from([4, 2, 0])),
            max_size=6,
        )
    )
    return PersonDraft(
        lane=draw(st.integers(0, 2)),
        exists=draw(st.integers(0, 15)) < 15,
        fields=values,
        status=draw(st.sampled_from([None, None, None, 0, 1])),
        subscriptions=[(resource, channel, draw(st.sampled_from([0, 0, 0, 1, 4]))) for resource, channel in pairs],
    )


@st.composite
def _rounds(draw: st.DrawFn, people: int, versions: int) -> Round:
    one = st.integers(0, people - 1)
    some = st.one_of(st.just(frozenset(range(people))), st.frozensets(one, min_size=1))
    few = {"max_size": 2}
    start = st.integers(0, 2)
    key = st.sampled_from(["", "", "", "order 7"])
    context = st.sampled_from([None, None, {"order": 7}])
    return Round(
        fields=[(person, name, draw(st.none() | _VALUES[FIELDS[name]])) for person, name in draw(st.lists(st.tuples(one, st.sampled_from(sorted(FIELDS))), max_size=1))],
        statuses=draw(st.lists(st.tuples(one, st.integers(0, 4), st.sampled_from([0, 0, 1, 4])), **few)),
        global_statuses=draw(st.lists(st.tuples(one, st.sampled_from([None, 0, 1])), max_size=1)),
        outcomes=draw(st.lists(st.tuples(some, st.sampled_from([ACCEPTED, ACCEPTED, HANDING_OVER, REJECTED, IN_DOUBT, NOT_SENT])), **few)),
        answers=draw(st.lists(st.tuples(some, st.sampled_from([ACCEPTED, ACCEPTED, HANDING_OVER, REJECTED])), **few)),
        opens=draw(st.lists(st.tuples(some, st.booleans()), max_size=1)),
        captures=draw(st.lists(st.tuples(one, start, key, context), max_size=5)),
        remove=draw(st.integers(0, 19)) == 19,
        publish=draw(st.integers(0, versions - 1)) if versions > 1 and draw(st.integers(0, 3)) == 3 else None,
        fold=draw(st.integers(0, 5)) == 5,
        advance=draw(st.sampled_from([60, 300, 0, 1, 60, 61, 300, 600, 1800, 3600])),
        lag=draw(st.integers(0, 4)) == 4,
    )  # fmt: skip


@st.composite
def plays(draw: st.DrawFn, batches: tuple[int, ...] = (1, 3, 10_000)) -> Play:
    """A whole play."""
    first = draw(graphs())
    drawn = [first]
    if draw(st.integers(0, 3)) == 3:
        second = draw(graphs([node["id"] for node in first["nodes"]]))
        drawn.append({**second, "reentry": first["reentry"]})
    people = draw(st.lists(_people(), min_size=draw(st.sampled_from([1, 2, 3])), max_size=5))
    rounds = draw(st.lists(_rounds(len(people), len(drawn)), min_size=draw(st.sampled_from([1, 3, 4])), max_size=7))
    rounds[0].captures = rounds[0].captures or [(number, 0, "", None) for number in range(len(people))]
    return Play(drawn, people, rounds, draw(st.sampled_from(batches)))
