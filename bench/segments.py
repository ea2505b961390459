"""How long a segment of 5 million profiles and 20 million events takes to count, and how long 10,000 changed profiles take to be followed."""

from __future__ import annotations

import statistics
import time
from typing import Any

import psycopg

from bench.throwaway import throwaway_database
from sojourn.cli.wiring import connect_rooms
from sojourn.events import touch_profiles
from sojourn.kernel import SystemClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import add_field, create_database, database
from sojourn.scenarios import Catalogue
from sojourn.segments.counting import count
from sojourn.segments.evaluation import Question
from sojourn.segments.incremental import catch_up
from sojourn.segments.recalculating import recalculate
from sojourn.segments.store import create_segment, parse_draft
from sojourn.templates import TemplateContent, save_template

FIGURES = ("segment.count", "segment.incremental")
PROFILES, MAILINGS = 5_000_000, 100
SENT, OPENED, CLICKED = 120_000, 55_000, 25_000
CHANGED = 10_000
RULES: dict[str, Any] = {
    "all": [
        {"rule": "field", "field": "_city", "operator": "in", "value": [f"City{n}" for n in range(1, 11)]},
        {"rule": "field", "field": "points", "operator": "ge", "value": 100},
        {"rule": "field", "field": "_sex", "operator": "eq", "value": "female"},
        {"rule": "activity", "event": "opened", "templates": [96, 97, 98, 99, 100]},
        {"rule": "activity", "event": "clicked", "happened": "never", "within_days": 30},
    ]
}


def measure(profiles: int = PROFILES, mailings: int = MAILINGS) -> list[dict[str, Any]]:
    """Both figures, in seconds, warm: the median of five."""
    connect_rooms()
    clock = SystemClock()
    with throwaway_database(memory=2048) as url, connect(url, "bench") as connection:
        ensure_partitions(connection, clock.now())
        made = create_database(connection, clock, "Big")
        add_field(connection, clock, made.id, "points", "Points", "integer")
        base = database(connection, made.id)
        for number in range(1, mailings + 1):
            save_template(connection, clock, f"Mailing {number}", 2, TemplateContent(text="News"))
        fill(connection, base.table, base.field("points").column, profiles, mailings)
        catalogue = Catalogue(connection)
        counts = []
        for _ in range(6):
            started = time.perf_counter()
            found = count(connection, clock, base, Question(RULES), catalogue)
            counts.append(time.perf_counter() - started)
        assert found.exact, "the count took too long to be exact"
        segment = create_segment(
            connection, clock, base.id, "updatable", parse_draft({"name": "Kept", "rules": RULES}), catalogue
        )
        started = time.perf_counter()
        whole = recalculate(connection, clock, segment.id)
        rebuilt = time.perf_counter() - started
        follows = [_follow(connection, clock, base.table, profiles, turn) for turn in range(5)]
        events = connection.execute("SELECT count(*) FROM event").fetchone()
    settings = {"profiles": profiles, "events": events[0] if events else 0}
    return [
        {"name": "segment.count", "value": round(statistics.median(counts[1:]), 3), "unit": "s", "settings": {**settings, "found": found.number, "cold": round(counts[0], 3)}},
        {"name": "segment.incremental", "value": round(statistics.median(follows), 3), "unit": "s",
         "settings": {**settings, "changed": CHANGED, "segment": whole["size"], "full_calculation_s": round(rebuilt, 2)}},
    ]  # fmt: skip


def _follow(connection: psycopg.Connection[Any], clock: SystemClock, table: str, profiles: int, turn: int) -> float:
    """Change profiles, then bring the segment up to date."""
    step = profiles // CHANGED
    ids = [row[0] for row in connection.execute(
        f"UPDATE {table} SET city = %s, updated_at = now() WHERE (lane, id) IN (SELECT (g & 63)::smallint, g FROM generate_series(%s::bigint, %s, %s) g) RETURNING id",
        (f"City{1 + turn}", 1 + turn, profiles, step),
    )]  # fmt: skip
    touch_profiles(connection, ids, "profile")
    started = time.perf_counter()
    looked_at = catch_up(connection, clock)
    assert looked_at == len(ids)
    return time.perf_counter() - started


def fill(connection: psycopg.Connection[Any], table: str, points: str, profiles: int, mailings: int) -> None:
    """People of 200 cities; each mailing is sent to 120,000 of them on a day of its own, opened by 55,000 and clicked by 25,000 others of these."""
    connection.execute("SET synchronous_commit = off")
    connection.execute(
        f"""INSERT INTO {table} (id, lane, created_at, updated_at, email, fname, city, sex, {points})
            SELECT g, g & 63, now(), now(), 'p' || g || '@example.com', 'Name' || (g % 1000), 'City' || (g % 200), (g / 200) % 2, (g::bigint * 31) % 1000
              FROM generate_series(1, {profiles}) g ORDER BY g & 63, g"""
    )
    connection.execute(f"VACUUM ANALYZE {table}")
    for number in range(mailings):
        connection.execute(
            """INSERT INTO event (profile_id, lane, kind, occurred_at, recorded_at, template_id, channel)
               SELECT p, p & 63, kind, at, at, %(m)s + 1, 1 FROM (
                 SELECT 1 + (g::bigint * 104729 + %(m)s::bigint * 7919) %% %(profiles)s AS p, kind, now() - (%(n)s - %(m)s) * interval '1 day' + g * interval '10 ms' AS at
                   FROM (SELECT g, 1 AS kind FROM generate_series(1, %(sent)s) g UNION ALL SELECT g, 3 FROM generate_series(1, %(opened)s) g
                         UNION ALL SELECT g, 4 FROM generate_series(%(sent)s - %(clicked)s, %(sent)s) g) x) y ORDER BY at""",
            {"m": number, "n": mailings, "profiles": profiles, "sent": SENT, "opened": OPENED, "clicked": CLICKED},
        )  # fmt: skip
    connection.execute("VACUUM ANALYZE event")
