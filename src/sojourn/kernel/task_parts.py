"""Work in parts: what a task has finished is noted in the transaction of each part, so that a second run passes over it."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb


def note_part(connection: psycopg.Connection[Any], task_id: int, part: int, outcome: Any) -> None:
    """Note that a part of a running task is finished; last in the transaction of the part, since other parts wait for it."""
    connection.execute(
        """UPDATE background_task SET result = jsonb_build_object('parts', coalesce(result -> 'parts', '{}') || jsonb_build_object(%s::text, %s::jsonb))
            WHERE id = %s""",
        (str(part), Jsonb(outcome), task_id),
    )


def noted_parts(connection: psycopg.Connection[Any], task_id: int) -> dict[int, Any]:
    """The parts that an earlier run finished, with their outcomes."""
    row = connection.execute("SELECT result -> 'parts' FROM background_task WHERE id = %s", (task_id,)).fetchone()
    return {int(part): outcome for part, outcome in (row[0] or {}).items()} if row else {}
