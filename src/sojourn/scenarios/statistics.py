"""Statistics of a scenario for a period, from the counters of its routes; messages from the ledger's first moments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from sojourn.delivery.counters import Outcome
from sojourn.scenarios.graph import NodeDocument, ScenarioDocument
from sojourn.scenarios.node_type import Port, parse_settings
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.stage import Entry, Exit

_ROUTES = """
SELECT r.version_id, r.nodes, r.outputs, r.entry, r.exit, r.exit_node, sum(c.n) FILTER (WHERE c.hour >= %(from)s AND c.hour < %(to)s), sum(c.n)
  FROM route r JOIN scenario_version v ON v.id = r.version_id
  JOIN (SELECT route_id, hour, n FROM counter_hour UNION ALL SELECT route_id, hour, n FROM counter) c USING (route_id)
 WHERE v.scenario_id = %(scenario)s GROUP BY r.route_id
"""
_MESSAGES = """
SELECT node_id, kind, sum(n) FROM (SELECT * FROM message_counter_hour UNION ALL SELECT * FROM message_counter) c
 WHERE scenario_id = %(scenario)s AND hour >= %(from)s AND hour < %(to)s GROUP BY 1, 2
"""
EARLIEST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
LATEST = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


@dataclass
class MessageFigures:
    """Messages of a channel node that were planned in the period: handed over, not sent, in doubt; and how many people opened and clicked."""

    sent: int = 0
    not_sent: int = 0
    in_doubt: int = 0
    opened: int = 0
    clicked: int = 0


@dataclass
class NodeFigures:
    """Visits of a node: `entered` counts arrivals, `inside` people there now, `outputs` visits by output, `ended` people whose passage ended here."""

    entered: int = 0
    inside: int = 0
    outputs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: int = 0
    messages: MessageFigures | None = None


@dataclass
class LinkFigures:
    """How often a link was taken."""

    node: int
    port: str
    target: int
    n: int


@dataclass
class Totals:
    """The scenario as a whole. *entered = inside + completed + failed + removed + restarted + capped + exited* holds over all time."""

    entered: int = 0
    inside: int = 0
    completed: int = 0
    failed: int = 0
    removed: int = 0
    restarted: int = 0
    capped: int = 0
    exited: int = 0


@dataclass
class Statistics:
    """All figures."""

    totals: Totals
    nodes: dict[int, NodeFigures]
    links: list[LinkFigures]


_OUTCOMES = {
    Outcome.ACCEPTED: "sent",
    Outcome.NOT_SENT: "not_sent",
    Outcome.IN_DOUBT: "in_doubt",
    Outcome.OPENED: "opened",
    Outcome.CLICKED: "clicked",
}
_ENDS = {
    Exit.COMPLETED: "completed",
    Exit.FAILED: "failed",
    Exit.REMOVED: "removed",
    Exit.RESTARTED: "restarted",
    Exit.VISIT_CAP: "capped",
    Exit.EXITED: "exited",
}


def statistics(
    connection: psycopg.Connection[Any], scenario_id: int, from_: datetime | None = None, to: datetime | None = None
) -> Statistics:
    """Figures of the period (whole hours, UTC); `inside` is always now, over all versions."""
    period = {"scenario": scenario_id, "from": from_ or EARLIEST, "to": to or LATEST}
    graphs = _graphs(connection, scenario_id)
    totals, nodes, links = Totals(), defaultdict[int, NodeFigures](NodeFigures), defaultdict[tuple[int, str], int](int)
    inside: dict[int, int] = defaultdict(int)
    for version_id, ways, outputs, entry, exit_, exit_node, in_period, ever in connection.execute(_ROUTES, period):
        count, ports = int(in_period or 0), graphs[version_id]
        for node, output in zip(ways, outputs, strict=True):
            port, taken = ports[node][output]
            nodes[node].outputs[port] += count
            links[node, taken] += count
        if entry == Entry.WOKE:
            inside[ways[0] if ways else exit_node] -= int(ever)
        if exit_ == Exit.RESTS:
            inside[exit_node] += int(ever)
        elif exit_ in _ENDS:
            setattr(totals, _ENDS[Exit(exit_)], getattr(totals, _ENDS[Exit(exit_)]) + count)
            if exit_ == Exit.FAILED:
                nodes[exit_node].failed += count
        if entry == Entry.CAPTURED:
            totals.entered += count
    for node, people in inside.items():
        nodes[node].inside = people
    totals.inside = sum(inside.values())
    for figures in nodes.values():
        figures.entered = sum(figures.outputs.values()) + figures.inside + figures.failed
    for node, kind, count in connection.execute(_MESSAGES, period):
        figures = nodes[node]
        figures.messages = figures.messages or MessageFigures()
        setattr(figures.messages, _OUTCOMES[kind], int(count))
    current = _links(connection, scenario_id)
    figures_of_links = [
        LinkFigures(node, port, target, links.get((node, port), 0)) for (node, port), target in current.items()
    ]
    return Statistics(totals, dict(nodes), figures_of_links)


def _graphs(connection: psycopg.Connection[Any], scenario_id: int) -> dict[int, dict[int, list[tuple[str, str]]]]:
    """For each version: the outputs of each node by number, each with the output whose link is taken (an optional one without link: the first)."""
    found: dict[int, dict[int, list[tuple[str, str]]]] = {}
    for version_id, graph in connection.execute(
        "SELECT id, graph FROM scenario_version WHERE scenario_id = %s", (scenario_id,)
    ):
        document = ScenarioDocument.model_validate(graph)
        found[version_id] = {}
        for node in document.nodes:
            ports = ports_of(node)
            found[version_id][node.id] = [
                (port.id, ports[0].id if port.optional and port.id not in node.links else port.id) for port in ports
            ]
    return found


def ports_of(node: NodeDocument) -> list[Port]:
    """The outputs of a node, in the order by which routes number them."""
    node_type = node_types()[node.type]
    parsed, _ = parse_settings(node_type, node.settings)
    return node_type.ports(parsed) if parsed is not None else []


def _links(connection: psycopg.Connection[Any], scenario_id: int) -> dict[tuple[int, str], int]:
    """The links of the draft, which is what the canvas draws."""
    row = connection.execute("SELECT draft FROM scenario WHERE id = %s", (scenario_id,)).fetchone()
    nodes = ScenarioDocument.model_validate(row[0]).nodes if row else []
    return {(node.id, port): target for node in nodes for port, target in node.links.items()}


@dataclass(frozen=True)
class Overview:
    """What the list of scenarios shows."""

    entered: int
    inside: int


def overview(connection: psycopg.Connection[Any], scenario_id: int) -> Overview:
    """Entered ever and inside now, from the counters alone."""
    row = connection.execute(
        """SELECT coalesce(sum(c.n) FILTER (WHERE r.entry = 1), 0),
                  coalesce(sum(c.n) FILTER (WHERE r.exit = 1), 0) - coalesce(sum(c.n) FILTER (WHERE r.entry = 2), 0)
             FROM route r JOIN scenario_version v ON v.id = r.version_id
             JOIN (SELECT route_id, n FROM counter_hour UNION ALL SELECT route_id, n FROM counter) c USING (route_id) WHERE v.scenario_id = %s""",
        (scenario_id,),
    ).fetchone()
    assert row
    return Overview(int(row[0]), int(row[1]))
