"""Who is in a segment: entries and exits, each stored, told to hooks, and put into the work list for segments that ask for this one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import psycopg

from sojourn.events.touching import touch
from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict
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


_HISTORY = "INSERT INTO segment_history (profile_id, at, segment_id, lane, entered, cause, cause_id) SELECT profile_id, %(at)s, %(segment)s, lane, {}, %(cause)s, %(cause_id)s FROM {}"
CHANGE = f"""
WITH gone AS (DELETE FROM segment_member m USING {{leaving}} x WHERE m.lane = x.lane AND m.segment_id = %(segment)s AND m.profile_id = x.profile_id
    RETURNING m.profile_id, m.lane),
come AS (INSERT INTO segment_member (profile_id, entered_at, segment_id, lane) SELECT x.profile_id, %(at)s, %(segment)s, x.lane FROM {{entering}} x
    ON CONFLICT DO NOTHING RETURNING profile_id, lane),
left_history AS ({_HISTORY.format("false", "gone")}),
come_history AS ({_HISTORY.format("true", "come")}),
gone_touched AS ({touch("gone", "member")}),
come_touched AS ({touch("come", "member")})
SELECT coalesce((SELECT array_agg(profile_id) FROM come), '{{{{}}}}'), coalesce((SELECT array_agg(profile_id) FROM gone), '{{{{}}}}')
"""
"""Statement: `entering` and `leaving` are sets of (profile_id, lane), disjoint. Gives who came and who went."""
_GIVEN = "(SELECT p.id AS profile_id, p.lane FROM unnest(%(ids)s::bigint[]) i JOIN {table} p ON p.lane = (i & 63)::smallint AND p.id = i)"
_KNOWN = "(SELECT i AS profile_id, (i & 63)::smallint AS lane FROM unnest(%(ids)s::bigint[]) i)"
_NOBODY = "(SELECT 0::bigint AS profile_id, 0::smallint AS lane WHERE false)"


def apply_change(
    connection: Connection, at: datetime, segment_id: int, entering: str, leaving: str, values: dict[str, Any], *, cause: int, cause_id: int | None
) -> tuple[int, int]:  # fmt: skip
    """Let profiles enter and leave, in the caller's transaction; tells how many came and went."""
    row = connection.execute(
        CHANGE.format(entering=entering, leaving=leaving),
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
    segment = _static(connection, segment_id)
    added = 0
    for start in range(0, len(profile_ids), BATCH):
        given = _GIVEN.format(table=f'"profile_{segment.database_id}"')
        with connection.transaction():
            added += apply_change(
                connection, clock.now(), segment_id, given, _NOBODY, {"ids": sorted(set(profile_ids[start : start + BATCH]))}, cause=cause, cause_id=cause_id
            )[0]  # fmt: skip
    return added


def remove_members(
    connection: Connection, clock: Clock, segment_id: int, profile_ids: Sequence[int], *, cause: int, cause_id: int | None = None
) -> int:  # fmt: skip
    """Take profiles out of a static segment; tells how many were in.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_static`.
    """
    _static(connection, segment_id)
    removed = 0
    for start in range(0, len(profile_ids), BATCH):
        with connection.transaction():
            removed += apply_change(
                connection, clock.now(), segment_id, _NOBODY, _KNOWN, {"ids": sorted(set(profile_ids[start : start + BATCH]))}, cause=cause, cause_id=cause_id
            )[1]  # fmt: skip
    return removed


def members_of_import(
    connection: Connection, at: datetime, database_id: int, add: Sequence[int], remove: Sequence[int], cause: int, cause_id: int | None
) -> None:  # fmt: skip
    """The profiles of an import (`profiles.change_sets`: temp table `imported`) enter and leave static segments, inside its transaction."""
    imported = "(SELECT DISTINCT profile_id, (profile_id & 63)::smallint AS lane FROM imported)"
    for segment_id in add:
        apply_change(connection, at, segment_id, imported, _NOBODY, {}, cause=cause, cause_id=cause_id)
    for segment_id in remove:
        apply_change(connection, at, segment_id, _NOBODY, imported, {}, cause=cause, cause_id=cause_id)


def forget_profile(connection: Connection, clock: Clock, database_id: int, profile_id: int, cause: int) -> None:
    """A profile that is deleted leaves all segments."""
    forget_profiles(connection, clock.now(), [profile_id], cause=cause)


def forget_profiles(connection: Connection, at: datetime, profile_ids: Sequence[int], *, cause: int) -> None:
    """Profiles that are deleted leave all segments."""
    rows = connection.execute(
        "SELECT segment_id, array_agg(profile_id) FROM segment_member WHERE lane = ANY(%s::smallint[]) AND profile_id = ANY(%s::bigint[]) GROUP BY 1",
        (sorted({number & 63 for number in profile_ids}), list(profile_ids)),
    ).fetchall()
    for segment_id, ids in rows:
        apply_change(connection, at, segment_id, _NOBODY, _KNOWN, {"ids": ids}, cause=cause, cause_id=None)


def _static(connection: Connection, segment_id: int) -> Segment:
    segment = get_segment(connection, segment_id)
    if segment.kind != "static":
        raise Conflict("segment_not_static", "Only static segments take members by hand.", "segment")
    return segment
