"""Which scenarios work on a database."""

from __future__ import annotations

from typing import Any

import psycopg


def active_scenarios_of(connection: psycopg.Connection[Any], database_id: int) -> list[str]:
    """Names of the active scenarios of a database."""
    rows = connection.execute(
        "SELECT name FROM scenario WHERE database_id = %s AND active ORDER BY name", (database_id,)
    )
    return [row[0] for row in rows]
