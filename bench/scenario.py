"""`scenario.passages` and `scenario.beside-waiting`: a million profiles through the compiled welcome scenario, one engine process.

A passage here is one visit of a node. All tables and unique keys of the product are in place, the database is durable. The engine
takes captures that an import has recorded, leads everybody to the pause, and a day later on, with the clock set forward.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from bench.throwaway import throwaway_database
from sojourn.kernel import LANES, Settings, VirtualClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.loyalty import create_pool, load_codes
from sojourn.profiles import add_field, create_database, create_resource
from sojourn.scenarios import ScenarioDocument, activate, create_scenario, publish
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.templates import TemplateContent, save_template

FIGURES = ("scenario.passages", "scenario.beside-waiting")
T0 = datetime(2026, 11, 10, 10, 0, tzinfo=UTC)
WELCOME: dict[str, Any] = {
    "format": "sojourn/scenario@1", "name": "Welcome", "database": "Customers", "reentry": {"mode": "after_exit"},
    "nodes": [
        {"id": 0, "type": "start", "links": {"next": 2}},
        {"id": 1, "type": "start_any_import", "links": {"next": 2}},
        {"id": 2, "type": "email", "settings": {"resource": "Newsletter", "template": "Welcome letter"}, "links": {"next": 3}},
        {"id": 3, "type": "pause", "settings": {"length": "1d"}, "links": {"next": 4}},
        {"id": 4, "type": "condition", "settings": {"rules": {"rule": "message", "event": "opened", "node": 2}}, "links": {"yes": 5, "no": 8}},
        {"id": 5, "type": "update_profile", "settings": {"changes": [{"field": "points", "operation": "increase", "value": 100}]}, "links": {"next": 6}},
        {"id": 6, "type": "promo_code", "settings": {"pool": "WELCOME"}, "links": {"next": 7}},
        {"id": 7, "type": "email", "settings": {"resource": "Newsletter", "template": "Gift letter"}},
        {"id": 8, "type": "sms", "settings": {"resource": "Newsletter", "template": "Reminder"}},
    ],
}  # fmt: skip
MEMORY = {"max_wal_size": "16GB", "min_wal_size": "2GB", "work_mem": "64MB"}


def build(connection: psycopg.Connection[Any], people: int) -> int:
    """Database, fields, templates, pool, scenario, people with subscriptions, captures; tells the scenario's id."""
    clock = VirtualClock(T0)
    ensure_partitions(connection, T0)
    base = create_database(connection, clock, "Customers")
    for name, kind in (
        ("points", "integer"),
        ("orders", "integer"),
        ("spent", "float"),
        ("last_order", "date"),
        ("level", "line"),
    ):
        add_field(connection, clock, base.id, name, name.title(), kind)
    resource = create_resource(connection, clock, "Newsletter", channels=[1, 2])
    save_template(
        connection,
        clock,
        "Welcome letter",
        1,
        TemplateContent(subject="Welcome", html="<p>Hello</p><a href='{{ unsubscribe_url }}'>Leave</a>"),
    )
    save_template(
        connection,
        clock,
        "Gift letter",
        1,
        TemplateContent(subject="A gift", html="<p>{{ promo.code }}</p><a href='{{ unsubscribe_url }}'>Leave</a>"),
    )
    save_template(connection, clock, "Reminder", 2, TemplateContent(text="Please look"))
    pool = create_pool(connection, clock, "Welcome", "WELCOME", lifetime=timedelta(days=14))
    load_codes(connection, pool.id, (f"W{number:09d}" for number in range(people)))
    _people(connection, base.table, resource.id, people)
    scenario = create_scenario(connection, clock, ScenarioDocument.model_validate(WELCOME))
    publish(connection, clock, scenario.id, settings=Settings(), accept_sandbox=True)
    activate(connection, clock, scenario.id)
    return scenario.id


def _people(connection: psycopg.Connection[Any], table: str, resource: int, people: int) -> None:
    connection.execute(
        f"""INSERT INTO {table} (id, lane, created_at, updated_at, email, fname, lname, city, country, tz, phones, bdate, sex)
            SELECT g, g & 63, %s, %s, 'person' || g || '@example' || g %% 50 || '.org', 'First' || g %% 900, 'Last' || g %% 9000, 'City' || g %% 300, 'DE', 'Europe/Berlin',
              ARRAY['+4917' || 10000000 + g], date '1980-01-01' + (g %% 9000)::int, g %% 3 FROM generate_series(1, %s) g""",
        (T0, T0, people),
    )
    connection.execute("SELECT setval('profile_id_seq', %s)", (people,))
    connection.execute(
        f"""INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)
            SELECT id, %s, %s, lane, c, CASE WHEN (id + c) %% 33 = 0 THEN 1 ELSE 0 END, CASE WHEN (id + c) %% 33 = 0 THEN 1 ELSE 0 END,
              CASE c WHEN 1 THEN email ELSE phones[1] END FROM {table}, generate_series(1, 2) c""",
        (T0, resource),
    )
    for name in (table, "subscription", "promo_code"):
        connection.execute(f"VACUUM ANALYZE {name}")


def _knock(connection: psycopg.Connection[Any], scenario_id: int, people: int) -> None:
    connection.execute(
        "INSERT INTO capture (profile_id, at, scenario_id, node_id, lane) SELECT g, %s, %s, 1, g & 63 FROM generate_series(1, %s) g",
        (T0, scenario_id, people),
    )
    connection.execute("VACUUM ANALYZE capture")


def _waiting(connection: psycopg.Connection[Any], count: int) -> None:
    """Others, who rest in a 30-day pause of a hundred other scenarios."""
    connection.execute(
        """INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane)
           SELECT 10000000000 + g, 10000000000 + g, %s, %s::timestamptz + (g %% 2592000) * interval '1 s', 1000 + g %% 100, 1000 + g %% 100, 3, 2, (10000000000 + g) & 63
             FROM generate_series(1, %s) g""",
        (T0, T0 + timedelta(days=2), count),
    )
    connection.execute("VACUUM ANALYZE resting")


def _drive(url: str, moment: datetime, queue: Any) -> None:
    """One engine process: everything that is due at `moment`."""
    with connect(url, "engine") as connection:
        loop = EngineLoop(connection, VirtualClock(moment))
        started, moved = time.perf_counter(), 0
        while step := loop.step():
            moved += step
        queue.put((moved, time.perf_counter() - started))


def _phase(url: str, moment: datetime) -> tuple[int, float]:
    queue: Any = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=_drive, args=(url, moment, queue))
    process.start()
    moved, seconds = queue.get()
    process.join()
    return moved, seconds


def run(people: int, waiting: int) -> dict[str, float]:
    """One run; steps per second and the parts."""
    with throwaway_database(memory=4096, extra=MEMORY) as url, connect(url, "bench") as connection:
        scenario_id = build(connection, people)
        if waiting:
            _waiting(connection, waiting)
        _knock(connection, scenario_id, people)
        connection.execute("CHECKPOINT")
        entered, first = _phase(url, T0)
        connection.execute(
            "UPDATE message SET opened_at = %s WHERE profile_id %% 5 < 2 AND node_id = 2", (T0 + timedelta(hours=2),)
        )
        connection.execute("VACUUM ANALYZE message")
        connection.execute("CHECKPOINT")
        woken, second = _phase(url, T0 + timedelta(days=1))
        row = connection.execute(
            """SELECT sum(n * cardinality(nodes)) FROM (SELECT route_id, n FROM counter UNION ALL SELECT route_id, n FROM counter_hour) c JOIN route USING (route_id)"""
        ).fetchone()
        ended = connection.execute("SELECT count(*) FROM passage_ended").fetchone()
        assert row and ended and ended[0] == entered == people, (entered, woken, ended)
        steps = int(row[0])
        return {
            "steps": steps,
            "seconds": first + second,
            "rate": steps / (first + second),
            "enter_seconds": first,
            "wake_seconds": second,
        }


def measure(people: int = 1_000_000, waiting: int = 1_000_000) -> list[dict[str, Any]]:
    """Both figures."""
    alone = run(people, 0)
    beside = run(people, waiting)
    settings = {"people": people, "engines": 1, "lanes": LANES, "fsync": True}
    return [
        {
            "name": "scenario.passages",
            "value": round(alone["rate"]),
            "unit": "node passages/s",
            "settings": {**settings, **{k: round(v, 1) for k, v in alone.items()}},
        },
        {
            "name": "scenario.beside-waiting",
            "value": round(beside["rate"] / alone["rate"], 3),
            "unit": "ratio",
            "settings": {**settings, "waiting": waiting, "beside": round(beside["rate"])},
        },
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=0)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.people, arguments.waiting)), flush=True)
