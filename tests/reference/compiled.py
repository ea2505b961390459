"""Plays on the compiled engine and PostgreSQL, and reads the tables back into the oracle's own words."""

from __future__ import annotations

import itertools
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from sojourn.kernel import Settings, VirtualClock
from sojourn.loyalty import create_pool, load_codes
from sojourn.profiles import add_field, create_database, create_resource, database
from sojourn.scenarios import (
    activate,
    check_document,
    create_scenario,
    get_scenario,
    parse_document,
    publish,
    remove_everybody,
    save_draft,
    stop,
)
from sojourn.scenarios.counters import fold_counters
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.templates import TemplateContent, save_template
from tests.reference.graph import Graph, outputs_of
from tests.reference.person import ACCEPTED, HANDING_OVER, Capture, Message, Passage, Person, Request, Subscription
from tests.reference.plays import CONFIRMATION, FIELDS, POOLS, RESOURCES, TEMPLATES, PersonDraft

CHANNELS = {"email": 1, "sms": 2}
_WORDS = {number: word for word, number in CHANNELS.items()}
_ENDS = {1: "completed", 3: "failed", 4: "removed", 5: "restarted", 6: "visit_cap"}
_REFUSALS = {1: "entered_before", 2: "inside_now", 3: "too_soon", 4: "profile_gone", 5: "bad_data"}
_AWAITS = {None: None, 1: "answer", 2: "door"}
MOST_STEPS = 3_000


def publishable(connection: psycopg.Connection[Any], document: dict[str, Any]) -> dict[str, Any] | None:
    """The document without the links that close a loop in which nothing takes time; None if it has other problems."""
    while problems := check_document(connection, parse_document(document)):
        spinning = [problem for problem in problems if problem.code == "spinning_loop"]
        if not spinning:
            return None
        place, output = str(spinning[0].place).rsplit(".links.", 1)
        node = next(node for node in document["nodes"] if f"node {node['id']}" == place)
        del node["links"][output]
    return document


class Compiled:
    """One database for many plays; each play is a scenario and people of its own."""

    def __init__(self, connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings) -> None:
        self.connection, self.clock, self.settings = connection, clock, settings
        self._profile_numbers, self._names = itertools.count(1), itertools.count(1)
        base = create_database(connection, clock, "People")
        for name, kind in FIELDS.items():
            add_field(connection, clock, base.id, name, name.title(), kind)
        self.base = database(connection, base.id)
        self.resources = {name: create_resource(connection, clock, name, channels=[1, 2]).id for name in RESOURCES}
        letter = TemplateContent(subject="Hello", html="<p>Hello</p><a href='{{ unsubscribe_url }}'>Leave</a>")
        opt_in = TemplateContent(
            subject="Hello", html="<a href='{{ opt_in_url }}'>Yes</a> <a href='{{ unsubscribe_url }}'>Leave</a>"
        )
        self.templates = {name: save_template(connection, clock, name, 1, letter)[0] for name in TEMPLATES["email"]}
        self.templates |= {
            name: save_template(connection, clock, name, 2, TemplateContent(text="Hello"))[0]
            for name in TEMPLATES["sms"]
        }
        self.templates[CONFIRMATION] = save_template(connection, clock, CONFIRMATION, 1, opt_in, confirmation=True)[0]
        self.pools = {name: create_pool(connection, clock, name, name).id for name in POOLS}
        for name, pool in self.pools.items():
            load_codes(connection, pool, (f"{name}-{number}" for number in range(60_000)))
        self.loop = EngineLoop(connection, clock)
        self.scenario_id = 0
        self.profile_ids: list[int] = []

    # ------------------------------------------------------------------ the play

    def begin(self, document: dict[str, Any], people: list[PersonDraft], batch: int) -> list[Person]:
        """A new scenario with new people, active; tells the people as the oracle knows them."""
        if self.scenario_id:
            stop(self.connection, self.clock, self.scenario_id, clear=True)
        self.loop.engine.batch = batch
        named = {**document, "name": f"Play {next(self._names)}"}
        self.scenario_id = create_scenario(self.connection, self.clock, named).id
        publish(self.connection, self.clock, self.scenario_id, settings=self.settings, accept_sandbox=True)
        activate(self.connection, self.clock, self.scenario_id)
        self.profile_ids = [next(self._profile_numbers) * 64 + person.lane for person in people]
        return [self._insert(profile_id, draft) for profile_id, draft in zip(self.profile_ids, people, strict=True)]

    def publish(self, document: dict[str, Any]) -> None:
        """Another version, for new entrants."""
        current = get_scenario(self.connection, self.scenario_id)
        save_draft(self.connection, self.clock, self.scenario_id, current.revision, {**document, "name": current.name})
        publish(self.connection, self.clock, self.scenario_id, settings=self.settings, accept_sandbox=True)

    def _insert(self, profile_id: int, draft: PersonDraft) -> Person:
        person = Person(
            draft.exists, dict(draft.fields) if draft.exists else {}, draft.status, profile_id, self.scenario_id
        )
        if draft.exists:
            self.connection.execute(
                sql.SQL("INSERT INTO {} (id, lane, created_at, updated_at, status) VALUES (%s, %s, %s, %s, %s)").format(
                    sql.Identifier(self.base.table)
                ),
                (profile_id, draft.lane, self.clock.now(), self.clock.now(), draft.status),
            )
            for name, value in draft.fields.items():
                self.write_field(profile_id, name, value)
        for number, (resource, channel, status) in enumerate(draft.subscriptions):
            person.subscriptions.append(Subscription(f"{number}", resource, channel, status))
            self.connection.execute(
                "INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, preferred, contact) VALUES (%s, %s, %s, %s, %s, %s, %s, false, %s)",
                (
                    profile_id,
                    self.clock.now(),
                    self.resources[resource],
                    profile_id & 63,
                    CHANNELS[channel],
                    status,
                    status,
                    str(number),
                ),
            )
        self.write_subscriptions(profile_id, person)
        return person

    def write_field(self, profile_id: int, name: str, value: Any) -> None:
        """An import changes a field."""
        column = sql.Identifier(self.base.field(name).column)
        statement = sql.SQL("UPDATE {} SET {} = %s WHERE lane = %s AND id = %s").format(
            sql.Identifier(self.base.table), column
        )
        self.connection.execute(statement, (value, profile_id & 63, profile_id))

    def write_subscriptions(self, profile_id: int, person: Person) -> None:
        """What `profiles` does whenever a subscription or global status changes: statuses, what a sender obeys, the contact to write to."""
        with self.connection.transaction():
            self.connection.execute(
                "UPDATE subscription SET preferred = false WHERE lane = %s AND profile_id = %s",
                (profile_id & 63, profile_id),
            )
            for s in person.subscriptions:
                preferred = person.preferred(s.resource, s.channel) is s
                self.connection.execute(
                    "UPDATE subscription SET status = %s, effective = %s, preferred = %s, confirmed_at = %s WHERE lane = %s AND profile_id = %s AND contact = %s",
                    (s.status, person.effective(s), preferred, s.confirmed_at, profile_id & 63, profile_id, s.contact),
                )

    def capture(self, profile_id: int, node: int, key: str, context: Any, *, priority: int) -> None:
        """Somebody stands at a start node."""
        self.connection.execute(
            "INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, key, context) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                profile_id,
                self.clock.now(),
                self.scenario_id,
                node,
                profile_id & 63,
                priority,
                key,
                Jsonb(context) if context else None,
            ),
        )

    def outcome(self, profile_ids: list[int], state: int) -> None:
        """The delivery workers decide about everything of these people that is on its way; who waits for it is told."""
        self._decide("message", profile_ids, state, state != HANDING_OVER, "(m.flags & 2) = 2")

    def answer(self, profile_ids: list[int], state: int) -> None:
        """The other side answers all requests of these people."""
        self._decide("request", profile_ids, state, state != HANDING_OVER, "true")

    def _decide(self, table: str, profile_ids: list[int], state: int, final: bool, awaited: str) -> None:
        self.connection.execute(
            f"""WITH decided AS (UPDATE {table} m SET state = %(state)s WHERE m.scenario_id = %(scenario)s AND m.profile_id = ANY(%(people)s) AND m.state IN (0, 1) RETURNING m.*)
                INSERT INTO answer_inbox (passage_id, profile_id, at, hop, lane) SELECT passage_id, profile_id, %(now)s, hop, lane FROM decided m WHERE {awaited} AND %(final)s""",
            {
                "state": state,
                "scenario": self.scenario_id,
                "people": profile_ids,
                "now": self.clock.now(),
                "final": final,
            },
        )

    def opened(self, profile_ids: list[int], clicked: bool) -> None:
        """These people open what has been handed over, and perhaps click."""
        column = "clicked_at" if clicked else "opened_at"
        self.connection.execute(
            f"UPDATE message SET {column} = %s WHERE scenario_id = %s AND profile_id = ANY(%s) AND state = %s",
            (self.clock.now(), self.scenario_id, profile_ids, ACCEPTED),
        )

    def remove(self) -> None:
        """Everybody is taken out."""
        remove_everybody(self.connection, self.clock, self.scenario_id)

    def fold(self) -> None:
        """Counters are folded."""
        fold_counters(self.connection)

    def run(self) -> None:
        """The engine runs until nobody moves."""
        self.loop.refresh_now()
        for _ in range(MOST_STEPS):
            if not self.loop.step():
                return
        raise AssertionError("the engine does not come to rest")

    # ------------------------------------------------------------------ reading back

    def people(self) -> list[Person]:
        """Everybody of this play, as the tables tell it."""
        found = {profile_id: Person(False, {}) for profile_id in self.profile_ids}
        self._read_profiles(found)
        passages = self._read_passages(found)
        self._read_ledger(passages)
        self._read_rest(found)
        return list(found.values())

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, {"scenario": self.scenario_id, "people": self.profile_ids}).fetchall()

    def _read_profiles(self, found: dict[int, Person]) -> None:
        columns = ", ".join(f'"{self.base.field(name).column}"' for name in FIELDS)
        for profile_id, status, *values in self._rows(
            f'SELECT id, status, {columns} FROM "{self.base.table}" WHERE id = ANY(%(people)s)'
        ):
            found[profile_id].exists, found[profile_id].status = True, status
            found[profile_id].fields = dict(zip(FIELDS, values, strict=True))
        names = {number: name for name, number in self.resources.items()}
        for profile_id, contact, resource, channel, status, confirmed in self._rows(
            "SELECT profile_id, contact, resource_id, channel, status, confirmed_at FROM subscription WHERE profile_id = ANY(%(people)s) ORDER BY id"
        ):
            found[profile_id].subscriptions.append(
                Subscription(contact, names[resource], _WORDS[channel], status, confirmed)
            )

    def _read_passages(self, found: dict[int, Person]) -> dict[int, Passage]:
        passages: dict[int, Passage] = {}
        nothing = Graph({"nodes": []})
        for passage_id, profile_id, entered, due, version, node, hop, awaits, key, context, reason, ended in self._rows(
            """SELECT passage_id, profile_id, entered_at, due_at, number, node_id, hop, awaits, key, context, NULL, NULL FROM resting r
                 JOIN scenario_version v ON v.id = r.version_id WHERE r.scenario_id = %(scenario)s
               UNION ALL
               SELECT passage_id, profile_id, entered_at, NULL, number, node_id, hop, NULL, key, context, reason, ended_at FROM passage_ended e
                 JOIN scenario_version v ON v.id = e.version_id WHERE e.scenario_id = %(scenario)s"""
        ):
            assert passage_id not in passages, "a passage is in two places"
            own = "its own" if key == str(passage_id) else key
            passage = Passage(nothing, version, own, entered, context, node, hop, due, _AWAITS[awaits])
            passage.ended = (_ENDS[reason], ended) if reason else None
            passages[passage_id] = passage
            found[profile_id].passages.append(passage)
        graphs = {
            version: graph
            for version, graph in self._rows(
                "SELECT number, graph FROM scenario_version WHERE scenario_id = %(scenario)s"
            )
        }
        types = {(version, node["id"]): node["type"] for version, graph in graphs.items() for node in graph["nodes"]}
        for passage_id, hop, node, output, at in self._rows(
            """SELECT passage_id, hop, node_id, output, at FROM step WHERE version_id IN (SELECT id FROM scenario_version WHERE scenario_id = %(scenario)s)
                ORDER BY passage_id, hop"""
        ):
            passage = passages[passage_id]
            passage.steps.append((hop, node, outputs_of(types[passage.version, node])[output], at))
        return passages

    def _read_ledger(self, passages: dict[int, Passage]) -> None:
        resources = {number: name for name, number in self.resources.items()}
        templates = {number: name for name, number in self.templates.items()}
        pools = {number: name for name, number in self.pools.items()}
        for (
            passage_id,
            hop,
            node,
            at,
            channel,
            resource,
            template,
            state,
            reason,
            contact,
            flags,
            opened,
            clicked,
        ) in self._rows(
            """SELECT m.passage_id, m.hop, m.node_id, m.created_at, m.channel, m.resource_id, m.template_id, m.state, m.reason, s.contact, m.flags,
                      m.opened_at IS NOT NULL, m.clicked_at IS NOT NULL
                 FROM message m LEFT JOIN subscription s ON s.lane = m.lane AND s.id = m.subscription_id AND s.profile_id = m.profile_id WHERE m.scenario_id = %(scenario)s"""
        ):
            passages[passage_id].messages[hop] = Message(
                node,
                at,
                _WORDS[channel],
                resources[resource],
                templates[template],
                state,
                reason,
                contact,
                bool(flags & 1),
                bool(flags & 2),
                opened,
                clicked,
            )
        for passage_id, hop, node, at, state in self._rows(
            "SELECT passage_id, hop, node_id, created_at, state FROM request WHERE scenario_id = %(scenario)s"
        ):
            passages[passage_id].requests[hop] = Request(node, at, state)
        for passage_id, hop, node, pool, at in self._rows(
            "SELECT passage_id, hop, node_id, pool_id, at FROM promo_assignment WHERE scenario_id = %(scenario)s"
        ):
            passages[passage_id].codes[hop] = (node, pools[pool], at)

    def _read_rest(self, found: dict[int, Person]) -> None:
        for profile_id, node, reason, at, key in self._rows(
            "SELECT profile_id, node_id, reason, at, key FROM entry_refused WHERE scenario_id = %(scenario)s"
        ):
            found[profile_id].refusals.append((node, _REFUSALS[reason], at, key))
        for profile_id, at, old, new in self._rows(
            "SELECT profile_id, at, old, new FROM change WHERE profile_id = ANY(%(people)s) AND kind = 2 AND cause = 6 AND cause_id = %(scenario)s"
        ):
            found[profile_id].changes.append((at, old, new))
        for profile_id, node, at, key, context in self._rows(
            "SELECT profile_id, node_id, at, key, context FROM capture WHERE scenario_id = %(scenario)s"
        ):
            found[profile_id].captures.append(Capture(node, at, key, context))

    def check_house(self) -> None:
        """What must hold besides: every planned message is listed for the workers once, no inbox row is left, no node is held."""
        listed = sorted(
            self._rows(
                "SELECT lane, channel, unnest(passage_ids), unnest(hops) FROM dispatch WHERE scenario_id = %(scenario)s"
            )
        )
        wanted = self._rows(
            """SELECT lane, channel, passage_id, hop FROM message WHERE scenario_id = %(scenario)s AND reason IS NULL
               UNION ALL SELECT lane, 100, passage_id, hop FROM request WHERE scenario_id = %(scenario)s"""
        )
        assert listed == sorted(wanted)
        assert self._rows("SELECT * FROM answer_inbox") == []
        assert self._rows("SELECT * FROM node_held") == []
