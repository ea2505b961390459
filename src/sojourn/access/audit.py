"""The audit journal: who did what, when and from where."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.access.caller import Caller
from sojourn.kernel import Clock


def note(
    connection: psycopg.Connection[Any], clock: Clock, caller: Caller | None, action: str, *, kind: str | None = None, object_id: int | str | None = None,
    address: str | None = None, detail: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write an entry: `action` is a word (`publish`), `kind` and `object_id` say on what (`scenario`, 3)."""
    connection.execute(
        """INSERT INTO audit_entry (at, user_id, token_id, action, object_kind, object_id, address, detail)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            clock.now(),
            caller.user_id if caller else None,
            caller.token_id if caller else None,
            action,
            kind,
            None if object_id is None else str(object_id),
            address,
            Jsonb(detail) if detail is not None else None,
        ),
    )
