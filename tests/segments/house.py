"""A database with people, and segments over it, for the tests of segments."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import VirtualClock
from sojourn.profiles import Options, Record, add_field, create_database, create_resource, database, import_records
from sojourn.scenarios import Catalogue
from sojourn.segments.recalculating import recalculate
from sojourn.segments.store import Segment, create_segment, get_segment, parse_draft

Connection = psycopg.Connection[Any]
OMSK = {"rule": "field", "field": "_city", "operator": "eq", "value": "Omsk"}
RICH = {"rule": "field", "field": "points", "operator": "ge", "value": 5}


class House:
    """A database with people, and segments over it."""

    def __init__(self, connection: Connection, clock: VirtualClock) -> None:
        connect_rooms()
        self.connection, self.clock = connection, clock
        made = create_database(connection, clock, "People")
        add_field(connection, clock, made.id, "points", "Points", "integer")
        self.base = database(connection, made.id)
        self.news = create_resource(connection, clock, "News").id
        self.people: list[int] = []

    def born(self, number: int, **fields: Any) -> None:
        records = [Record({}, {"email": f"p{len(self.people) + n}@example.com", **fields}) for n in range(number)]
        done = import_records(self.connection, self.clock, self.base, records, Options())
        self.people += [outcome.profile_id for outcome in done if outcome.profile_id]

    def change(self, profile: int, **fields: Any) -> None:
        import_records(
            self.connection,
            self.clock,
            self.base,
            [Record({"profile_id": profile}, fields)],
            Options(mode="update", matching="profile_id"),
        )

    def segment(self, name: str, kind: Any = "updatable", **draft: Any) -> Segment:
        made = create_segment(
            self.connection,
            self.clock,
            self.base.id,
            kind,
            parse_draft({"name": name, **draft}),
            Catalogue(self.connection),
        )
        if kind == "updatable":
            recalculate(self.connection, self.clock, made.id)
        return get_segment(self.connection, made.id)

    def members(self, segment: Segment) -> set[int]:
        return {
            row[0]
            for row in self.connection.execute(
                "SELECT profile_id FROM segment_member WHERE segment_id = %s", (segment.id,)
            )
        }

    def listeners(self) -> set[str]:
        return {row[0] for row in self.connection.execute("SELECT kind FROM touch_listener")}
