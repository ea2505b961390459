"""How fast a CSV file becomes profiles with all that imports do: checks with rows to refuse, matching, a subscription, triggers; and in what memory.

A scenario that begins with every import is active, so each new person is captured for it in the import's own transaction.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.import_csv import LEVELS, write_people
from bench.throwaway import throwaway_database
from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import Settings, SystemClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.kernel.tasks import create_task
from sojourn.profiles import add_field, create_database, create_resource
from sojourn.profiles.csv_reader import CsvReader
from sojourn.profiles.import_arguments import ImportOptions, ImportSubscription
from sojourn.profiles.run_import import run_import
from sojourn.scenarios import ScenarioDocument, activate, create_scenario, publish

FIGURES = ("import.csv-full",)
_REFUSED_EVERY = 1_000
_SCENARIO: dict[str, Any] = {
    "format": "sojourn/scenario@1", "name": "After an import", "database": "Bench", "reentry": {"mode": "after_exit"},
    "nodes": [{"id": 0, "type": "start", "links": {"next": 2}}, {"id": 1, "type": "start_any_import", "links": {"next": 2}}, {"id": 2, "type": "pause", "settings": {"length": "1d"}}],
}  # fmt: skip


def measure(rows: int = 1_000_000) -> list[dict[str, Any]]:
    """Rows a second, end to end, durable, and the largest memory of the importing process."""
    with throwaway_database() as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.csv"
        write_people(file, rows, refused_every=_REFUSED_EVERY)
        wishes = _prepare(url)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, megabytes, report = pool.apply(_import, (url, file, wishes))
        captures = _captures(url)
    assert report["created"] + report["rejected"] == rows and captures == report["created"], (report, captures)
    settings = {
        "rows": rows,
        "columns": 8,
        "refused": report["rejected"],
        "captured": captures,
        "seconds": round(seconds, 1),
        "memory_mb": megabytes,
    }
    return [{"name": "import.csv-full", "value": round(rows / seconds), "unit": "rows/s", "settings": settings}]


def _prepare(url: str) -> ImportOptions:
    connect_rooms()
    clock = SystemClock()
    with connect(url, "bench") as connection:
        ensure_partitions(connection, clock.now())
        made = create_database(connection, clock, "Bench")
        add_field(connection, clock, made.id, "bonus", "Bonus", "integer")
        add_field(connection, clock, made.id, "level", "Level", "enum", options=LEVELS)
        news = create_resource(connection, clock, "News").id
        scenario = create_scenario(connection, clock, ScenarioDocument.model_validate(_SCENARIO))
        publish(connection, clock, scenario.id, settings=Settings(), accept_sandbox=True)
        activate(connection, clock, scenario.id)
    return ImportOptions(subscriptions=[ImportSubscription(resource_id=news, channel=1)])


def _import(url: str, file: Path, wishes: ImportOptions) -> tuple[float, int, dict[str, Any]]:
    connect_rooms()
    clock = SystemClock()
    with connect(url, "bench") as connection:
        task_id = create_task(connection, clock, "profile_import", "bench", {}, queued=False)
        start = time.perf_counter()
        report = run_import(connection, clock, 1, CsvReader(file), wishes, task_id=task_id, resume=True)
        seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, report


def _captures(url: str) -> int:
    with connect(url, "bench") as connection:
        row = connection.execute("SELECT count(*) FROM capture").fetchone()
    return row[0] if row else 0


if __name__ == "__main__":
    for figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(json.dumps(figure))
