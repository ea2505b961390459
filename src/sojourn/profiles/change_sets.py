"""What an import tells others, inside its transaction: who was new and who changed, to those who start something by it; and whom it was about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import psycopg

from sojourn.kernel.errors import SojournError

Source = Literal["manual", "api", "file", "form", "popup"]
"""The way by which an import came."""

CREATED, UPDATED = 1, 2
_IMPORTED = "CREATE TEMP TABLE IF NOT EXISTS imported (profile_id bigint NOT NULL) ON COMMIT DELETE ROWS"
_TABLE = "CREATE TEMP TABLE IF NOT EXISTS change_set (profile_id bigint NOT NULL, kind smallint NOT NULL) ON COMMIT DELETE ROWS"


class Membership(Protocol):
    """Lets the profiles of the table `imported (profile_id bigint)` enter and leave static segments, in the import's transaction."""

    def __call__(
        self,
        connection: psycopg.Connection[Any],
        at: datetime,
        database_id: int,
        add: Sequence[int],
        remove: Sequence[int],
        cause: int,
        cause_id: int | None,
    ) -> None: ...


class Hook(Protocol):
    """What wants to know of change sets."""

    def wanted(self, connection: psycopg.Connection[Any], database_id: int, source: str) -> bool:
        """Whether a change set of this database and source is of interest at the moment."""
        ...

    def consume(self, connection: psycopg.Connection[Any], at: datetime, database_id: int, source: str) -> None:
        """Read the table `change_set(profile_id bigint, kind smallint)`: kind 1 created, 2 updated; each profile at most once for a kind."""
        ...


_hooks: list[Hook] = []
_membership: list[Membership] = []


def register(hook: Hook) -> None:
    """Let `hook` take part in every import from now on; a second one of the same type takes the place of the first."""
    _hooks[:] = [known for known in _hooks if type(known) is not type(hook)]
    _hooks.append(hook)


def keep_silent(connection: psycopg.Connection[Any]) -> None:
    """Start nothing by what is written in this transaction from now on."""
    connection.execute("SELECT set_config('sojourn.no_triggers', 'on', true)")


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


def register_membership(function: Membership) -> None:
    """Let `function` fill static segments from imports; it takes the place of an earlier one."""
    _membership[:] = [function]


def enter_segments(
    connection: psycopg.Connection[Any],
    at: datetime,
    database_id: int,
    profile_ids: Iterable[int],
    add: Sequence[int],
    remove: Sequence[int],
    cause: int,
    cause_id: int | None,
) -> None:
    """Let profiles of an import enter and leave static segments.

    Raises:
        SojournError: `segments_not_offered`, where no room keeps segments; and what the registered function raises.
    """
    if not (add or remove):
        return
    if not _membership:
        raise SojournError("segments_not_offered", "Segments cannot be filled here.", "add_to_segments")
    connection.execute(f"{_IMPORTED}; DELETE FROM imported")
    connection.execute("INSERT INTO imported SELECT DISTINCT x FROM unnest(%s::bigint[]) x", (list(profile_ids),))
    for function in _membership:
        function(connection, at, database_id, add, remove, cause, cause_id)
