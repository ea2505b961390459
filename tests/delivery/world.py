"""A small world for tests of delivery: customers, a resource, templates, and planned messages put into the ledger by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg

from sojourn.kernel import Settings, VirtualClock, lane_of
from sojourn.profiles import add_field, create_database, create_resource
from sojourn.templates import TemplateContent, save_template

EMAIL, SMS, REQUEST = 1, 2, 100
LETTER = TemplateContent(
    subject="Hello {{ profile.first_name }}",
    html='<p>{{ profile.first_name }} has {{ profile.points }} points.</p><a href="https://shop.test/">Shop</a><a href="{{ unsubscribe_url }}">Leave</a>',
)


class World:
    def __init__(self, connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings) -> None:
        self.connection, self.clock, self.settings = connection, clock, settings
        self.database = create_database(connection, clock, "Customers")
        add_field(connection, clock, self.database.id, "points", "Points", "integer")
        self.resource = create_resource(
            connection, clock, "News", channels=[EMAIL, SMS], from_name="Shop", from_email="news@shop.test"
        )
        self.letter = save_template(connection, clock, "Letter", EMAIL, LETTER)[0]
        self.text = save_template(connection, clock, "Text", SMS, TemplateContent(text="Hi {{ profile.first_name }}"))[
            0
        ]
        self.points = connection.execute("SELECT id FROM profile_field WHERE name = 'points'").fetchone()[0]

    def profile(self, name: str = "Ada", points: int = 7, *, status: int = 0, contact: str | None = None) -> int:
        number = self.connection.execute("SELECT nextval('profile_id_seq')").fetchone()[0]
        now = self.clock.now()
        self.connection.execute(
            f"INSERT INTO {self.database.table} (id, lane, created_at, updated_at, email, fname, f{self.points}) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (number, lane_of(number), now, now, contact or f"p{number}@example.com", name, points),
        )
        for channel, address in ((EMAIL, contact or f"p{number}@example.com"), (SMS, f"+1555{number:07d}")):
            self.connection.execute(
                "INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (number, now, self.resource.id, lane_of(number), channel, status, status, address),
            )
            self.connection.execute(
                "INSERT INTO identity (profile_id, database_id, lane, kind, value) VALUES (%s, %s, %s, %s, %s)",
                (number, self.database.id, lane_of(number), 3 if channel == EMAIL else 4, address),
            )
        return number

    def plan(
        self, *profiles: int, channel: int = EMAIL, flags: int = 0, template: int | None = None, node: int = 4
    ) -> list[int]:
        """Messages in the ledger and in `dispatch`, one list a lane; passages are numbered."""
        template = template or (self.letter if channel == EMAIL else self.text)
        now, lanes, passages = self.clock.now(), {}, []
        for profile in profiles:
            passage = self.connection.execute("SELECT nextval('passage_id_seq')").fetchone()[0]
            self.connection.execute(
                """INSERT INTO message (passage_id, profile_id, subscription_id, created_at, scenario_id, template_id, node_id, hop, resource_id, lane, channel, state, flags)
                   VALUES (%s, %s, (SELECT id FROM subscription WHERE profile_id = %s AND channel = %s), %s, 1, %s, %s, 2, %s, %s, %s, 0, %s)""",
                (
                    passage,
                    profile,
                    profile,
                    channel,
                    now,
                    template,
                    node,
                    self.resource.id,
                    lane_of(profile),
                    channel,
                    flags,
                ),
            )
            lanes.setdefault(lane_of(profile), []).append(passage)
            passages.append(passage)
        for lane, found in lanes.items():
            self.dispatch(lane, found, channel, template, node)
        return passages

    def dispatch(self, lane: int, passages: list[int], channel: int, template: int | None, node: int = 4) -> None:
        now = self.clock.now()
        self.connection.execute(
            "INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, passage_ids, hops) VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s)",
            (now, now, node, template, lane, channel, passages, [2] * len(passages)),
        )

    def plan_many(self, count: int, channel: int = EMAIL) -> None:
        """Many profiles with one planned message each, in sets."""
        now = self.clock.now()
        self.connection.execute(
            f"""INSERT INTO {self.database.table} (id, lane, created_at, updated_at, email, fname, f{self.points})
                SELECT g, g & 63, %s, %s, 'p' || g || '@example.com', 'Ada' || g, g FROM generate_series(1, %s) g""",
            (now, now, count),
        )
        self.connection.execute(
            """INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)
               SELECT g, %s, %s, g & 63, %s, 0, 0, 'p' || g || '@example.com' FROM generate_series(1, %s) g""",
            (now, self.resource.id, channel, count),
        )
        self.connection.execute(
            """INSERT INTO message (passage_id, profile_id, subscription_id, created_at, scenario_id, template_id, node_id, hop, resource_id, lane, channel, state)
               SELECT profile_id, profile_id, id, %s, 1, %s, 4, 2, resource_id, lane, channel, 0 FROM subscription""",
            (now, self.letter if channel == EMAIL else self.text),
        )
        self.connection.execute(
            """INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, passage_ids, hops)
               SELECT %s, %s, 1, 4, template_id, lane, channel, array_agg(passage_id), array_agg(hop)
                 FROM (SELECT m.*, row_number() OVER (PARTITION BY lane ORDER BY passage_id) / 20 AS part FROM message m) q GROUP BY template_id, lane, channel, part""",
            (now, now),
        )

    def message(self, passage: int) -> dict[str, Any]:
        with self.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute("SELECT * FROM message WHERE passage_id = %s", (passage,)).fetchone()

    def events(self, passage: int) -> list[int]:
        return [
            row[0]
            for row in self.connection.execute("SELECT kind FROM event WHERE passage_id = %s ORDER BY id", (passage,))
        ]

    def count(self, table: str) -> int:
        return self.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

    def counters(self) -> dict[int, int]:
        return dict(self.connection.execute("SELECT kind, sum(n)::int FROM message_counter GROUP BY kind").fetchall())

    def later(self, **span: float) -> datetime:
        return self.clock.advance(timedelta(**span))
