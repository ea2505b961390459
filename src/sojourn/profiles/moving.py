"""What merging and splitting share: subscriptions that move from one profile to another, and identities made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel import lane_of
from sojourn.kernel.errors import Conflict
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import identity_values
from sojourn.profiles.statuses import (
    COMPLAINED,
    EMAIL,
    HARDBOUNCED,
    IDENTITY_EMAIL,
    IDENTITY_EMAIL_SUBSCRIPTION,
    IDENTITY_FIELD,
    IDENTITY_OTHER,
    IDENTITY_PHONE,
    IDENTITY_PUSH,
    IDENTITY_SMS_SUBSCRIPTION,
    INVALID,
    PUSH,
    SMS,
    SUBSCRIBED,
    SUSPENDED,
    UNCONFIRMED,
    UNSUBSCRIBED,
)

Connection = psycopg.Connection[Any]
_STRICTEST_FIRST = (COMPLAINED, UNSUBSCRIBED, HARDBOUNCED, INVALID, SUSPENDED, SUBSCRIBED, UNCONFIRMED)


def stricter(one: int, other: int) -> int:
    """Of two statuses of one contact the one that holds: a refusal is never lost, and who confirmed once has confirmed."""
    return min(one, other, key=_STRICTEST_FIRST.index)


_MOVE = """
WITH gone AS (DELETE FROM subscription WHERE lane = %(from_lane)s AND id = %(id)s AND profile_id = %(from)s RETURNING *)
INSERT INTO subscription SELECT (jsonb_populate_record(NULL::subscription, to_jsonb(g) || %(changes)s)).* FROM gone g
"""
# What belongs to a status, its end and whether the subscription was deleted, comes from the one whose status holds.
_JOIN = """
UPDATE subscription s SET status = %(holds)s,
       suspended_until = CASE WHEN s.status = %(holds)s THEN s.suspended_until WHEN m.status = %(holds)s THEN m.suspended_until END,
       deleted_at = CASE WHEN s.status = %(holds)s THEN s.deleted_at WHEN m.status = %(holds)s THEN m.deleted_at END,
       cats = CASE WHEN s.cats IS NULL THEN m.cats WHEN m.cats IS NULL THEN s.cats ELSE ARRAY(SELECT unnest(s.cats) INTERSECT SELECT unnest(m.cats)) END
  FROM jsonb_populate_record(NULL::subscription, %(row)s) m WHERE s.lane = %(lane)s AND s.id = %(id)s
"""
_SAME = """
SELECT id, status FROM subscription WHERE lane = %s AND profile_id = %s AND resource_id = %s AND channel = %s AND contact = %s
"""


def move_subscriptions(
    connection: Connection, from_id: int, to_id: int, ids: Sequence[int] | None = None, at_least: int = UNCONFIRMED
) -> tuple[list[int], dict[str, dict[str, Any]]]:
    """Give subscriptions (all, or those named) of one profile to another; they keep their numbers.

    Where the other has the same contact in the same resource and channel already, the two become one with the stricter status and the
    categories that both wanted. `at_least`: a status that holds for all that move, unless their own is stricter. Tells which moved, and which
    were joined: number → `into`, `before` (the status there), `row`. The caller ranks the contacts of both anew.
    """
    rows = connection.execute(
        "SELECT id, resource_id, channel, contact, status, to_jsonb(s) FROM subscription s WHERE lane = %s AND profile_id = %s"
        " AND (%s::bigint[] IS NULL OR id = ANY(%s)) ORDER BY id",
        (lane_of(from_id), from_id, None if ids is None else list(ids), None if ids is None else list(ids)),
    ).fetchall()
    moved: list[int] = []
    joined: dict[str, dict[str, Any]] = {}
    lane = lane_of(to_id)
    for number, resource_id, channel, contact, status, image in rows:
        status = stricter(status, at_least)
        same = connection.execute(_SAME, (lane, to_id, resource_id, channel, contact)).fetchone()
        if same is None:
            changes = Jsonb({"profile_id": to_id, "lane": lane, "preferred": False, "status": status})
            values = {"from_lane": lane_of(from_id), "id": number, "from": from_id, "changes": changes}
            connection.execute(_MOVE, values)
            moved.append(number)
            continue
        joined[str(number)] = {"into": same[0], "before": same[1], "row": image}
        connection.execute("DELETE FROM subscription WHERE lane = %s AND id = %s", (lane_of(from_id), number))
        connection.execute(
            _JOIN, {"lane": lane, "id": same[0], "row": Jsonb(image), "holds": stricter(status, same[1])}
        )
    return moved, joined


_OF_CHANNEL = f"""CASE channel WHEN {EMAIL} THEN {IDENTITY_EMAIL_SUBSCRIPTION} WHEN {SMS} THEN {IDENTITY_SMS_SUBSCRIPTION} WHEN {PUSH} THEN {IDENTITY_PUSH}
  ELSE {IDENTITY_OTHER} END"""


def reindex(connection: Connection, database: Database, profile_id: int) -> None:
    """Make the identities of a profile anew from its fields and subscriptions.

    Raises:
        Conflict: `email_taken`.
    """
    key = {"database": database.id, "id": profile_id, "lane": lane_of(profile_id)}
    release(connection, database, profile_id)
    table = quoted(database.table)
    try:
        connection.execute(
            f"INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT id, %(database)s, lane, {IDENTITY_EMAIL}, email FROM {table}"
            " WHERE lane = %(lane)s AND id = %(id)s AND email IS NOT NULL",
            key,
        )
    except psycopg.errors.UniqueViolation:
        raise Conflict("email_taken", "Another profile has this e-mail address.", "email") from None
    for known in database.fields.values():
        if known.type != "phones" and not known.matching:
            continue
        kind, prefix = (IDENTITY_PHONE, "") if known.type == "phones" else (IDENTITY_FIELD, f"{known.id}:")
        connection.execute(
            f"INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT DISTINCT p.id, %(database)s, p.lane, {kind}, '{prefix}' || v"
            f" FROM {table} p, LATERAL {identity_values(known, f'p.{quoted(known.column)}')} v WHERE p.lane = %(lane)s AND p.id = %(id)s",
            key,
        )
    connection.execute(
        f"INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT DISTINCT profile_id, %(database)s, lane, {_OF_CHANNEL},"
        f" CASE WHEN channel IN ({EMAIL}, {SMS}, {PUSH}) THEN contact ELSE channel || ':' || contact END FROM subscription"
        " WHERE lane = %(lane)s AND profile_id = %(id)s",
        key,
    )


def release(connection: Connection, database: Database, profile_id: int) -> None:
    """Take away the identities of a profile: nobody finds it by them any more."""
    connection.execute("DELETE FROM identity WHERE profile_id = %s AND kind <> 1", (profile_id,))
    connection.execute(
        f"DELETE FROM identity i USING {quoted(database.table)} p WHERE p.lane = %s AND p.id = %s AND i.database_id = %s AND i.kind = {IDENTITY_EMAIL}"
        f" AND i.kind = 1 AND i.value = p.email AND i.profile_id = p.id",
        (lane_of(profile_id), profile_id, database.id),
    )
