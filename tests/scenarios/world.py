"""A small world for tests of the engine: a database of profiles, a resource, templates, a pool of codes, and a hand on the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from sojourn.kernel import Settings, VirtualClock, lane_of
from sojourn.loyalty import create_pool, load_codes
from sojourn.profiles import add_field, create_database, create_resource
from sojourn.scenarios import activate, create_scenario, publish
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.templates import TemplateContent, save_template
from sojourn.triggers import enter

EMAIL, SMS = 1, 2
LEAVE = '<a href="{{ unsubscribe_url }}">Leave</a>'


class World:
    """Everything a scenario needs, and what happens outside the engine."""

    def __init__(
        self, connection: psycopg.Connection[Any], clock: VirtualClock, *, codes: int = 1000, batch: int = 10_000
    ) -> None:
        self.connection = connection
        self.clock = clock
        self.database = create_database(connection, clock, "Customers")
        for name, kind in (("points", "integer"), ("level", "line"), ("labels", "tags")):
            add_field(connection, clock, self.database.id, name, name.title(), kind)
        self.resource = create_resource(connection, clock, "Newsletter", channels=[EMAIL, SMS])
        for name in ("Welcome letter", "Gift letter"):
            save_template(connection, clock, name, EMAIL, TemplateContent(subject=name, html=f"<p>Hello</p>{LEAVE}"))
        save_template(
            connection,
            clock,
            "Confirm",
            EMAIL,
            TemplateContent(subject="Confirm", html='<a href="{{ opt_in_url }}">Yes</a>'),
            confirmation=True,
        )
        save_template(connection, clock, "Reminder", SMS, TemplateContent(text="Please confirm"))
        self.pool = create_pool(connection, clock, "Welcome codes", "WELCOME")
        if codes:
            load_codes(connection, self.pool.id, (f"C{number:06d}" for number in range(codes)))
        self.loop = EngineLoop(connection, clock, batch=batch)

    def profile(self, *, email: int | None = 0, sms: int | None = 0, **fields: Any) -> int:
        """A profile with subscriptions of the given statuses (None: no subscription)."""
        row = self.connection.execute("SELECT nextval('profile_id_seq')").fetchone()
        assert row
        number = int(row[0])
        now = self.clock.now()
        columns = {self.column(name): value for name, value in fields.items()}
        names = "".join(f', "{name}"' for name in columns)
        marks = ", %s" * len(columns)
        self.connection.execute(
            f"INSERT INTO {self.database.table} (id, lane, created_at, updated_at, email{names}) VALUES (%s, %s, %s, %s, %s{marks})",
            (number, lane_of(number), now, now, f"p{number}@example.com", *columns.values()),
        )
        for channel, status in ((EMAIL, email), (SMS, sms)):
            if status is not None:
                self.connection.execute(
                    "INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        number,
                        now,
                        self.resource.id,
                        lane_of(number),
                        channel,
                        status,
                        status,
                        f"p{number}@example.com" if channel == EMAIL else f"+1555{number:07d}",
                    ),
                )
        return number

    def column(self, name: str) -> str:
        """The column of a custom field."""
        from sojourn.profiles import database

        return database(self.connection, self.database.id).field(name).column

    def value(self, profile_id: int, name: str) -> Any:
        """A field of a profile."""
        row = self.connection.execute(
            f'SELECT "{self.column(name)}" FROM {self.database.table} WHERE lane = %s AND id = %s',
            (lane_of(profile_id), profile_id),
        ).fetchone()
        assert row
        return row[0]

    def scenario(
        self, nodes: list[dict[str, Any]], *, mode: str = "never", min_interval: str | None = None, name: str = "Test"
    ) -> int:
        """Publish and activate a scenario; tells its id."""
        reentry = {"mode": mode} | ({"min_interval": min_interval} if min_interval else {})
        made = create_scenario(
            self.connection, self.clock, {"name": name, "database": "Customers", "reentry": reentry, "nodes": nodes}
        )
        publish(self.connection, self.clock, made.id, settings=Settings(), accept_sandbox=True)
        activate(self.connection, self.clock, made.id)
        self.loop.refresh_now()
        return made.id

    def enter(self, scenario: int, *profiles: int, **more: Any) -> None:
        """Put profiles at the door."""
        enter(self.connection, self.clock, scenario, profiles, **more)

    def run(self) -> int:
        """Let the engine do everything that is due; tells how many passages moved."""
        total = 0
        while moved := self.loop.step():
            total += moved
        return total

    def later(self, **step: float) -> int:
        """Move the clock and run."""
        self.clock.advance(timedelta(**step))
        return self.run()

    def all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        return self.connection.execute(statement, values).fetchall()

    def steps(self, profile_id: int) -> list[tuple[int, int]]:
        """(node, output) of all steps of a profile's passages, in order."""
        return self.all(
            """SELECT s.node_id, s.output FROM step s JOIN (SELECT passage_id, profile_id FROM resting UNION ALL SELECT passage_id, profile_id FROM passage_ended) p USING (passage_id)
                WHERE p.profile_id = %s ORDER BY s.passage_id, s.hop""",
            profile_id,
        )

    def deliver(self, channel: int, *, accepted: bool = True) -> int:
        """Play the delivery worker: decide on all planned messages of a channel."""
        rows = self.all(
            "SELECT lane, passage_id, hop, profile_id, flags FROM message WHERE state = 0 AND channel = %s", channel
        )
        for lane, passage, hop, profile, flags in rows:
            self.connection.execute(
                "UPDATE message SET state = %s, handed_at = %s WHERE lane = %s AND passage_id = %s AND hop = %s",
                (2 if accepted else 3, self.clock.now(), lane, passage, hop),
            )
            if flags & 2:
                self.answer(lane, passage, hop, profile)
        return len(rows)

    def answer(self, lane: int, passage: int, hop: int, profile: int) -> None:
        """Put an outcome into the inbox."""
        self.connection.execute(
            "INSERT INTO answer_inbox (passage_id, profile_id, at, hop, lane) VALUES (%s, %s, %s, %s, %s)",
            (passage, profile, self.clock.now(), hop, lane),
        )
