"""The work list of happenings: profiles that something happened to, for those who keep answers up to date (updatable segments).

Every writer adds a part to its statement. Without a listener of the kind the part is a filter that is asked once and reads nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import psycopg

Touch = Literal["profile", "subscription", "event", "passage", "member", "relation"]


def touch(source: str, kind: Touch, profile: str = "profile_id", lane: str = "lane") -> str:
    """SQL builder: puts the profiles of a set into the work list, if anybody listens to the kind."""
    return (
        f"INSERT INTO touched (profile_id, lane) SELECT DISTINCT {profile}, {lane} FROM {source}"
        f" WHERE EXISTS (SELECT FROM touch_listener t WHERE t.kind = '{kind}')"
    )


def touch_profiles(connection: psycopg.Connection[Any], profile_ids: list[int], kind: Touch) -> None:
    """The same for writers that know their profiles by number."""
    if profile_ids:
        connection.execute(
            touch("unnest(%s::bigint[]) x(profile_id)", kind, lane="(profile_id & 63)::smallint"), (profile_ids,)
        )


def listen(connection: psycopg.Connection[Any], kinds: set[str]) -> None:
    """Say which kinds are wanted from now on."""
    connection.execute("DELETE FROM touch_listener WHERE kind <> ALL(%s)", (sorted(kinds),))
    connection.execute(
        "INSERT INTO touch_listener (kind) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", (sorted(kinds),)
    )


def take_touched(connection: psycopg.Connection[Any], lane: int, limit: int) -> list[int]:
    """Take profiles of a lane out of the list, each once; inside the transaction that brings their answers up to date."""
    rows = connection.execute(
        "DELETE FROM touched t USING (SELECT ctid FROM touched WHERE lane = %s LIMIT %s) x WHERE t.ctid = x.ctid RETURNING t.profile_id",
        (lane, limit),
    )
    return sorted({row[0] for row in rows})


def touched_lanes(connection: psycopg.Connection[Any]) -> list[int]:
    """Lanes in which something waits: a probe for each."""
    rows = connection.execute(
        "SELECT l FROM generate_series(0, 63) l WHERE EXISTS (SELECT FROM touched t WHERE t.lane = l::smallint) ORDER BY l"
    )
    return [row[0] for row in rows]
