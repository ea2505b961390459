"""Drafts and versions: saved by revision, published as immutable versions, activated and stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.delivery.definitions import define_request
from sojourn.kernel import Clock, Settings
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles import database
from sojourn.scenarios.channel_node import ChannelNode
from sojourn.scenarios.checks import check_document
from sojourn.scenarios.clearing import remove_everybody
from sojourn.scenarios.compiler import compile_version
from sojourn.scenarios.graph import NodeDocument, ScenarioDocument, parse_document
from sojourn.scenarios.node_type import references
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.nodes.start import StartNode
from sojourn.scenarios.nodes.wait_event import WaitEvent, WaitEventSettings
from sojourn.scenarios.references import Catalogue
from sojourn.segments import resolve
from sojourn.triggers import Listener, set_listeners
from sojourn.triggers.captures import poke
from sojourn.triggers.clock import set_timers

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Scenario:
    """A scenario with its draft. `published_number` counts its versions; `changed` tells whether the draft differs from the published one."""

    id: int
    name: str
    database_id: int
    database_name: str
    active: bool
    revision: int
    document: ScenarioDocument
    created_at: datetime
    updated_at: datetime
    published_version_id: int | None
    published_number: int | None
    published_at: datetime | None
    changed: bool


_GET = """
SELECT s.id, s.name, s.database_id, d.name, s.active, s.revision, s.draft, s.created_at, s.updated_at, s.published_version_id, v.number, v.published_at,
       v.id IS NULL OR v.draft IS DISTINCT FROM s.draft
  FROM scenario s JOIN profile_database d ON d.id = s.database_id LEFT JOIN scenario_version v ON v.id = s.published_version_id
"""


_DRAFT = 6
"""Place of the draft in a row."""


def _scenario(row: tuple[Any, ...]) -> Scenario:
    values: list[Any] = list(row)
    values[_DRAFT] = ScenarioDocument.model_validate(row[_DRAFT])
    return Scenario(*values)


def get_scenario(connection: Connection, reference: int | str) -> Scenario:
    """A scenario by id or name.

    Raises:
        NotFound: there is none.
    """
    where = "WHERE s.id = %s" if isinstance(reference, int) else "WHERE s.name = %s AND s.account_id = 1"
    row = connection.execute(_GET + where, (reference,)).fetchone()
    if row is None:
        raise NotFound("unknown_scenario", f"There is no scenario “{reference}”.", "id")
    return _scenario(row)


def list_scenarios(
    connection: Connection, *, search: str | None = None, after: int = 0, limit: int = 100
) -> list[Scenario]:
    """Scenarios in order of id, after `after`, whose name contains `search`."""
    rows = connection.execute(
        _GET
        + "WHERE s.account_id = 1 AND s.id > %s AND (%s::text IS NULL OR strpos(lower(s.name), lower(%s)) > 0) ORDER BY s.id LIMIT %s",
        (after, search, search, limit),
    )
    return [_scenario(row) for row in rows.fetchall()]


def create_scenario(connection: Connection, clock: Clock, document: dict[str, Any] | ScenarioDocument) -> Scenario:
    """A new, inactive scenario. A document without nodes gets the default start node.

    Raises:
        SojournError: the document cannot be read, or names an unknown database; Conflict: the name is taken.
    """
    draft = document if isinstance(document, ScenarioDocument) else parse_document(document)
    base = database(connection, draft.database)
    nodes = draft.nodes or [NodeDocument(id=0, type="start")]
    draft = draft.model_copy(update={"database": base.id, "nodes": nodes})
    now = clock.now()
    try:
        row = connection.execute(
            "INSERT INTO scenario (created_at, updated_at, name, description, database_id, draft, tags) VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (now, now, draft.name, draft.description, base.id, Jsonb(draft.model_dump(mode="json")), draft.tags),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("name_taken", f"There is a scenario “{draft.name}” already.", "name") from None
    assert row
    return get_scenario(connection, int(row[0]))


def save_draft(
    connection: Connection, clock: Clock, scenario_id: int, revision: int, document: dict[str, Any] | ScenarioDocument
) -> Scenario:
    """Keep a draft. It may have problems; it must be readable.

    Raises:
        Conflict: somebody else has saved since `revision`, or the database changes while somebody was inside; SojournError: unreadable.
    """
    draft = document if isinstance(document, ScenarioDocument) else parse_document(document)
    current = get_scenario(connection, scenario_id)
    base = database(connection, draft.database)
    if base.id != current.database_id and current.published_version_id is not None:
        raise Conflict("database_fixed", "A scenario that was published keeps its database.", "database")
    draft = draft.model_copy(update={"database": base.id})
    try:
        saved = connection.execute(
            """UPDATE scenario SET draft = %s, revision = revision + 1, updated_at = %s, name = %s, description = %s, tags = %s, database_id = %s
                WHERE id = %s AND revision = %s""",
            (
                Jsonb(draft.model_dump(mode="json")),
                clock.now(),
                draft.name,
                draft.description,
                draft.tags,
                base.id,
                scenario_id,
                revision,
            ),
        ).rowcount
    except psycopg.errors.UniqueViolation:
        raise Conflict("name_taken", f"There is a scenario “{draft.name}” already.", "name") from None
    if not saved:
        raise Conflict("stale_revision", "Somebody else has saved this scenario meanwhile; load it again.", "revision")
    return get_scenario(connection, scenario_id)


def publish(
    connection: Connection,
    clock: Clock,
    scenario_id: int,
    *,
    settings: Settings,
    user_id: int | None = None,
    accept_sandbox: bool = False,
    doors: Sequence[int] = (),
) -> Scenario:
    """Make the draft a version. New entrants take it; who is inside finishes on the version by which he entered, unless he is taken along
    (`migrating`): then `doors` are the nodes before which people will stand.

    Raises:
        SojournError: `not_ready` with all problems; `sandbox` if messages would go to the sandbox mailbox and that was not accepted.
    """
    current = get_scenario(connection, scenario_id)
    problems = check_document(connection, current.document)
    if problems:
        raise SojournError("not_ready", "The scenario cannot be published yet.", problems=problems)
    if not accept_sandbox:
        _ask_about_sandbox(current.document, settings)
    with connection.transaction():
        connection.execute("SELECT id FROM scenario WHERE id = %s FOR UPDATE", (scenario_id,))
        graph = resolve_document(connection, current.document)
        row = connection.execute(
            """INSERT INTO scenario_version (scenario_id, number, published_at, published_by, graph, draft, doors)
               SELECT %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s FROM scenario_version WHERE scenario_id = %s RETURNING id""",
            (
                scenario_id,
                clock.now(),
                user_id,
                Jsonb(graph.model_dump(mode="json")),
                Jsonb(current.document.model_dump(mode="json")),
                list(doors),
                scenario_id,
            ),
        ).fetchone()
        assert row
        compile_version(
            scenario_id,
            int(row[0]),
            graph,
            database(connection, current.database_id),
            Catalogue(connection),
            tuple(doors),
        )
        connection.execute("UPDATE scenario SET published_version_id = %s WHERE id = %s", (row[0], scenario_id))
        if current.active:
            _listen(connection, clock, scenario_id, current.database_id, graph)
    return get_scenario(connection, scenario_id)


def _ask_about_sandbox(document: ScenarioDocument, settings: Settings) -> None:
    used = {node.type for node in document.nodes if isinstance(node_types()[node.type], ChannelNode)}
    missing = [
        name
        for name, kind, url in (("E-mail", "email", settings.smtp_url), ("SMS", "sms", settings.sms_url))
        if kind in used and not url
    ]
    if missing:
        text = f"{' and '.join(missing)} would go to the sandbox mailbox, not to people: no server is set. Publish all the same?"
        raise Conflict("sandbox", text, "accept_sandbox")


def resolve_document(connection: Connection, document: ScenarioDocument) -> ScenarioDocument:
    """The document with ids in place of names, and what its API requests send stored for the workers."""
    catalogue = Catalogue(connection)
    nodes = []
    for node in document.nodes:
        node_type = node_types()[node.type]
        settings = node_type.settings.model_validate(node.settings).model_dump(mode="json")
        for name, kind in references(node_type).items():
            if settings.get(name) is not None:
                settings[name] = catalogue.find(kind, settings[name])
        if settings.get("category"):
            settings["category"] = catalogue.category(settings["resource"], str(settings["category"]))
        for awaited in settings.get("events") or []:
            if awaited.get("template") is not None:
                awaited["template"] = catalogue.find("template", awaited["template"])
        if settings.get("rules"):
            settings["rules"] = resolve(settings["rules"], catalogue)
        if "definition" in settings:
            settings["definition"] = define_request(
                connection, method=settings["method"], url=settings["url"], headers=settings["headers"], body=settings["body"], content_type=settings["content_type"],
                timeout_seconds=settings["timeout"], attempts=settings["attempts"], repeat_in_doubt=settings["repeat_in_doubt"], save=settings["save"],
            )  # fmt: skip
        nodes.append(node.model_copy(update={"settings": settings}))
    exits = [
        one if one.template is None else one.model_copy(update={"template": catalogue.find("template", one.template)})
        for one in document.exits
    ]
    database_id = catalogue.find("database", document.database)
    return document.model_copy(update={"database": database_id, "nodes": nodes, "exits": exits})


def activate(connection: Connection, clock: Clock, scenario_id: int, *, clear: bool = False) -> Scenario:
    """Capture and move profiles from now on. `clear`: whoever is still inside is taken out first.

    Raises:
        Conflict: nothing was published yet.
    """
    current = get_scenario(connection, scenario_id)
    if current.published_version_id is None:
        raise Conflict("not_published", "Publish the scenario before you activate it.", "id")
    if clear:
        remove_everybody(connection, clock, scenario_id)
    row = connection.execute(
        "SELECT graph FROM scenario_version WHERE id = %s", (current.published_version_id,)
    ).fetchone()
    assert row
    with connection.transaction():
        connection.execute("UPDATE scenario SET active = true WHERE id = %s", (scenario_id,))
        graph = ScenarioDocument.model_validate(row[0])
        _listen(connection, clock, scenario_id, current.database_id, graph)
        if graph.exits:  # what happened while it stood still
            poke(
                connection,
                clock,
                "SELECT profile_id, lane FROM resting WHERE scenario_id = %(scenario)s",
                {"scenario": scenario_id},
            )
    return get_scenario(connection, scenario_id)


def stop(connection: Connection, clock: Clock, scenario_id: int, *, clear: bool = False) -> Scenario:
    """Capture and move nobody any more. Who is inside keeps his place, unless `clear` takes everybody out and cancels what was planned."""
    current = get_scenario(connection, scenario_id)
    with connection.transaction():
        connection.execute("UPDATE scenario SET active = false WHERE id = %s", (scenario_id,))
        # Who waits inside is to know what happened meanwhile.
        set_listeners(connection, scenario_id, current.database_id, _waits(connection, scenario_id))
        set_timers(connection, clock, scenario_id)
    if clear:
        remove_everybody(connection, clock, scenario_id)
        set_listeners(connection, scenario_id, current.database_id, [])
    return get_scenario(connection, scenario_id)


def _listen(connection: Connection, clock: Clock, scenario_id: int, database_id: int, graph: ScenarioDocument) -> None:
    listeners = []
    for node in graph.nodes:
        node_type = node_types()[node.type]
        if isinstance(node_type, StartNode) and node_type.trigger is not None:
            narrowed = node_type.listens(node_type.settings.model_validate(node.settings))
            listeners.append(Listener(node.id, node_type.trigger, narrowed))
    set_listeners(connection, scenario_id, database_id, [*listeners, *_waits(connection, scenario_id)])
    set_timers(connection, clock, scenario_id)


_EXITS = -1
"""Stands for the scenario as a whole among its nodes that listen."""


def _waits(connection: Connection, scenario_id: int) -> list[Listener]:
    """What people wait for in this scenario, in all versions in which somebody may be."""
    kinds: dict[int, set[int]] = {}
    for (graph,) in connection.execute(
        "SELECT graph FROM scenario_version WHERE scenario_id = %s AND NOT drained", (scenario_id,)
    ):
        document = ScenarioDocument.model_validate(graph)
        if document.exits:
            kinds.setdefault(_EXITS, set()).update(int(one.kind) for one in document.exits)
        for node in document.nodes:
            node_type = node_types()[node.type]
            if isinstance(node_type, WaitEvent):
                settings = WaitEventSettings.model_validate(node.settings)
                kinds.setdefault(node.id, set()).update(node_type.waits_for(settings))
    return [Listener(node, "wait", {"kinds": sorted(wanted)}) for node, wanted in kinds.items()]


def mark_drained(connection: Connection, clock: Clock) -> int:
    """Mark versions that were superseded over a minute ago and in which nobody is any more, so that the engines forget them. Tells how many.

    The minute covers engines that do not know of the new version yet.
    """
    return connection.execute(
        """UPDATE scenario_version v SET drained = true FROM scenario s JOIN scenario_version n ON n.id = s.published_version_id
            WHERE s.id = v.scenario_id AND NOT v.drained AND n.id > v.id AND n.published_at < %s
              AND NOT EXISTS (SELECT FROM generate_series(0, 63) l, LATERAL (SELECT FROM resting r WHERE r.lane = l AND r.version_id = v.id LIMIT 1) x)""",
        (clock.now() - timedelta(minutes=1),),
    ).rowcount
