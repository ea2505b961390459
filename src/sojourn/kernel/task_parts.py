"""Work in parts: what a task has finished is noted in the transaction of each part, so that a second run passes over it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb


def note_part(connection: psycopg.Connection[Any], task_id: int, part: int, outcome: Any) -> None:
    """Note that a part of a running task is finished, in the transaction of the part."""
    connection.execute(
        "INSERT INTO task_part (task_id, part, outcome) VALUES (%s, %s, %s)", (task_id, part, Jsonb(outcome))
    )


def noted_parts(connection: psycopg.Connection[Any], task_id: int) -> dict[int, Any]:
    """The parts that an earlier run finished, with their outcomes."""
    return dict(connection.execute("SELECT part, outcome FROM task_part WHERE task_id = %s", (task_id,)).fetchall())
