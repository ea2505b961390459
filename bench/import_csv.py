"""How fast a CSV file of new people becomes profiles: reading, checking, matching by e-mail, writing, history; and the same file again."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.throwaway import throwaway_database
from sojourn.kernel import SystemClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import add_field, create_database, create_resource, database
from sojourn.profiles.csv_import import FileOptions, SubscribeAll, import_csv

FIGURES = ("import.csv",)

_CITIES = ("Omsk", "Tomsk", "Perm", "Kazan", "Tver", "Saint Petersburg", "Nizhny Novgorod", "Ufa", "Samara", "Pskov")
LEVELS = ("bronze", "silver", "gold")


def write_people(path: Path, rows: int, *, refused_every: int = 0) -> None:
    """A file of people in random order of their addresses; every so many rows one that has to be refused."""
    chance = random.Random(7)
    numbers = list(range(rows))
    chance.shuffle(numbers)
    with path.open("w") as file:
        file.write("email,first_name,last_name,phone,city,bonus,birthday,level\n")
        for number in numbers:
            at = " at " if refused_every and number % refused_every == 0 else "@"
            file.write(
                f"user{number}{at}mail{number % 50}.example.com,Name{number % 1000},Surname{number % 30000},+7900{number:07d},{_CITIES[number % 10]},{number % 5000},"
                f"{1950 + number % 55}-{number % 12 + 1:02d}-{number % 28 + 1:02d},{LEVELS[number % 3]}\n"
            )


def measure(rows: int = 1_000_000, *, subscribe: bool = False) -> list[dict[str, Any]]:
    """Rows a second, end to end, durable: all new, and the same file again."""
    clock = SystemClock()
    figures = []
    with throwaway_database() as url, tempfile.TemporaryDirectory() as folder, connect(url, "bench") as connection:
        file = Path(folder) / "people.csv"
        write_people(file, rows)
        ensure_partitions(connection, clock.now())
        made = create_database(connection, clock, "Bench")
        add_field(connection, clock, made.id, "bonus", "Bonus", "integer")
        add_field(connection, clock, made.id, "level", "Level", "enum", options=LEVELS)
        wanted = SubscribeAll(create_resource(connection, clock, "News").id) if subscribe else None
        for name in ("import.csv", "import.csv.again"):
            start = time.perf_counter()
            report = import_csv(connection, clock, database(connection, made.id), file, FileOptions(subscribe=wanted))
            seconds = time.perf_counter() - start
            assert report.created + report.unchanged == rows, report
            settings = {
                "rows": rows,
                "columns": 8,
                "subscribe": subscribe,
                "seconds": round(seconds, 1),
                "created": report.created,
            }
            figures.append(
                {
                    "name": name + (".subscribe" if subscribe else ""),
                    "value": round(rows / seconds),
                    "unit": "rows/s",
                    "settings": settings,
                }
            )
    return figures


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for figure in measure(count, subscribe="--subscribe" in sys.argv):
        print(json.dumps(figure))
