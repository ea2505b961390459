"""`scenario.wake`: a batch of 10,000 events against a million passages that wait for one of them.

From the call that records the events to the moment when the last of those people has gone on: the events, the inbox, the passes of one engine.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

from bench.scenario import MEMORY, T0
from bench.throwaway import throwaway_database
from sojourn.events import Event, EventKind, append
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import create_database
from sojourn.scenarios import ScenarioDocument, activate, create_scenario, publish
from sojourn.scenarios.engine_loop import EngineLoop

FIGURES = ("scenario.wake",)
_EVENTS = 10_000
_SCENARIO: dict[str, Any] = {
    "format": "sojourn/scenario@1", "name": "Waits", "database": "Customers", "reentry": {"mode": "after_exit"},
    "nodes": [
        {"id": 0, "type": "start", "links": {"next": 1}},
        {"id": 1, "type": "wait_event", "settings": {"events": [{"event": "goal", "goal": "purchase"}], "time_out": "30d"}, "links": {"e1": 2}},
        {"id": 2, "type": "exit"},
    ],
}  # fmt: skip


def measure(people: int = 1_000_000) -> list[dict[str, Any]]:
    """Seconds, the median of three batches."""
    with throwaway_database(memory=4096, extra=MEMORY) as url, connect(url, "bench") as connection:
        clock = VirtualClock(T0)
        ensure_partitions(connection, T0)
        base = create_database(connection, clock, "Customers")
        connection.execute(
            f"INSERT INTO {base.table} (id, lane, created_at, updated_at) SELECT g, g & 63, %s, %s FROM generate_series(1, %s) g",
            (T0, T0, people),
        )
        scenario = create_scenario(connection, clock, ScenarioDocument.model_validate(_SCENARIO))
        publish(connection, clock, scenario.id, settings=Settings(), accept_sandbox=True)
        activate(connection, clock, scenario.id)
        connection.execute(
            "INSERT INTO capture (profile_id, at, scenario_id, node_id, lane) SELECT g, %s, %s, 0, g & 63 FROM generate_series(1, %s) g",
            (T0, scenario.id, people),
        )
        connection.execute(f"VACUUM ANALYZE {base.table}, capture")
        with connect(url, "engine") as own:
            loop = EngineLoop(own, clock)
            while loop.step():
                pass
            connection.execute("VACUUM ANALYZE resting")
            connection.execute("CHECKPOINT")
            batches = [_batch(connection, clock, loop, number, people) for number in range(3)]
        row = connection.execute("SELECT count(*) FROM passage_ended").fetchone()
        assert row and row[0] == 3 * _EVENTS, row
    recorded, moved = sorted(batches, key=sum)[1]
    settings = {"waiting": people, "events": _EVENTS, "recording_s": round(recorded, 3), "engine_s": round(moved, 3)}
    return [{"name": "scenario.wake", "value": round(recorded + moved, 3), "unit": "s", "settings": settings}]


def _batch(connection: Any, clock: VirtualClock, loop: EngineLoop, number: int, people: int) -> tuple[float, float]:
    clock.advance(timedelta(hours=1))
    apart = people // _EVENTS
    events = [
        Event(n * apart + number + 1, EventKind.GOAL, clock.now(), data={"goal": "purchase"}) for n in range(_EVENTS)
    ]
    start = time.perf_counter()
    append(connection, clock, events)
    recorded = time.perf_counter()
    while loop.step():
        pass
    return recorded - start, time.perf_counter() - recorded


if __name__ == "__main__":
    for figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(json.dumps(figure))
