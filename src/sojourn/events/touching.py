"""The work list of happenings: profiles that something happened to, for those who keep answers up to date (updatable segments).

Every writer adds a part to its statement. Without a listener of the kind the part is a filter that is asked once and reads nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import psycopg

from sojourn.kernel.errors import Unavailable

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


_WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks
 WHERE locktype = 'relation' AND relation = 'touched'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock'
   AND pid <> pg_backend_pid()
"""


def wait_for_writers(
    connection: psycopg.Connection[Any], patience: float = 120.0, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Wait until nobody writes any more who may not know the listeners of this moment; outside a transaction.

    A statement of a writer locks `touched` before it looks at the world, so whoever comes later knows them. Without this wait a change that
    was on its way when a listener came would be neither in the work list nor in what a calculation then reads.

    Raises:
        Unavailable: `writers_busy` after `patience` seconds.
    """
    end = time.monotonic() + patience
    waited_for = {row[0] for row in connection.execute(_WRITERS)}
    while waited_for:
        if time.monotonic() > end:
            raise Unavailable("writers_busy", "A change of profiles has been going on for too long; try again later.")
        meanwhile()
        time.sleep(0.05)
        waited_for &= {row[0] for row in connection.execute(_WRITERS)}


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
