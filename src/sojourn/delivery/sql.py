"""SQL builders of the ledger: parts of statements that others compile, so that only delivery knows how its tables are written.

Each builder gives common table expressions over sets of the caller. A set has the columns passage_id, profile_id, at and a hop.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.delivery.codes import CATEGORY_BITS, Channel, Reason, State
from sojourn.delivery.counters import Outcome, count_messages
from sojourn.kernel.statement import Bindings

DISPATCH_SIZE = 1000
"""Messages in one dispatch row at most."""


@dataclass(frozen=True)
class PlannedMessages:
    """One channel node's messages: `source` is a set with the columns above and subscription_id, sendable (boolean); with a `category` also
    `category_left` (boolean)."""

    source: str
    hop: str
    scenario_id: int
    node_id: int
    template_id: int
    resource_id: int
    channel: Channel
    flags: int
    priority: int
    category: int = 0


@dataclass(frozen=True)
class PlannedRequests:
    """One node's API requests, from a set with the columns above."""

    source: str
    hop: str
    scenario_id: int
    node_id: int
    definition_id: int
    priority: int


def plan_messages(plans: list[PlannedMessages], lane: str, bindings: Bindings) -> list[tuple[str, str]]:
    """Ledger and dispatch rows of all messages of a statement: (name, body) of each part.

    Who cannot be written to gets a ledger row too, *not sent* with its reason, so that "why not" has an answer.
    """
    ledger, lists = [], []
    for plan in plans:
        ledger.append(f"""SELECT f.passage_id, {plan.hop}, f.profile_id, f.subscription_id, f.at, {bindings.bind(plan.scenario_id, "int")}, {bindings.bind(plan.node_id, "int")},
      {bindings.bind(plan.template_id, "int")}, {bindings.bind(plan.resource_id, "int")}, {lane}, {int(plan.channel)}::smallint, {plan.flags | plan.category << CATEGORY_BITS}::smallint,
      CASE WHEN f.sendable THEN {int(State.PLANNED)} ELSE {int(State.NOT_SENT)} END::smallint,
      CASE WHEN f.sendable THEN NULL WHEN f.subscription_id IS NULL THEN {int(Reason.NO_SUBSCRIPTION)}{_left(plan)} ELSE {int(Reason.STATUS_FORBIDS)} END::smallint
    FROM {plan.source} f""")
        lists.append(
            _lists(
                f"(SELECT * FROM {plan.source} WHERE sendable)",
                plan.hop,
                lane,
                plan.channel,
                plan.scenario_id,
                plan.node_id,
                plan.template_id,
                plan.priority,
                bindings,
            )
        )
    refused = "\n    UNION ALL ".join(
        f"""SELECT date_trunc('hour', f.at), count(*), {bindings.bind(plan.scenario_id, "int")}, {bindings.bind(plan.node_id, "int")}, {int(Outcome.NOT_SENT)}::smallint
    FROM {plan.source} f WHERE NOT f.sendable GROUP BY 1"""
        for plan in plans
    )
    columns = "passage_id, hop, profile_id, subscription_id, created_at, scenario_id, node_id, template_id, resource_id, lane, channel, flags, state, reason"
    return [
        ("planned", f"INSERT INTO message ({columns})\n    " + "\n    UNION ALL ".join(ledger)),
        ("listed", _dispatch(lists)),
        ("refusals", count_messages(refused)),
    ]


def _left(plan: PlannedMessages) -> str:
    return f" WHEN f.category_left THEN {int(Reason.CATEGORY_LEFT)}" if plan.category else ""


def plan_requests(plans: list[PlannedRequests], lane: str, bindings: Bindings) -> list[tuple[str, str]]:
    """Ledger and dispatch rows of all API requests of a statement."""
    ledger, lists = [], []
    for plan in plans:
        ledger.append(f"""SELECT f.passage_id, {plan.hop}, f.profile_id, f.at, {bindings.bind(plan.scenario_id, "int")}, {bindings.bind(plan.node_id, "int")},
      {bindings.bind(plan.definition_id, "int")}, {lane}, {int(State.PLANNED)}::smallint FROM {plan.source} f""")
        lists.append(
            _lists(
                plan.source,
                plan.hop,
                lane,
                Channel.REQUEST,
                plan.scenario_id,
                plan.node_id,
                None,
                plan.priority,
                bindings,
            )
        )
    columns = "passage_id, hop, profile_id, created_at, scenario_id, node_id, definition_id, lane, state"
    return [
        ("requested", f"INSERT INTO request ({columns})\n    " + "\n    UNION ALL ".join(ledger)),
        ("requests_listed", _dispatch(lists)),
    ]


def _lists(
    source: str,
    hop: str,
    lane: str,
    channel: Channel,
    scenario_id: int,
    node_id: int,
    template_id: int | None,
    priority: int,
    bindings: Bindings,
) -> str:
    template = bindings.bind(template_id, "int") if template_id is not None else "NULL::int"
    return f"""SELECT %(now)s::timestamptz, %(now)s::timestamptz, {bindings.bind(scenario_id, "int")}, {bindings.bind(node_id, "int")}, {template}, {lane}, {int(channel)}::smallint, {priority}::smallint,
      array_agg(q.passage_id), array_agg(q.hop) FROM (SELECT f.passage_id, {hop} AS hop, row_number() OVER () / {DISPATCH_SIZE} AS part FROM {source} f) q GROUP BY q.part"""


def _dispatch(lists: list[str]) -> str:
    columns = "at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops"
    return f"INSERT INTO dispatch ({columns})\n    " + "\n    UNION ALL ".join(lists) + "\n    RETURNING 1"


def cancel_planned(source: str, lane: str) -> list[tuple[str, str]]:
    """Cancels what passages of `source` (column passage_id) have planned and nobody has taken yet."""
    return [
        (
            f"cancelled_{table}",
            f"UPDATE {table} m SET state = {int(State.CANCELLED)} FROM {source} f WHERE m.lane = {lane} AND m.passage_id = f.passage_id AND m.state = {int(State.PLANNED)}",
        )
        for table in ("message", "request")
    ]


def cancel_requests(name: str, source: str, lane: str) -> list[tuple[str, str]]:
    """Cancels the requests of the steps in `source` (passage_id, hop) that nobody has taken yet: the passage has given up waiting."""
    return [
        (
            name,
            f"UPDATE request q SET state = {int(State.CANCELLED)} FROM {source} f WHERE q.lane = {lane} AND q.passage_id = f.passage_id AND q.hop = f.hop AND q.state = {int(State.PLANNED)}",
        )
    ]


TAKE_ANSWERS = """DELETE FROM answer_inbox a USING (SELECT ctid FROM answer_inbox WHERE lane = %(lane)s ORDER BY at LIMIT %(limit)s) x
   WHERE a.ctid = x.ctid AND a.lane = %(lane)s RETURNING a.passage_id, a.profile_id, a.hop, a.at"""
"""Takes outcomes that passages wait for, in one lane whose lock the caller holds."""
