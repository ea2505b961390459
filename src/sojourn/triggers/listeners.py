"""Which start nodes of active scenarios listen to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True)
class Listener:
    """A start node and the word of its trigger: `call`, `any_import`, `manual_import`, `api_import`, `file_import`."""

    node_id: int
    trigger: str


def set_listeners(
    connection: psycopg.Connection[Any], scenario_id: int, database_id: int, listeners: Sequence[Listener]
) -> None:
    """Replace the listeners of a scenario; none when it is stopped."""
    with connection.transaction():
        connection.execute("DELETE FROM trigger_subscription WHERE scenario_id = %s", (scenario_id,))
        for listener in listeners:
            connection.execute(
                "INSERT INTO trigger_subscription (scenario_id, node_id, database_id, trigger) VALUES (%s, %s, %s, %s)",
                (scenario_id, listener.node_id, database_id, listener.trigger),
            )
