"""`sojourn status`: what runs, and what waits."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn import __version__
from sojourn.cli.output import print_json, print_table
from sojourn.kernel import Settings, SystemClock
from sojourn.kernel.database import connect, own_server_url
from sojourn.kernel.errors import Unavailable
from sojourn.kernel.heartbeat import fresh_parts

_WAITING = """
SELECT (SELECT count(*) FROM background_task WHERE state = 'waiting') AS tasks_waiting,
       (SELECT count(*) FROM background_task WHERE state = 'running') AS tasks_running,
       (SELECT count(*) FROM scenario WHERE active) AS scenarios_active,
       (SELECT count(*) FROM capture) AS captures_waiting,
       (SELECT coalesce(sum(cardinality(passage_ids)), 0) FROM dispatch) AS messages_waiting,
       (SELECT coalesce(sum(cardinality(passage_ids)), 0) FROM dispatch_claim) AS messages_in_hand,
       (SELECT coalesce(sum(n), 0) FROM (SELECT n, kind FROM message_counter_hour UNION ALL SELECT n, kind FROM message_counter) c WHERE kind = 3) AS messages_in_doubt,
       (SELECT count(*) FROM node_held) AS nodes_held,
       pg_database_size(current_database()) AS database_bytes
"""


def status(settings: Settings) -> dict[str, Any]:
    """The state of the installation.

    Raises:
        Unavailable: Sojourn does not run on this data folder. psycopg.OperationalError: the database of the settings cannot be reached.
    """
    clock = SystemClock()
    with _reach(settings) as connection:
        with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            waiting = cursor.execute(_WAITING).fetchone() or {}
        parts = fresh_parts(connection, clock)
    return {
        "version": __version__,
        "url": settings.base_url,
        "parts": [
            {"part": part.part, "host": part.host, "pid": part.pid, "started_at": part.started_at, "ready": part.ready}
            for part in parts
        ],
        **{name: int(value) for name, value in waiting.items()},
    }


def _reach(settings: Settings) -> psycopg.Connection[Any]:
    if settings.database_url:
        return connect(settings.database_url, "status")
    try:
        return connect(own_server_url(settings), "status")
    except psycopg.OperationalError:
        raise Unavailable(
            "not_running",
            f"Sojourn does not run on the data folder {settings.data}. `sojourn up` starts it.",
            "SOJOURN_HOME",
        ) from None


def print_status(settings: Settings, *, as_json: bool) -> None:
    """Print the state of the installation."""
    state = status(settings)
    if as_json:
        print_json(state)
        return
    print(f"Sojourn {state['version']} at {state['url']}")
    print_table(
        ("part", "host", "process", "since (UTC)"),
        [(p["part"], p["host"], p["pid"], f"{p['started_at']:%Y-%m-%d %H:%M:%S}") for p in state["parts"]],
    )
    print_table(
        ("", ""),
        [(name.replace("_", " "), f"{state[name]:,}") for name in state if name not in ("version", "url", "parts")],
    )
