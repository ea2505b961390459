"""Which start nodes of active scenarios listen to what, and the database's own triggers, which are on while somebody listens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel.errors import Unavailable

_TABLES: dict[str, tuple[str, ...]] = {
    "change": ("profile_updated", "subscription_changed"),
    "event": ("event", "wait"),
    "segment_history": ("segment",),
}
"""Tables with a trigger `starts`, and the words of the triggers that it serves."""
HAPPENINGS = frozenset({"profile_updated", "subscription_changed", "event", "segment"})
"""The triggers that scenarios can pull as well."""
_PATIENCE = "5s"


@dataclass(frozen=True)
class Listener:
    """A start node and the word of its trigger.

    `call`, `any_import`, `manual_import`, `api_import`, `file_import`; `profile_updated`, `subscription_changed`, `event`, `segment`, `clock`, `wait`, with what
    they are narrowed to in `settings` (docs/explanation/engine.md).
    """

    node_id: int
    trigger: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def set_listeners(
    connection: psycopg.Connection[Any], scenario_id: int, database_id: int, listeners: Sequence[Listener]
) -> None:
    """Replace the listeners of a scenario; none when it is stopped.

    Raises:
        Unavailable: `writers_busy` if somebody has been writing for too long to switch a trigger of the database.
    """
    with connection.transaction():
        connection.execute("DELETE FROM trigger_subscription WHERE scenario_id = %s", (scenario_id,))
        for listener in listeners:
            connection.execute(
                "INSERT INTO trigger_subscription (scenario_id, node_id, database_id, trigger, settings) VALUES (%s, %s, %s, %s, %s)",
                (scenario_id, listener.node_id, database_id, listener.trigger, Jsonb(dict(listener.settings))),
            )
        _switch(connection)


def _switch(connection: psycopg.Connection[Any]) -> None:
    """Turn the database's triggers on or off; an idle one costs every writer something."""
    words = {row[0] for row in connection.execute("SELECT DISTINCT trigger FROM trigger_subscription")}
    on = dict(
        connection.execute(
            "SELECT tgrelid::regclass::text, tgenabled <> 'D' FROM pg_trigger WHERE tgname = 'starts' AND tgrelid = ANY(%s::regclass[])",
            (list(_TABLES),),
        ).fetchall()
    )
    for table, served in _TABLES.items():
        wanted = not words.isdisjoint(served)
        if wanted == on[table]:
            continue
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (_PATIENCE,))
        try:
            connection.execute(f"ALTER TABLE {table} {'ENABLE' if wanted else 'DISABLE'} TRIGGER starts")
        except psycopg.errors.LockNotAvailable:
            raise Unavailable(
                "writers_busy", "Profiles are being changed for a long time already; try again in a minute."
            ) from None
