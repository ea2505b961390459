"""How long it takes to find one of 5 million profiles by a contact, as the list of profiles does it."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

import psycopg

from bench.throwaway import throwaway_database
from sojourn.kernel import SystemClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import create_database, create_resource, database
from sojourn.web.profile_rows import list_rows

FIGURES = ("search.contact",)
PROFILES = 5_000_000
SEARCHES = 300


def measure(profiles: int = PROFILES) -> list[dict[str, Any]]:
    """The 95th percentile in milliseconds over addresses, phones, and addresses of subscriptions, each asked for once."""
    clock = SystemClock()
    with throwaway_database(memory=1024) as url, connect(url, "bench") as connection:
        ensure_partitions(connection, clock.now())
        made = create_database(connection, clock, "Big")
        create_resource(connection, clock, "News")
        base = database(connection, made.id)
        fill(connection, base.table, profiles)
        chance, taken = random.Random(11), []
        for turn in range(SEARCHES):
            number = chance.randrange(1, profiles + 1)
            wanted = (
                f"user{number}@mail{number % 50}.example.com",
                f"+7{9_000_000_000 + number}",
                f"letters{number}@example.org",
            )[turn % 3]
            started = time.perf_counter()
            found = list_rows(connection, base, search=wanted)
            taken.append((time.perf_counter() - started) * 1000)
            assert [row.id for row in found] == [number], (wanted, found)
    taken.sort()
    settings = {
        "profiles": profiles,
        "searches": SEARCHES,
        "median_ms": round(statistics.median(taken), 2),
        "slowest_ms": round(taken[-1], 2),
    }
    return [
        {
            "name": "search.contact",
            "value": round(taken[int(SEARCHES * 0.95)], 2),
            "unit": "ms (p95)",
            "settings": settings,
        }
    ]


def fill(connection: psycopg.Connection[Any], table: str, profiles: int) -> None:
    """Profiles with an address, a phone and a subscription of another address."""
    each = "FROM generate_series(1, %s) n"
    for statement in (
        f"INSERT INTO {table} (lane, id, created_at, updated_at, email, phones, fname) SELECT n & 63, n, now(), now(),"
        f" 'user' || n || '@mail' || n %% 50 || '.example.com', ARRAY['+7' || 9000000000 + n], 'Name' || n %% 1000 {each}",
        "INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT n, 1, n & 63, k.kind, CASE k.kind WHEN 1 THEN 'user' || n || '@mail' || n %% 50"
        f" || '.example.com' WHEN 2 THEN '+7' || 9000000000 + n ELSE 'letters' || n || '@example.org' END {each}, unnest('{{1,2,3}}'::smallint[]) k(kind)",
    ):
        connection.execute(statement, (profiles,))
    connection.execute("ANALYZE")


if __name__ == "__main__":
    print(measure(100_000))
