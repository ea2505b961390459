"""`scenario.idle`: a hundred active scenarios with people who wait for tomorrow: what the engine uses of a core while nothing is due.

Counted are the engine's process and its connection's process in the database, over a minute.
"""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.scenario import MEMORY, T0
from bench.throwaway import throwaway_database
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import create_database
from sojourn.scenarios import ScenarioDocument, activate, create_scenario, publish
from sojourn.scenarios.engine_loop import EngineLoop

FIGURES = ("scenario.idle",)
_SCENARIOS, _PEOPLE, _SECONDS = 100, 100_000, 60
_SCENARIO: dict[str, Any] = {
    "format": "sojourn/scenario@1", "name": "Idle", "database": "Customers",
    "nodes": [
        {"id": 0, "type": "start", "links": {"next": 2}}, {"id": 1, "type": "start_any_import", "links": {"next": 2}},
        {"id": 2, "type": "pause", "settings": {"length": "1d"}, "links": {"next": 3}}, {"id": 3, "type": "pause", "settings": {"length": "2d"}},
    ],
}  # fmt: skip


def measure(seconds: int = _SECONDS) -> list[dict[str, Any]]:
    """Percent of a core."""
    with throwaway_database(memory=1024, extra=MEMORY) as url, connect(url, "bench") as connection:
        clock = VirtualClock(T0)
        ensure_partitions(connection, T0)
        base = create_database(connection, clock, "Customers")
        connection.execute(
            f"INSERT INTO {base.table} (id, lane, created_at, updated_at) SELECT g, g & 63, %s, %s FROM generate_series(1, %s) g",
            (T0, T0, _PEOPLE),
        )
        for number in range(_SCENARIOS):
            document = {**copy.deepcopy(_SCENARIO), "name": f"Idle {number}"}
            made = create_scenario(connection, clock, ScenarioDocument.model_validate(document))
            publish(connection, clock, made.id, settings=Settings(), accept_sandbox=True)
            activate(connection, clock, made.id)
            connection.execute(
                "INSERT INTO capture (profile_id, at, scenario_id, node_id, lane) SELECT g, %s, %s, 0, g & 63 FROM generate_series(1, %s) g",
                (T0, made.id, _PEOPLE // 10),
            )
        queue: Any = multiprocessing.get_context("spawn").Queue()
        process = multiprocessing.get_context("spawn").Process(target=_idle, args=(url, seconds, queue))
        process.start()
        engine, database = queue.get()
        process.join()
    settings = {
        "scenarios": _SCENARIOS,
        "waiting": _SCENARIOS * _PEOPLE // 10,
        "seconds": seconds,
        "engine": round(engine, 2),
        "database": round(database, 2),
    }
    return [
        {"name": "scenario.idle", "value": round(engine + database, 2), "unit": "% of a core", "settings": settings}
    ]


def _idle(url: str, seconds: int, queue: Any) -> None:
    with connect(url, "engine") as connection:
        clock = VirtualClock(T0 + timedelta(minutes=1))
        loop = EngineLoop(connection, clock)
        while loop.step():
            pass
        connection.execute("VACUUM ANALYZE resting, capture")
        stop, backend = threading.Event(), connection.info.backend_pid
        begin, before, end = time.process_time(), _cpu(backend), time.monotonic() + seconds
        while time.monotonic() < end:
            loop.step(trusting=True)
            stop.wait(loop.sleep_seconds())
        queue.put(((time.process_time() - begin) / seconds * 100, (_cpu(backend) - before) / seconds * 100))


def _cpu(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for figure in measure():
        print(json.dumps(figure))
