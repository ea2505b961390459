"""Aliases: the id of a profile that was merged leads to its survivor, and so do links in letters that it got before."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel import LANES, lane_of

Connection = psycopg.Connection[Any]
MOST_MERGED = 100
"""Merged profiles of one survivor whose past is shown with its own."""
_LONGEST_CHAIN = 100


def current_profile(connection: Connection, profile_id: int) -> int:
    """The profile that an id stands for now: itself, or the one it was merged into."""
    row = connection.execute(
        "SELECT survivor_id FROM profile_alias WHERE lane = %s AND profile_id = %s", (lane_of(profile_id), profile_id)
    ).fetchone()
    return int(row[0]) if row else profile_id


def with_merged(connection: Connection, profile_id: int) -> tuple[int, ...]:
    """A profile and those that were merged into it, whose past is its own."""
    rows = connection.execute(
        "SELECT profile_id FROM profile_alias WHERE survivor_id = %s ORDER BY profile_id LIMIT %s",
        (profile_id, MOST_MERGED),
    )
    return (profile_id, *(row[0] for row in rows))


def forget_merged(connection: Connection, profile_id: int) -> None:
    """Forget what was merged into a profile that is deleted: who they were, and what changed with them."""
    connection.execute(
        "WITH gone AS (DELETE FROM profile_alias WHERE survivor_id = %s RETURNING profile_id, lane)"
        " DELETE FROM change c USING gone g WHERE c.lane = g.lane AND c.profile_id = g.profile_id",
        (profile_id,),
    )


_HERE = "SELECT profile_id FROM subscription WHERE lane = %s AND id = %s"
_ELSEWHERE = "SELECT profile_id FROM subscription WHERE lane = ANY(%s::smallint[]) AND id = %s"
_JOINED = (
    "SELECT snapshot -> 'joined' -> %s::text ->> 'into' FROM profile_alias WHERE snapshot -> 'joined' ? %s LIMIT 1"
)


def current_subscription(connection: Connection, lane: int, subscription_id: int) -> tuple[int, int] | None:
    """The profile and the number of a subscription that once stood in a lane; None if it is gone.

    Subscriptions keep their numbers when they move with a merge or a split, unless the survivor had one of the same contact.
    """
    row = connection.execute(_HERE, (lane, subscription_id)).fetchone()
    for _ in range(_LONGEST_CHAIN):
        row = row or connection.execute(_ELSEWHERE, (list(range(LANES)), subscription_id)).fetchone()
        if row is not None:
            return int(row[0]), subscription_id
        joined = connection.execute(_JOINED, (str(subscription_id), str(subscription_id))).fetchone()
        if joined is None:
            return None
        subscription_id = int(joined[0])
    return None
