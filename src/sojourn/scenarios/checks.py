"""Checks a scenario in words, before it may run: each problem names its node and setting."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel.errors import NotFound, Problem
from sojourn.profiles import Database, database
from sojourn.scenarios.awaited import check_awaited
from sojourn.scenarios.channel_node import ChannelNode
from sojourn.scenarios.graph import Links, NodeDocument, ScenarioDocument
from sojourn.scenarios.node_type import NodeType, Surroundings, parse_settings, references
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.references import Catalogue


def check_document(connection: psycopg.Connection[Any], document: ScenarioDocument) -> list[Problem]:
    """Everything that keeps the scenario from being published."""
    catalogue = Catalogue(connection)
    try:
        base = database(connection, document.database)
    except NotFound as error:
        return [Problem("unknown_database", error.message, "database")]
    problems = _check_shape(document)
    if document.reentry.min_interval and document.reentry.mode != "after_exit":
        problems.append(
            Problem(
                "needless_interval",
                "A least interval belongs to the re-entry mode after_exit only.",
                "reentry.min_interval",
            )
        )
    around = Surroundings(base, catalogue, frozenset(node.id for node in document.nodes))
    problems += check_awaited(document.exits, "exits", around)
    parsed: dict[int, tuple[NodeType, Any]] = {}
    for node in document.nodes:
        node_type = node_types().get(node.type)
        if node_type is None:
            continue
        settings, wrong = parse_settings(node_type, node.settings)
        if settings is not None:
            parsed[node.id] = (node_type, settings)
            wrong = _check_references(node_type, settings, catalogue) or node_type.check(settings, around)
            wrong += _check_channel(node_type, settings, catalogue, base)
        problems += [
            Problem(p.code, p.message, f"node {node.id}.settings.{p.place}" if p.place else f"node {node.id}")
            for p in wrong
        ]
    problems += _check_links(document, parsed)
    return problems


def _check_shape(document: ScenarioDocument) -> list[Problem]:
    problems, seen = [], set()
    for node in document.nodes:
        if node.id in seen:
            problems.append(Problem("id_twice", f"Two nodes have the id {node.id}.", f"node {node.id}"))
        seen.add(node.id)
        if node.type not in node_types():
            problems.append(
                Problem(
                    "unknown_type",
                    f"There is no node type “{node.type}”; there are {', '.join(node_types())}.",
                    f"node {node.id}.type",
                )
            )
    starts = [node for node in document.nodes if node.type == "start"]
    if len(starts) != 1:
        problems.append(
            Problem(
                "one_start",
                "A scenario has exactly one node of type start: the entry by hand, by API and from other scenarios.",
                "nodes",
            )
        )
    if len(document.nodes) < 2 or not any(node.links for node in document.nodes):
        problems.append(Problem("too_small", "A scenario needs at least two nodes, linked to each other.", "nodes"))
    return problems


def _check_references(node_type: NodeType, settings: Any, catalogue: Catalogue) -> list[Problem]:
    problems = []
    for name, kind in references(node_type).items():
        value = getattr(settings, name)
        if value is None:
            continue
        try:
            catalogue.find(kind, value)
        except NotFound as error:
            problems.append(Problem(error.code, error.message, name))
    return problems


def _check_channel(node_type: NodeType, settings: Any, catalogue: Catalogue, base: Database) -> list[Problem]:
    if not isinstance(node_type, ChannelNode):
        return []
    channel = catalogue.channel_of_template(settings.template)
    if channel is not None and channel != int(node_type.channel):
        return [Problem("wrong_channel", "This template is for another channel.", "template")]
    return _check_category(settings, catalogue)


def _check_category(settings: Any, catalogue: Catalogue) -> list[Problem]:
    if settings.category is None:
        return []
    try:
        catalogue.category(settings.resource, str(settings.category))
    except NotFound as error:
        return [Problem(error.code, error.message, "category")] if error.code == "unknown_category" else []
    return []


def _check_links(document: ScenarioDocument, parsed: dict[int, tuple[NodeType, Any]]) -> list[Problem]:
    problems = []
    ids = {node.id: node for node in document.nodes}
    for node in document.nodes:
        if node.id not in parsed:
            continue
        node_type, settings = parsed[node.id]
        ports = {port.id for port in node_type.ports(settings) if port.linkable}
        for port, target in node.links.items():
            place = f"node {node.id}.links.{port}"
            if port not in ports:
                problems.append(
                    Problem(
                        "unknown_output",
                        f"This node has no output “{port}”; it has {', '.join(sorted(ports)) or 'none'}.",
                        place,
                    )
                )
            if target not in ids:
                problems.append(
                    Problem("unknown_target", f"The link leads to node {target}, which does not exist.", place)
                )
            elif target in parsed and parsed[target][0].category == "trigger":
                problems.append(Problem("link_to_start", "A link cannot lead to a start node.", place))
    if not problems and len(parsed) == len(document.nodes) == len(ids):
        problems += _check_loops(document, ids, parsed)
    return problems


def _check_loops(
    document: ScenarioDocument, ids: dict[int, NodeDocument], parsed: dict[int, tuple[NodeType, Any]]
) -> list[Problem]:
    """Every cycle contains a node that takes time: without those nodes the graph has no cycle."""
    slow = {node_id for node_id, (node_type, settings) in parsed.items() if node_type.takes_time(settings)}
    ports = {
        node_id: [p.id for p in node_type.ports(settings)]
        for node_id, (node_type, settings) in parsed.items()
        if node_id not in slow
    }
    links = {
        node_id: {port: target for port, target in ids[node_id].links.items() if target not in slow}
        for node_id in ports
    }
    fast = Links(sorted(ports), ports, links)
    return [
        Problem(
            "spinning_loop",
            "This link closes a loop in which nothing takes time: put a pause into it.",
            f"node {node_id}.links.{port}",
        )
        for node_id, port in sorted(fast.back)
    ]


def unreachable(document: ScenarioDocument) -> list[int]:
    """Nodes that no start node leads to: a hint, not a problem."""
    types = node_types()
    ports: dict[int, list[str]] = {node.id: sorted(node.links) for node in document.nodes}
    starts = [node.id for node in document.nodes if node.type in types and types[node.type].category == "trigger"]
    known = {node.id for node in document.nodes}
    links = {node.id: {p: t for p, t in node.links.items() if t in known} for node in document.nodes}
    return sorted(known - Links(starts, ports, links).reachable)
