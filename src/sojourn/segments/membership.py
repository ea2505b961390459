"""Who is in a segment: entries and exits, each stored, told to hooks, and put into the work list for segments that ask for this one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import psycopg

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict
from sojourn.kernel.statement import quoted
from sojourn.profiles.table import table_name
from sojourn.segments import sql
from sojourn.segments.locks import locked_lane
from sojourn.segments.store import Segment, get_segment

Connection = psycopg.Connection[Any]
BATCH = 20_000


class Hook(Protocol):
    """What wants to know of entries and exits, inside their transaction."""

    def __call__(
        self, connection: Connection, at: datetime, segment_id: int, entered: Sequence[int], left: Sequence[int]
    ) -> None: ...


_hooks: list[Hook] = []


def register(hook: Hook) -> None:
    """Tell `hook` of every entry and exit from now on."""
    if hook not in _hooks:
        _hooks.append(hook)


_VALUES = {
    "segment": "%(segment)s::int", "at": "%(at)s::timestamptz", "cause": "%(cause)s::smallint", "cause_id": "%(cause_id)s::bigint", "lane": "x.lane"
}  # fmt: skip
_PARTS = (*sql.remove("gone", "{leaving}", **_VALUES), *sql.add("come", "{entering}", **_VALUES))
_CHANGE = (
    "WITH {first}"
    + ",\n".join(f"{name} AS ({body})" for name, body in _PARTS)
    + """
SELECT coalesce((SELECT array_agg(profile_id) FROM come), '{{}}'), coalesce((SELECT array_agg(profile_id) FROM gone), '{{}}')
"""
)
NOBODY = "(SELECT 0::bigint AS profile_id, 0::smallint AS lane WHERE false)"
_GIVEN = "(SELECT p.id AS profile_id, p.lane FROM unnest(%(ids)s::bigint[]) i JOIN {table} p ON p.lane = (i & 63)::smallint AND p.id = i)"
_KNOWN = "(SELECT i AS profile_id, (i & 63)::smallint AS lane FROM unnest(%(ids)s::bigint[]) i)"


def apply_change(
    connection: Connection, at: datetime, segment_id: int, entering: str, leaving: str, values: dict[str, Any], *, cause: int, cause_id: int | None,
    first: str = "",
) -> tuple[int, int]:  # fmt: skip
    """Let profiles enter and leave, in the caller's transaction; tells how many came and went.

    `entering`, `leaving`: SQL, disjoint sets of (profile_id, lane); `first`: parts that both may name, each with a comma behind it.
    """
    row = connection.execute(
        _CHANGE.format(entering=entering, leaving=leaving, first=first),
        {**values, "at": at, "segment": segment_id, "cause": cause, "cause_id": cause_id},
    ).fetchone()
    assert row
    come, gone = row
    if come or gone:
        for hook in _hooks:
            hook(connection, at, segment_id, come, gone)
    return len(come), len(gone)


def add_members(
    connection: Connection, clock: Clock, segment_id: int, profile_ids: Sequence[int], *, cause: int, cause_id: int | None = None
) -> int:  # fmt: skip
    """Add profiles to a static segment; who is in stays, who belongs to another database is left out. Tells how many are new.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_static`.
    """
    segment = static_segment(connection, segment_id)
    given = _GIVEN.format(table=quoted(table_name(segment.database_id)))
    added = 0
    for start in range(0, len(profile_ids), BATCH):
        ids = sorted(set(profile_ids[start : start + BATCH]))
        with connection.transaction():
            added += apply_change(
                connection, clock.now(), segment_id, given, NOBODY, {"ids": ids}, cause=cause, cause_id=cause_id
            )[0]
    return added


def remove_members(
    connection: Connection, clock: Clock, segment_id: int, profile_ids: Sequence[int], *, cause: int, cause_id: int | None = None
) -> int:  # fmt: skip
    """Take profiles out of a static segment; tells how many were in.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_static`.
    """
    static_segment(connection, segment_id)
    removed = 0
    for start in range(0, len(profile_ids), BATCH):
        ids = sorted(set(profile_ids[start : start + BATCH]))
        with connection.transaction():
            removed += apply_change(
                connection, clock.now(), segment_id, NOBODY, _KNOWN, {"ids": ids}, cause=cause, cause_id=cause_id
            )[1]
    return removed


def members_of_import(
    connection: Connection, at: datetime, database_id: int, add: Sequence[int], remove: Sequence[int], cause: int, cause_id: int | None
) -> None:  # fmt: skip
    """The profiles of an import (`profiles.change_sets`: temp table `imported`) enter and leave static segments, inside its transaction.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_static`, `other_database`.
    """
    imported = "(SELECT DISTINCT profile_id, (profile_id & 63)::smallint AS lane FROM imported)"
    for segment_id, entering, leaving in (
        *((number, imported, NOBODY) for number in add),
        *((number, NOBODY, imported) for number in remove),
    ):
        if static_segment(connection, segment_id).database_id != database_id:
            raise Conflict("other_database", f"The segment {segment_id} is one of another database.", "segment")
        apply_change(connection, at, segment_id, entering, leaving, {}, cause=cause, cause_id=cause_id)


def forget_profile(connection: Connection, clock: Clock, database_id: int, profile_id: int, cause: int) -> None:
    """A profile that is deleted leaves all segments."""
    forget_profiles(connection, clock.now(), [profile_id], cause=cause)


def forget_profiles(connection: Connection, at: datetime, profile_ids: Sequence[int], *, cause: int) -> None:
    """Profiles that are deleted leave all segments."""
    for segment_id, ids in _memberships(connection, profile_ids).items():
        _, gone = apply_change(connection, at, segment_id, NOBODY, _KNOWN, {"ids": ids}, cause=cause, cause_id=None)
        _note_gone(connection, segment_id, gone)


class MembershipsFollow:
    """A profile that is merged leaves all segments, and the survivor takes its place in static ones (`profiles.merging.Follower`)."""

    name = "segments"

    def leave(self, connection: Connection, clock: Clock, database_id: int, merged_id: int, cause: int) -> None:
        """Nothing has to end."""

    def move(self, connection: Connection, clock: Clock, merged_id: int, survivor_id: int, cause: int) -> Any:
        static = {row[0] for row in connection.execute("SELECT id FROM segment WHERE kind = 'static'")}
        entered = []
        left = []
        for segment_id, ids in _memberships(connection, [merged_id]).items():
            entering = _one(survivor_id) if segment_id in static else NOBODY
            come, gone = apply_change(
                connection, clock.now(), segment_id, entering, _KNOWN, {"ids": ids}, cause=cause, cause_id=None
            )
            _note_gone(connection, segment_id, gone)
            if segment_id in static:
                left.append(segment_id)
                entered += [segment_id] * come
        return {"left": left, "entered": entered}

    def undo(
        self, connection: Connection, clock: Clock, merged_id: int, survivor_id: int, saved: Any, cause: int
    ) -> None:
        static = {row[0] for row in connection.execute("SELECT id FROM segment WHERE kind = 'static'")}
        for segment_id in (saved or {}).get("left", []):
            if segment_id in static:
                entered = segment_id in saved["entered"]
                apply_change(
                    connection, clock.now(), segment_id, _one(merged_id), _KNOWN if entered else NOBODY, {"ids": [survivor_id]}, cause=cause,
                    cause_id=None,
                )  # fmt: skip


def _one(profile_id: int) -> str:
    return f"(SELECT {int(profile_id)}::bigint AS profile_id, {int(profile_id) & 63}::smallint AS lane)"


def _note_gone(connection: Connection, segment_id: int, gone: int) -> None:
    """Static segments are counted by and by (`note_changed_sizes`)."""
    connection.execute(
        "UPDATE segment SET size = size - %s WHERE id = %s AND kind = 'updatable' AND size IS NOT NULL",
        (gone, segment_id),
    )


def _memberships(connection: Connection, profile_ids: Sequence[int]) -> dict[int, list[int]]:
    rows = connection.execute(
        "SELECT segment_id, array_agg(profile_id) FROM segment_member WHERE lane = ANY(%s::smallint[]) AND profile_id = ANY(%s::bigint[]) GROUP BY 1 ORDER BY 1",
        (sorted({number & 63 for number in profile_ids}), list(profile_ids)),
    )
    return dict(rows.fetchall())


def static_segment(connection: Connection, segment_id: int) -> Segment:
    """A segment that takes members by hand.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_static`.
    """
    segment = get_segment(connection, segment_id)
    if segment.kind != "static":
        raise Conflict("segment_not_static", "Only static segments take members by hand.", "segment")
    return segment


# ------------------------------------------------------------------------------------------------ how many

_COUNT = """
SELECT sum(n) FROM generate_series(0, 63) l, LATERAL (SELECT count(*) AS n FROM segment_member m WHERE m.lane = l::smallint AND m.segment_id = %s) x
"""


def count_members(connection: Connection, segment_id: int) -> int:
    """How many are in a static or updatable segment: its range of the key is read in each lane."""
    row = connection.execute(_COUNT, (segment_id,)).fetchone()
    return int(row[0] or 0) if row else 0


def note_size(connection: Connection, clock: Clock, segment_id: int) -> int:
    """Count a static segment and keep the number for lists."""
    at, started = clock.now(), time.monotonic()
    size = count_members(connection, segment_id)
    connection.execute(
        "UPDATE segment SET size = %s, size_exact = true, calculated_at = %s, calculation_ms = %s WHERE id = %s AND kind = 'static'",
        (size, at, round((time.monotonic() - started) * 1000), segment_id),
    )
    return size


# Entries and exits carry the moment of their transaction's begin, so one that ends late may lie before the last count.
_CHANGED = """
SELECT s.id FROM segment s WHERE s.kind = 'static' AND s.archived_at IS NULL AND (s.calculated_at IS NULL OR s.calculated_at < %(now)s - make_interval(secs => 5 + s.calculation_ms / 50.0))
   AND (s.calculated_at IS NULL OR EXISTS (SELECT FROM generate_series(0, 1) e, LATERAL (
          SELECT FROM segment_history h WHERE h.segment_id = s.id AND h.entered = (e = 1) AND h.at > s.calculated_at - interval '10 minutes' LIMIT 1) x))
 ORDER BY s.calculated_at NULLS FIRST LIMIT 20
"""


def note_changed_sizes(connection: Connection, clock: Clock) -> int:
    """Count the static segments that imports, scenarios and others have filled since the last time; tells how many."""
    found = [row[0] for row in connection.execute(_CHANGED, {"now": clock.now()})]
    for segment_id in found:
        note_size(connection, clock, segment_id)
    return len(found)


def forget_archived(connection: Connection) -> int:
    """Remove the members of archived segments, lane by lane; tells how many segments it concerned."""
    found = [
        row[0]
        for row in connection.execute("SELECT id FROM segment WHERE archived_at IS NOT NULL AND size IS NOT NULL")
    ]
    for segment_id in found:
        for lane in range(LANES):
            with locked_lane(connection, lane):
                connection.execute(
                    "DELETE FROM segment_member WHERE lane = %s::smallint AND segment_id = %s", (lane, segment_id)
                )
        connection.execute("UPDATE segment SET size = NULL WHERE id = %s", (segment_id,))
    return len(found)
