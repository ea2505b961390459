"""A few hundred people with gaps in their data, and what happened to them, for rules to be asked about; and the same in Python."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel import VirtualClock
from sojourn.profiles import Database, add_field, create_database, create_resource, database

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
"""In Berlin the clocks go from 2 to 3 that night; there it is half past one in the morning."""
ZONE = "Europe/Berlin"
FIELDS = (
    ("points", "integer", None), ("weight", "float", None), ("town", "line", None), ("seen", "date", None), ("vip", "boolean", None),
    ("level", "enum", ["bronze", "silver", "gold"]), ("labels", "tags", None), ("car", "object", None), ("orders", "objects", None), ("address", "ip", None),
)  # fmt: skip
LINKS = (
    "https://shop.test/?utm_source=Riga&utm_campaign=summer+sale", "https://shop.test/a?x=1&utm_campaign=%D0%96&utm_campaign=late#utm_source=no", "shop.test?utm_source=&utm_term=a%25b",
    "https://shop.test/?utm_source=%ff&utm_medium=e%", "https://shop.test/utm_source=Riga", "https://shop.test/?xutm_source=Riga&utm_content=%00",
)  # fmt: skip
WORDS = ("Riga", "riga", "Oslo", "São", "a%b", "x_y", "", "Ünder")


@dataclass
class Person:
    """Somebody, as the oracle knows them."""

    id: int
    values: dict[str, Any]
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    passages: list[dict[str, Any]] = field(default_factory=list)
    codes: list[dict[str, Any]] = field(default_factory=list)
    members: dict[int, list[tuple[datetime, bool]]] = field(default_factory=dict)

    @property
    def lane(self) -> int:
        return self.id & 63


def settle(connection: psycopg.Connection[Any], count: int = 250, seed: int = 7) -> tuple[Database, list[Person]]:
    """Make the people."""
    clock = VirtualClock(NOW)
    connection.execute("UPDATE account SET time_zone = %s", (ZONE,))
    base = create_database(connection, clock, "People")
    for name, kind, options in FIELDS:
        add_field(connection, clock, base.id, name, name.title(), kind, options=options)
    for name in ("News", "Offers"):
        create_resource(connection, clock, name, channels=["email", "sms"])
    base = database(connection, base.id)
    chance, numbers = random.Random(seed), itertools.count(1)
    people = [Person(number, _values(chance, numbers)) for number in range(1, count + 1)]
    for person in people:
        _happen(chance, person)
        _write(connection, base, person)
    return base, people


def _maybe(chance: random.Random, value: Any, gap: float = 0.25) -> Any:
    return None if chance.random() < gap else value


def _moment(chance: random.Random) -> datetime:
    near = chance.choice([0, 0, 1, 2, 7, 29, 30, 31, 59, 365])
    return (
        NOW
        - timedelta(days=near, minutes=chance.choice([0, 1, 30, 31, 89, 90, 91, 1439, 1440, 1441]))
        + timedelta(days=chance.choice([0, 0, 0, 8]))
    )


def _values(chance: random.Random, numbers: Iterator[int]) -> dict[str, Any]:
    today = NOW.date()
    born = [
        date(1992, 2, 29),
        date(1990, 2, 28),
        date(1988, 3, 1),
        date(2001, 3, 29),
        date(1970, 3, 30),
        date(1985, 4, 2),
        date(1999, 12, 31),
        today,
    ]
    tags = sorted(chance.sample(["a", "b", "c", "d e"], chance.randint(0, 3)))
    inner = {"make": chance.choice(["Ж", "bmw", "BMW", 5]), "year": chance.choice([1999, 2020.5, "2020", None]), "bought": chance.choice(["2026-03-28", "2026-03-29", "2026-02-30", "soon", "2026-03-28T23:30:00Z", "2026-03-29T01:00:00+01:00"]), "new": chance.choice([True, False, "yes"]), "doors": chance.choice([[], ["left", "right"], [3, None], "left"]), "owners": [{"name": chance.choice(["Ann", "Bo"])} for _ in range(chance.randint(0, 2))]}  # fmt: skip
    return {
        "email": _maybe(chance, f"p{next(numbers)}@{chance.choice(['gmail.com', 'mail.ru', 'shop.test'])}"),
        "phones": _maybe(chance, sorted(chance.sample(["+79001234567", "+77011234567", "+4915112345678", "+12025550100", "+14165550100"], chance.randint(0, 2)))),
        "address": _maybe(chance, chance.choice(["10.0.0.1", "10.0.0.2", "192.168.1.1"])), "_bdate": _maybe(chance, chance.choice(born)), "_sex": _maybe(chance, chance.choice([0, 1])), "_status": _maybe(chance, chance.choice([0, 1, 5])),
        "points": _maybe(chance, chance.choice([-3, 0, 1, 5, 10, 2**40])), "weight": _maybe(chance, chance.choice([0.5, 1.0, 72.25])),
        "_regurl": _maybe(chance, chance.choice(LINKS)), "town": _maybe(chance, chance.choice(WORDS) or None), "seen": _maybe(chance, _moment(chance)), "vip": _maybe(chance, chance.choice([True, False])),
        "level": _maybe(chance, chance.choice(["bronze", "silver", "gold"])), "labels": _maybe(chance, tags), "car": _maybe(chance, chance.choice([inner, {}, {"make": None}])),
        "orders": _maybe(chance, [{"sum": chance.choice([1, 50, "50"]), "at": chance.choice(["2026-03-01", "x"])} for _ in range(chance.randint(0, 3))]),
    }  # fmt: skip


def _happen(chance: random.Random, person: Person) -> None:
    contacts = set()
    for _ in range(chance.choice([0, 1, 2, 3])):
        row = {
            "resource": chance.choice([1, 2]), "channel": chance.choice([1, 2]), "status": chance.choice([0, 0, 1, 4, 6]), "priority": chance.choice([0, 3]),
            "cats": chance.choice([None, ["sport"], ["news", "sport"]]), "created_at": _moment(chance), "confirmed": chance.random() < 0.3,
            "contact": f"c{person.id}{chance.choice('ab')}@x.test", "custom": chance.choice([None, {}, {"size": "M", "since": "2026-03-29"}, {"size": 3}]),
            "deleted": chance.random() < 0.1, "changes": sorted(_moment(chance) for _ in range(chance.choice([0, 0, 1, 2]))),
        }  # fmt: skip
        if row["deleted"]:
            row["status"] = 6
        if (key := (row["resource"], row["channel"], row["contact"])) not in contacts:
            contacts.add(key)
            person.subscriptions.append(row)
    for _ in range(chance.choice([0, 0, 1, 3, 6])):
        person.events.append({"kind": chance.choice([1, 3, 4]), "at": _moment(chance), "template": chance.choice([1, 2, 3]), "scenario": chance.choice([1, 2]), "channel": chance.choice([1, 2]), "url": chance.choice(["https://a.test/", "https://b.test/"])})  # fmt: skip
    for scenario in (1, 2):
        state = chance.choice(["none", "none", "inside", "completed", "failed", "entered"])
        if state != "none":
            person.passages.append(
                {"scenario": scenario, "state": state, "at": _moment(chance), "node": chance.choice([3, 4])}
            )
    for _ in range(chance.choice([0, 0, 1, 2])):
        person.codes.append({"pool": chance.choice([1, 2]), "at": _moment(chance), "expires": chance.choice([None, NOW, NOW + timedelta(days=1), NOW - timedelta(days=1)])})  # fmt: skip
    for segment in (1, 2):
        moments = sorted(_moment(chance) for _ in range(chance.choice([0, 0, 1, 2, 3])))
        if moments:
            person.members[segment] = [(at, not number % 2) for number, at in enumerate(moments)]


def _write(connection: psycopg.Connection[Any], base: Database, person: Person) -> None:
    known = {name: value for name, value in person.values.items() if value is not None}
    columns = ", ".join(f'"{base.field(name).column}"' for name in known)
    values = [Jsonb(value) if base.field(name).sql_type == "jsonb" else value for name, value in known.items()]
    marks = ", %s" * len(values)
    connection.execute(
        f"INSERT INTO {base.table} (id, lane, created_at, updated_at{', ' if columns else ''}{columns}) VALUES (%s, %s, %s, %s{marks})",
        (person.id, person.lane, NOW - timedelta(days=person.id % 40), NOW, *values),
    )
    for row in person.subscriptions:
        [number] = connection.execute(
            "INSERT INTO subscription (profile_id, created_at, confirmed_at, resource_id, lane, channel, status, effective, priority, preferred, contact, cats, custom, deleted_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, false, %s, %s, %s, %s) RETURNING id",
            (person.id, row["created_at"], NOW if row["confirmed"] else None, row["resource"], person.lane, row["channel"], row["status"], row["status"], row["priority"],
             row["contact"], row["cats"], None if row["custom"] is None else Jsonb(row["custom"]), NOW if row["deleted"] else None),
        ).fetchone() or [0]  # fmt: skip
        for at in row["changes"]:
            connection.execute("INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause) VALUES (%s, %s, %s, %s, %s, 4, 1)", (person.id, at, number, base.id, person.lane))  # fmt: skip
    for event in person.events:
        connection.execute(
            "INSERT INTO event (profile_id, lane, kind, occurred_at, recorded_at, template_id, scenario_id, channel, data) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (person.id, person.lane, event["kind"], event["at"], event["at"] + timedelta(seconds=5), event["template"], event["scenario"], event["channel"], Jsonb({"url": event["url"]})),
        )  # fmt: skip
    for number, passage in enumerate(person.passages):
        if passage["state"] == "entered":
            connection.execute(
                "INSERT INTO entered (profile_id, scenario_id, lane) VALUES (%s, %s, %s)",
                (person.id, passage["scenario"], person.lane),
            )
        elif passage["state"] == "inside":
            connection.execute(
                "INSERT INTO resting (passage_id, profile_id, entered_at, scenario_id, version_id, node_id, hop, lane) VALUES (%s, %s, %s, %s, 1, %s, 1, %s)",
                (person.id * 10 + number, person.id, passage["at"], passage["scenario"], passage["node"], person.lane),
            )
        else:
            connection.execute(
                "INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason) VALUES (%s, %s, %s, %s, %s, 1, 4, 1, %s, %s)",
                (person.id * 10 + number, person.id, passage["at"], passage["at"], passage["scenario"], person.lane, 1 if passage["state"] == "completed" else 3),
            )  # fmt: skip
    for number, code in enumerate(person.codes):
        connection.execute(
            "INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, pool_id, hop, lane) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                person.id,
                person.id * 10 + number,
                person.id,
                code["at"],
                code["expires"],
                code["pool"],
                number,
                person.lane,
            ),
        )
    for segment, history in person.members.items():
        for at, entered in history:
            connection.execute(
                "INSERT INTO segment_history (profile_id, at, segment_id, lane, entered, cause) VALUES (%s, %s, %s, %s, %s, 8)",
                (person.id, at, segment, person.lane, entered),
            )
        if history[-1][1]:
            connection.execute(
                "INSERT INTO segment_member (profile_id, entered_at, segment_id, lane) VALUES (%s, %s, %s, %s)",
                (person.id, history[-1][0], segment, person.lane),
            )
