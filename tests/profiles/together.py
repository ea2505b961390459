"""Work on several connections at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from sojourn.kernel.database import connect

Connection = psycopg.Connection[Any]


def together(database_url: str, count: int, work: Callable[[Connection, int], None]) -> None:
    """Run `work` on `count` connections at the same time; an error in one is an error of the test."""
    barrier = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with connect(database_url, "test") as mine:
                barrier.wait()
                work(mine, number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors
