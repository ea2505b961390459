"""The meanings of nodes, person by person and step by step, in plain Python.

A pass takes one passage from where it rests (or from the door) through instant nodes to its next rest or its end. It happens as a whole or,
when the person's own data make it impossible, not at all: then the passage fails.
"""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any

from tests.reference.graph import Graph, length
from tests.reference.person import (
    ACCEPTED,
    CANCELLED,
    IN_DOUBT,
    NO_SUBSCRIPTION,
    NOT_SENT,
    PLANNED,
    STATUS_FORBIDS,
    SUBSCRIBED,
    UNCONFIRMED,
    Capture,
    Message,
    Passage,
    Person,
    Request,
)
from tests.reference.rules import holds

VISIT_CAP = 100
"""The first visit of a loop's target and 99 returns; the hundredth return ends the passage."""
LARGEST, SMALLEST = 2**63 - 1, -(2**63)


class DataError(Exception):
    """The person's own data do not allow a step."""


# ---------------------------------------------------------------------------------------------- entry


def let_in(person: Person, capture: Capture, graph: Graph, version: int, now: datetime) -> None:
    """The person's turn at a start node: in, or refused with a reason."""
    person.captures.remove(capture)
    refusal = None if person.exists else "profile_gone"
    live = person.live(capture.key)
    if graph.mode == "after_exit" and refusal is None:
        if live:
            refusal = "inside_now"
        elif graph.min_interval and any(
            p.entered_at > capture.at - graph.min_interval for p in person.passages if p.key == capture.key
        ):
            refusal = "too_soon"
    if graph.mode == "never" and refusal is None and capture.key in person.entered:
        refusal = "entered_before"
    if graph.mode == "restart":
        for old in live:
            take_out(old, "restarted", now)
    if refusal:
        person.refusals.append((capture.node, refusal, capture.at, capture.key))
        return
    before = copy.deepcopy(person)
    person.entered.add(capture.key)  # undone with everything else if the entry fails: who never got in may try again
    passage = Passage(
        graph,
        version,
        "its own" if graph.mode == "parallel" else capture.key,
        capture.at,
        capture.context,
        node=capture.node,
    )
    person.passages.append(passage)
    try:
        arrive(person, passage, capture.node, capture.at)
    except DataError:
        vars(person).update(vars(before))
        person.refusals.append((capture.node, "bad_data", capture.at, capture.key))


def take_out(passage: Passage, reason: str, at: datetime) -> None:
    """End a passage where it rests; what it has planned is cancelled."""
    passage.ended, passage.due, passage.awaits = (reason, at), None, None
    for planned in (*passage.messages.values(), *passage.requests.values()):
        if planned.state == PLANNED:
            planned.state = CANCELLED


# ---------------------------------------------------------------------------------------------- a pass


def wake(person: Person, passage: Passage) -> None:
    """The moment for which the passage rested has come."""
    assert passage.due is not None
    before, number, at = copy.deepcopy(person), person.passages.index(passage), passage.due
    node, at_door = passage.node, passage.awaits == "door"
    passage.due = passage.awaits = None
    try:
        if at_door:
            arrive(person, passage, node, at)
        else:
            go_on(person, passage, node, _output_after_rest(passage, node), at)
    except DataError:
        vars(person).update(vars(before))
        failed = person.passages[number]
        failed.ended, failed.due, failed.awaits = ("failed", at), None, None


def _output_after_rest(passage: Passage, node: int) -> str:
    kind = passage.graph.type(node)
    if kind in ("email", "sms"):
        return "next" if passage.messages[passage.hop].state in (ACCEPTED, IN_DOUBT) else "not_sent"
    if kind == "api_request":
        request = passage.requests[passage.hop]
        if request.state == ACCEPTED:
            return "success"
        if request.state == PLANNED:
            request.state = CANCELLED
        return "failure"
    return "next"


def go_on(
    person: Person, passage: Passage, node: int, output: str, at: datetime, *, recorded: str | None = None
) -> None:
    """Leave a node by an output: a step."""
    passage.steps.append((passage.hop, node, recorded or output, at))
    passage.hop += 1
    target = passage.graph.target(node, output)
    if target is None:
        passage.node, passage.ended = node, ("completed", at)
    elif (node, output) in passage.graph.back:
        _come_round(passage, target, at)
    else:
        arrive(person, passage, target, at)


def _come_round(passage: Passage, target: int, at: datetime) -> None:
    """A back link: the passage rests before its target, due at once, unless it has come round too often."""
    passage.turns[target] = passage.turns.get(target, 0) + 1
    passage.node = target
    if passage.turns[target] >= VISIT_CAP:
        passage.ended = ("visit_cap", at)
    else:
        passage.due, passage.awaits = at, "door"


def rest(passage: Passage, node: int, due: datetime | None, awaits: str | None = None) -> None:
    """Stay at a node until a moment, or for an answer."""
    passage.node, passage.due, passage.awaits = node, due, awaits


# ---------------------------------------------------------------------------------------------- nodes


def arrive(person: Person, passage: Passage, node: int, at: datetime) -> None:
    """Come to a node."""
    kind, settings = passage.graph.type(node), passage.graph.settings(node)
    if kind.startswith("start"):
        if settings.get("wait"):
            rest(passage, node, at + length(settings["wait"]))
        else:
            go_on(person, passage, node, "next", at)
    elif kind == "pause":
        until_time = settings.get("until") == "time"
        rest(
            passage, node, _next_time(at, settings["time"]) if until_time else at + length(settings.get("length", "1d"))
        )
    elif kind == "window":
        opens = _opens(at, settings["opens"], settings["closes"])
        if opens > at:
            rest(passage, node, opens)
        else:
            go_on(person, passage, node, "next", at)
    elif kind == "split":
        go_on(person, passage, node, _dealt(person, node, settings), at)
    elif kind == "api_filter":
        order, least = (passage.context or {}).get("order"), settings["rules"]["content"]["value"]
        go_on(person, passage, node, "yes" if order is not None and order >= least else "no", at)
    elif kind == "condition":
        go_on(person, passage, node, "yes" if holds(settings["rules"], person, passage) else "no", at)
    elif kind == "update_profile":
        _update(person, settings["changes"], at)
        go_on(person, passage, node, "next", at)
    elif kind == "promo_code":
        passage.codes[passage.hop] = (node, settings["pool"], at)  # the pools of the random tests do not run dry
        go_on(person, passage, node, "next", at)
    elif kind in ("goal", "exit"):
        go_on(person, passage, node, "next" if kind == "goal" else "left", at)
    elif kind == "api_request":
        passage.requests[passage.hop] = Request(node, at)
        rest(passage, node, at + length(settings.get("give_up_after", "1h")), "answer")
    else:
        _send(person, passage, node, kind, settings, at)


def _next_time(at: datetime, clock: str) -> datetime:
    """The next moment at which the clock of the account (UTC here) says so; now, if it says so now."""
    hour, minute = map(int, clock.split(":"))
    today = at.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today >= at else today + timedelta(days=1)


def _opens(at: datetime, opening: str, closing: str) -> datetime:
    """The moment itself inside of a window, else its next beginning."""
    begin = _next_time(at, opening)
    if begin == at:
        return at
    last = begin - timedelta(days=1)
    end = _next_time(last + timedelta(microseconds=1), closing)
    return at if at < end else begin


def _dealt(person: Person, node: int, settings: dict[str, Any]) -> str:
    """The branch in whose share of ten thousand parts the person's hash lies."""
    digest = md5(f"split:{person.scenario}:{node}:{person.number}".encode()).hexdigest()
    place, end = int(digest[:8], 16) % 10_000, 0.0
    for number, branch in enumerate(settings["branches"], 1):
        end += branch["percent"] * 100
        if place < end:
            return f"b{number}"
    raise AssertionError("the shares do not add up")


def _send(person: Person, passage: Passage, node: int, channel: str, settings: dict[str, Any], at: datetime) -> None:
    """Plan a message, or say at once that it is not sent."""
    chosen = person.preferred(settings["resource"], channel)
    confirmation = bool(settings.get("confirmation"))
    allowed = (SUBSCRIBED, UNCONFIRMED) if confirmation else (SUBSCRIBED,)
    sendable = chosen is not None and person.effective(chosen) in allowed
    reason = None if sendable else NO_SUBSCRIPTION if chosen is None else STATUS_FORBIDS
    awaited = passage.graph.target(node, "not_sent") is not None
    passage.messages[passage.hop] = Message(
        node, at, channel, settings["resource"], settings["template"], PLANNED if sendable else NOT_SENT, reason,
        chosen.contact if chosen else None, confirmation, awaited,
    )  # fmt: skip
    if awaited and sendable:
        rest(passage, node, None, "answer")
    elif awaited:
        go_on(person, passage, node, "not_sent", at)
    else:  # nobody asks: on by the main output, though the step says how it went
        go_on(person, passage, node, "next", at, recorded="next" if sendable else "not_sent")


def _update(person: Person, changes: list[dict[str, Any]], at: datetime) -> None:
    """All changes of a node at once, over the values before it."""
    if not person.exists:
        return
    old = {change["field"]: person.fields.get(change["field"]) for change in changes}
    new = {
        change["field"]: _changed(old[change["field"]], change["operation"], change.get("value")) for change in changes
    }
    person.fields.update(new)
    if old != new:
        person.changes.append((at, old, new))


def _changed(value: Any, operation: str, operand: Any) -> Any:
    match operation:
        case "set":
            return operand
        case "clear":
            return None
        case "increase" | "decrease":
            result = (value or 0) + (operand if operation == "increase" else -operand)
            if isinstance(result, int) and not SMALLEST <= result <= LARGEST:
                raise DataError
            return result
        case "add_tags":
            return sorted({*(value or []), *operand})
        case "remove_tags":
            return [tag for tag in value or [] if tag not in operand] or None
    raise AssertionError(operation)
