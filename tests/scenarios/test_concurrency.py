"""Several engines, an importer, an editor of profiles and a delivery worker at once: nobody is lost, nothing happens twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg

from sojourn.kernel import VirtualClock
from sojourn.kernel.database import connect
from sojourn.scenarios import statistics
from sojourn.scenarios.counters import fold_counters
from sojourn.scenarios.engine_loop import EngineLoop
from tests.scenarios.world import EMAIL, World

PEOPLE, CHUNK, ENGINES, CODES = 5_000, 250, 3, 7_000
NODES: list[dict[str, Any]] = [
    {"id": 0, "type": "start", "links": {"next": 2}},
    {"id": 1, "type": "start_any_import", "links": {"next": 2}},
    {"id": 2, "type": "email", "settings": {"resource": "Newsletter", "template": "Welcome letter"}, "links": {"next": 3, "not_sent": 3}},
    {"id": 3, "type": "pause", "settings": {"length": "10s"}, "links": {"next": 4}},
    {"id": 4, "type": "update_profile", "settings": {"changes": [{"field": "points", "operation": "increase", "value": 100}]}, "links": {"next": 5}},
    {"id": 5, "type": "promo_code", "settings": {"pool": "WELCOME"}, "links": {"next": 6, "none_left": 6}},
    {"id": 6, "type": "condition", "settings": {"rules": {"rule": "field", "field": "points", "operator": "ge", "value": 200}}, "links": {"no": 3}},
]  # fmt: skip


class Crowd:
    """Threads with a connection each, which work until they are told to stop."""

    def __init__(self, url: str) -> None:
        self.url, self.stop, self.failures = url, threading.Event(), list[BaseException]()
        self.threads: list[threading.Thread] = []

    def start(self, work: Callable[[psycopg.Connection[Any]], None]) -> None:
        """Do `work` again and again."""

        def run() -> None:
            try:
                with connect(self.url, "test") as connection:
                    while not self.stop.is_set():
                        work(connection)
            except BaseException as error:
                self.failures.append(error)

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def finish(self) -> None:
        """Stop all; whoever failed makes the test fail."""
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
        assert self.failures == []


def _engine(clock: VirtualClock, batch: int) -> Callable[[psycopg.Connection[Any]], None]:
    loops: list[EngineLoop] = []

    def work(connection: psycopg.Connection[Any]) -> None:
        if not loops:
            loops.append(EngineLoop(connection, clock, batch=batch))
        try:
            if not loops[0].step():
                threading.Event().wait(0.005)
        except psycopg.errors.DeadlockDetected:
            pass  # two engines took codes from each other's lanes: the pass is repeated

    return work


def _worker(clock: VirtualClock) -> Callable[[psycopg.Connection[Any]], None]:
    def work(connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            """WITH taken AS (SELECT lane, passage_id, hop FROM message WHERE state = 0 ORDER BY lane, passage_id, hop LIMIT 500 FOR UPDATE SKIP LOCKED),
                 decided AS (UPDATE message m SET state = CASE WHEN m.profile_id %% 7 = 0 THEN 3 ELSE 2 END FROM taken t
                              WHERE m.lane = t.lane AND m.passage_id = t.passage_id AND m.hop = t.hop RETURNING m.*)
               INSERT INTO answer_inbox (passage_id, profile_id, at, hop, lane) SELECT passage_id, profile_id, %(now)s, hop, lane FROM decided""",
            {"now": clock.now()},
        )
        threading.Event().wait(0.01)

    return work


def _editor(table: str, column: str) -> Callable[[psycopg.Connection[Any]], None]:
    """Changes another field of the same people, locking rows in the agreed order."""
    rounds = iter(range(10**9))

    def work(connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            f"""UPDATE {table} p SET "{column}" = %(text)s FROM (SELECT lane, id FROM {table} WHERE id %% 20 = %(part)s ORDER BY lane, id FOR UPDATE) x
                 WHERE p.lane = x.lane AND p.id = x.id""",
            {"text": f"round {(number := next(rounds))}", "part": number % 20},
        )
        threading.Event().wait(0.02)

    return work


def _import(connection: psycopg.Connection[Any], world: World, scenario: int, first: int) -> None:
    """A chunk of new people; each stands at both doors, and at one of them twice."""
    values = {
        "first": first,
        "last": first + CHUNK - 1,
        "now": world.clock.now(),
        "resource": world.resource.id,
        "scenario": scenario,
    }
    with connection.transaction():
        connection.execute(
            f"INSERT INTO {world.database.table} (id, lane, created_at, updated_at) SELECT g, g & 63, %(now)s, %(now)s FROM generate_series(%(first)s::int, %(last)s::int) g",
            values,
        )
        connection.execute(
            f"""INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)
               SELECT g, %(now)s, %(resource)s, g & 63, {EMAIL}, 0, 0, g || '@example.org' FROM generate_series(%(first)s::int, %(last)s::int) g""",
            values,
        )
        connection.execute(
            """INSERT INTO capture (profile_id, at, scenario_id, node_id, lane)
               SELECT g, %(now)s, %(scenario)s, n, g & 63 FROM generate_series(%(first)s::int, %(last)s::int) g, unnest(ARRAY[0, 1, 1]) n""",
            values,
        )


def test_several_engines_and_an_importer_lose_nobody_and_do_nothing_twice(
    database_url: str, connection: psycopg.Connection[Any], clock: VirtualClock
) -> None:
    world = World(connection, clock, codes=CODES)
    scenario = world.scenario(NODES, mode="never")
    crowd = Crowd(database_url)
    for number in range(ENGINES):
        crowd.start(_engine(clock, batch=(40, 300, 10_000)[number % 3]))
    crowd.start(_worker(clock))
    crowd.start(_editor(world.database.table, world.column("level")))
    chunks = iter(range(1, PEOPLE, CHUNK))

    def importer(own: psycopg.Connection[Any]) -> None:
        if (first := next(chunks, None)) is not None:
            _import(own, world, scenario, first)
        threading.Event().wait(0.05)

    crowd.start(importer)
    for _ in range(600):
        threading.Event().wait(0.1)
        clock.advance(timedelta(seconds=3))
        if crowd.failures or world.all("SELECT count(*) FROM passage_ended") == [(PEOPLE,)]:
            break
    crowd.finish()
    _check(world, scenario)


def _check(world: World, scenario: int) -> None:
    def one(statement: str) -> Any:
        return world.all(statement)[0][0]

    assert one("SELECT count(*) FROM passage_ended") == PEOPLE
    assert one("SELECT count(DISTINCT profile_id) FROM passage_ended") == PEOPLE
    assert [one(f"SELECT count(*) FROM {table}") for table in ("resting", "capture", "answer_inbox", "node_held")] == [
        0,
        0,
        0,
        0,
    ]
    assert one("SELECT count(*) FROM entry_refused") == 2 * PEOPLE
    gaps = """SELECT count(*) FROM (SELECT passage_id FROM step GROUP BY passage_id HAVING min(hop) <> 1 OR max(hop) <> count(*) OR count(DISTINCT hop) <> count(*)) x"""
    assert one(gaps) == 0
    assert one("SELECT count(*) FROM step") == PEOPLE * 10
    points = world.column("points")
    assert world.all(f"SELECT {points}, count(*) FROM {world.database.table} GROUP BY 1") == [(200, PEOPLE)]
    assert one("SELECT count(*) FROM change WHERE kind = 2 AND cause = 6") == 2 * PEOPLE
    assert (one("SELECT count(*) FROM promo_assignment"), one("SELECT count(DISTINCT no) FROM promo_assignment"), one("SELECT max(no) FROM promo_assignment")) == (
        CODES, CODES, CODES - 1,
    )  # fmt: skip
    assert world.all("SELECT output, count(*) FROM step WHERE node_id = 5 GROUP BY 1 ORDER BY 1") == [
        (0, CODES),
        (1, 2 * PEOPLE - CODES),
    ]
    assert one("SELECT count(*) FROM message") == PEOPLE
    assert one("SELECT sum(cardinality(passage_ids)) FROM dispatch") == PEOPLE
    _check_counters(world, scenario)


def _check_counters(world: World, scenario: int) -> None:
    """Counters say what the trail says, folded or not."""
    trail = world.all("SELECT node_id, output, count(*) FROM step GROUP BY 1, 2 ORDER BY 1, 2")
    counted = """SELECT n.node, n.output, sum(c.n) FROM (SELECT route_id, n FROM counter UNION ALL SELECT route_id, n FROM counter_hour) c
                   JOIN route r USING (route_id), unnest(r.nodes, r.outputs) n(node, output) GROUP BY 1, 2 ORDER BY 1, 2"""
    assert world.all(counted) == trail
    fold_counters(world.connection)
    assert world.all(counted) == trail
    totals = statistics(world.connection, scenario).totals
    assert (totals.entered, totals.inside, totals.completed) == (PEOPLE, 0, PEOPLE)
