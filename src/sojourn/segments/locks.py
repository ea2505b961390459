"""What is locked against whom: definitions of segments as a whole, and the members of updatable segments lane by lane."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from sojourn.kernel import LANES

Connection = psycopg.Connection[Any]
_DEFINITIONS, _MEMBERS = 7_310_011, 7_310_012


def lock_definitions(connection: Connection) -> None:
    """Until the end of the transaction nobody else makes, changes or removes segments: so no circle closes unseen."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_DEFINITIONS,))


@contextmanager
def locked_lane(connection: Connection, lane: int) -> Iterator[None]:
    """A transaction in which nobody else changes members of updatable segments in the lane."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_MEMBERS, lane))
        yield


@contextmanager
def locked_lanes(connection: Connection) -> Iterator[None]:
    """The same for all lanes."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, l) FROM generate_series(0, %s) l", (_MEMBERS, LANES - 1))
        yield
