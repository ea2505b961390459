"""Change sets: who was new and who changed in an import, handed to those who start something by it, inside the import's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import psycopg

Source = Literal["manual", "api", "file", "form", "popup"]
"""The way by which an import came."""

CREATED, UPDATED = 1, 2
_TABLE = "CREATE TEMP TABLE IF NOT EXISTS change_set (profile_id bigint NOT NULL, kind smallint NOT NULL) ON COMMIT DELETE ROWS"


class Hook(Protocol):
    """What wants to know of change sets."""

    def wanted(self, connection: psycopg.Connection[Any], database_id: int, source: str) -> bool:
        """Whether a change set of this database and source is of interest at the moment."""
        ...

    def consume(self, connection: psycopg.Connection[Any], at: datetime, database_id: int, source: str) -> None:
        """Read the table `change_set(profile_id bigint, kind smallint)`: kind 1 created, 2 updated; each profile at most once for a kind."""
        ...


_hooks: list[Hook] = []


def register(hook: Hook) -> None:
    """Let `hook` take part in every import from now on; a second one of the same type takes the place of the first."""
    _hooks[:] = [known for known in _hooks if type(known) is not type(hook)]
    _hooks.append(hook)


def interested(connection: psycopg.Connection[Any], database_id: int, source: str) -> list[Hook]:
    """The hooks that want this import's change set; the table stands ready, and empty, if there are any."""
    hooks = [hook for hook in _hooks if hook.wanted(connection, database_id, source)]
    if hooks:
        connection.execute(_TABLE)
        connection.execute("DELETE FROM change_set")
    return hooks


def hand_over(
    connection: psycopg.Connection[Any], hooks: Sequence[Hook], at: datetime, database_id: int, source: str
) -> None:
    """Let the hooks read the change set."""
    for hook in hooks:
        hook.consume(connection, at, database_id, source)
