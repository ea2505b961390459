"""Edits of a scenario with people inside: what the draft changes, who waits where, and what would become of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.errors import Problem
from sojourn.profiles import Database, database
from sojourn.scenarios.checks import check_document
from sojourn.scenarios.compiler import Compiler
from sojourn.scenarios.graph import NodeDocument, ScenarioDocument
from sojourn.scenarios.node_type import Language, Surroundings
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.palette import describe_node
from sojourn.scenarios.references import Catalogue
from sojourn.scenarios.stage import Awaits
from sojourn.scenarios.versions import get_scenario, resolve_document

Connection = psycopg.Connection[Any]
Fate = Literal["moves", "gone"]
"""`moves`: the node is in the draft as well, and people can rest there. `gone`: it is not, so somebody has to say where they go."""


@dataclass(frozen=True)
class Waiting:
    """People who rest at a node of a version; how many of them go on within an hour and a day."""

    version_id: int
    version: int
    node_id: int
    title: str
    people: int
    due_in_hour: int
    due_in_day: int
    at_door: int
    fate: Fate


@dataclass(frozen=True)
class Change:
    """One difference between the published version and the draft, in words."""

    kind: Literal["added", "removed", "settings", "link", "scenario"]
    node_id: int | None
    text: str


@dataclass(frozen=True)
class EditPreview:
    """What publishing the draft would mean. `targets`: nodes of the draft to which people of removed nodes can be sent."""

    changes: list[Change]
    waiting: list[Waiting]
    targets: list[tuple[int, str]]
    problems: list[Problem]


def preview_edit(connection: Connection, clock: Clock, scenario_id: int, language: Language) -> EditPreview:
    """Compare the draft with what is published, and look at everybody inside. Nothing is changed.

    Raises:
        NotFound: `unknown_scenario`.
    """
    current = get_scenario(connection, scenario_id)
    base = database(connection, current.database_id)
    around = Surroundings(base, Catalogue(connection), frozenset(node.id for node in current.document.nodes))
    row = connection.execute(
        "SELECT draft FROM scenario_version WHERE id = %s", (current.published_version_id,)
    ).fetchone()
    before = ScenarioDocument.model_validate(row[0]) if row else None
    changes = differences(before, current.document, language, around) if before else []
    targets = [
        (node.id, title_of(node, language))
        for node in current.document.nodes
        if node.type in node_types() and node_types()[node.type].category != "trigger"
    ]
    problems = check_document(connection, current.document)
    if problems:
        return EditPreview(changes, [], targets, problems)
    types, resting = where_people_can_rest(connection, scenario_id, current.document, base)
    waiting = [
        Waiting(*group, "moves" if types.get(group[2]) == kind and group[2] in resting else "gone")
        for kind, group in _inside(connection, clock.now(), scenario_id, language)
    ]
    return EditPreview(changes, waiting, targets, [])


def where_people_can_rest(
    connection: Connection, scenario_id: int, draft: ScenarioDocument, base: Database
) -> tuple[dict[int, str], set[int]]:
    """The types of the draft's nodes, and those at which people can rest."""
    with connection.transaction(force_rollback=True):
        graph = resolve_document(connection, draft)
    compiler = Compiler(scenario_id, 0, graph, base, Catalogue(connection))
    return {node.id: node.type for node in graph.nodes}, compiler.resting_nodes()


_INSIDE = """
SELECT r.version_id, v.number, r.node_id, count(*), count(*) FILTER (WHERE r.due_at <= %(hour)s), count(*) FILTER (WHERE r.due_at <= %(day)s),
       count(*) FILTER (WHERE r.awaits = %(door)s), min(v.graph::text)
  FROM resting r JOIN scenario_version v ON v.id = r.version_id WHERE r.scenario_id = %(scenario)s GROUP BY 1, 2, 3 ORDER BY 1, 3
"""


def _inside(
    connection: Connection, now: datetime, scenario_id: int, language: Language
) -> list[tuple[str, tuple[int, int, int, str, int, int, int, int]]]:
    values = {
        "scenario": scenario_id,
        "hour": now + timedelta(hours=1),
        "day": now + timedelta(days=1),
        "door": int(Awaits.DOOR),
    }
    found = []
    graphs: dict[int, ScenarioDocument] = {}
    for version_id, number, node_id, people, hour, day, door, graph in connection.execute(_INSIDE, values):
        if version_id not in graphs:
            graphs[version_id] = ScenarioDocument.model_validate_json(graph)
        node = graphs[version_id].node(node_id)
        title = title_of(node, language) if node else str(node_id)
        found.append((node.type if node else "", (version_id, number, node_id, title, people, hour, day, door)))
    return found


def title_of(node: NodeDocument, language: Language) -> str:
    """What the canvas calls a node."""
    known = node_types().get(node.type)
    return node.title or (known.title[language] if known else node.type)


# ---------------------------------------------------------------------------------------------- differences

_WORDS: Mapping[str, Mapping[Language, str]] = {
    "added": {"en": "New step: {title}", "ru": "Новый шаг: {title}"},
    "removed": {"en": "Step removed: {title}", "ru": "Шаг удалён: {title}"},
    "settings": {"en": "{title}: {old} → {new}", "ru": "{title}: {old} → {new}"},
    "set": {"en": "{title}: settings changed", "ru": "{title}: изменены настройки"},
    "linked": {"en": "{title}, {port}: leads to {new}", "ru": "{title}, {port}: ведёт к {new}"},
    "moved": {"en": "{title}, {port}: leads to {new}, not to {old}", "ru": "{title}, {port}: ведёт к {new}, а не к {old}"},
    "unlinked": {"en": "{title}, {port}: no longer leads to {old}", "ru": "{title}, {port}: больше не ведёт к {old}"},
    "reentry": {"en": "Re-entry changed", "ru": "Изменён повторный вход"},
}  # fmt: skip


def differences(
    before: ScenarioDocument, after: ScenarioDocument, language: Language, around: Surroundings
) -> list[Change]:
    """What differs between two documents, in words; where cards lie on the canvas does not matter, nor do titles and notes."""
    old, new = ({node.id: node for node in document.nodes} for document in (before, after))
    titles = {number: title_of(node, language) for number, node in (old | new).items()}
    changes = []
    if before.reentry != after.reentry:
        changes.append(Change("scenario", None, _WORDS["reentry"][language]))
    for number in sorted(old.keys() - new.keys()):
        changes.append(Change("removed", number, _WORDS["removed"][language].format(title=titles[number])))
    for number in sorted(new.keys() - old.keys()):
        changes.append(Change("added", number, _WORDS["added"][language].format(title=titles[number])))
    for number in sorted(old.keys() & new.keys()):
        if text := _settings_changed(old[number], new[number], titles[number], language, around):
            changes.append(Change("settings", number, text))
        changes += [
            Change("link", number, text) for text in _links_changed(old[number], new[number], titles, language, around)
        ]
    return changes


def _settings_changed(
    old: NodeDocument, new: NodeDocument, title: str, language: Language, around: Surroundings
) -> str | None:
    if _whole(old) == _whole(new):
        return None
    was, now = (", ".join(describe_node(node.type, node.settings, language, around)["summary"]) for node in (old, new))
    word = "settings" if was and now and was != now else "set"
    return _WORDS[word][language].format(title=title, old=was, new=now)


def _whole(node: NodeDocument) -> tuple[str, Any]:
    """Type and settings, with what the author left out."""
    known = node_types().get(node.type)
    if known is None:
        return node.type, node.settings
    try:
        return node.type, known.settings.model_validate(node.settings).model_dump(mode="json")
    except ValueError:
        return node.type, node.settings


def _links_changed(
    old: NodeDocument, new: NodeDocument, titles: Mapping[int, str], language: Language, around: Surroundings
) -> list[str]:
    ports = {
        port["id"]: port["title"]
        for node in (old, new)
        for port in describe_node(node.type, node.settings, language, around)["ports"]
    }
    texts = []
    for port in sorted(old.links.keys() | new.links.keys()):
        was, now = old.links.get(port), new.links.get(port)
        if was == now:
            continue
        word = "linked" if was is None else "unlinked" if now is None else "moved"
        texts.append(
            _WORDS[word][language].format(
                title=titles[new.id], port=ports.get(port, port), old=titles.get(was or -1, was), new=titles.get(now or -1, now)
            )
        )  # fmt: skip
    return texts


def needed_doors(waiting: Sequence[Waiting], moves: Mapping[int, int | str]) -> list[int]:
    """Nodes of the new version before which people will stand: destinations of a move, and where some came round a loop."""
    targets = {target for target in moves.values() if isinstance(target, int)}
    return sorted(targets | {group.node_id for group in waiting if group.fate == "moves" and group.at_door})
