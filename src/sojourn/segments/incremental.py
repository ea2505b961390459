"""Updatable segments kept up to date by the work list of happenings: whoever something happened to is looked at again, nobody else.

What this keeps equals what a calculation from nothing would find (tests/segments/test_incremental.py).
"""

from __future__ import annotations

import time
from typing import Any

import psycopg

from sojourn.events.touching import take_touched, touched_lanes
from sojourn.kernel import Clock
from sojourn.kernel.errors import SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, database
from sojourn.profiles.statuses import CAUSE_SYSTEM
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Asked, ask
from sojourn.segments.locks import locked_lane
from sojourn.segments.membership import apply_change
from sojourn.segments.recalculating import note_failure, question_of
from sojourn.segments.store import Segment, get_segment

Connection = psycopg.Connection[Any]
AT_ONCE = 20_000
"""Profiles of the work list that one transaction takes."""

# Segments with a limit cannot be kept by looking at single profiles: they are calculated as a whole.
_KEPT = "SELECT id FROM segment WHERE kind = 'updatable' AND archived_at IS NULL AND most IS NULL ORDER BY id"
_STATE = "SELECT count(*), sum(revision), max(id) FROM segment WHERE archived_at IS NULL"


def catch_up(connection: Connection, clock: Clock, seconds: float | None = None) -> int:
    """Bring updatable segments up to date with the work list; tells how many profiles were looked at.

    Who enters or leaves may matter to segments that ask for this one, so it goes on until the list is empty, or until `seconds` have passed.
    """
    end = time.monotonic() + seconds if seconds is not None else None
    keeping = _Keeping(connection, clock)
    looked_at = 0
    while lanes := touched_lanes(connection):
        for lane in lanes:
            looked_at += keeping.lane(lane)
            if end is not None and time.monotonic() > end:
                return looked_at
    return looked_at


class _Keeping:
    """The segments that are kept, and their questions, for as long as nobody changes segments."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        self._state: tuple[Any, ...] | None = None
        self._kept: list[tuple[Segment, Database, Asked]] = []

    def lane(self, lane: int) -> int:
        """Look at the touched profiles of a lane; tells how many there were."""
        with locked_lane(self._connection, lane):
            ids = take_touched(self._connection, lane, AT_ONCE)
            if ids:
                # After the lock and the taking: a segment that is calculated for the first time has read this lane before, or will read it.
                self._refresh()
            for segment, base, asked in self._kept if ids else ():
                self._look(lane, ids, segment, base, asked)
        return len(ids)

    def _refresh(self) -> None:
        state = self._connection.execute(_STATE).fetchone()
        if state == self._state:
            return
        self._state = state
        definitions = StoredSegments(self._connection)
        now = self._clock.now()
        bases: dict[int, Database] = {}
        self._kept = []
        for (segment_id,) in self._connection.execute(_KEPT).fetchall():
            segment = get_segment(self._connection, segment_id)
            try:
                base = bases.setdefault(segment.database_id, database(self._connection, segment.database_id))
                self._kept.append((segment, base, ask(base, question_of(segment), now, definitions, "row")))
            except SojournError as error:
                note_failure(self._connection, self._clock, segment, str(error))

    def _look(self, lane: int, ids: list[int], segment: Segment, base: Database, asked: Asked) -> None:
        at = self._clock.now()  # after the taking: whatever put a profile into the list has happened by now
        judged = _JUDGED.format(lane=lane, table=quoted(base.table), truth=asked.truth)
        values = {**asked.at(at).values, "own": segment.id, "ids": ids}
        try:
            with self._connection.transaction():
                come, gone = apply_change(
                    self._connection, at, segment.id, _ENTERING, _LEAVING, values, cause=CAUSE_SYSTEM, cause_id=None, first=judged
                )  # fmt: skip
                if come != gone:
                    self._connection.execute(
                        "UPDATE segment SET size = size + %s WHERE id = %s", (come - gone, segment.id)
                    )
        except psycopg.Error as error:
            if self._connection.closed or isinstance(error, psycopg.errors.TransactionRollback):
                raise
            note_failure(self._connection, self._clock, segment, (error.diag.message_primary or str(error)).strip())


# Each profile is a probe of its row and of what the rules ask; who is gone does not fit.
_JUDGED = """judged AS MATERIALIZED (
  SELECT i AS profile_id, {lane}::smallint AS lane, coalesce(j.fits, false) AS fits,
    EXISTS (SELECT FROM segment_member m WHERE m.lane = {lane}::smallint AND m.segment_id = %(own)s AND m.profile_id = i) AS inside
  FROM unnest(%(ids)s::bigint[]) i
  LEFT JOIN LATERAL (SELECT ({truth}) AS fits FROM {table} p WHERE p.lane = {lane}::smallint AND p.id = i LIMIT 1) j ON true),
"""
_ENTERING = "(SELECT profile_id, lane FROM judged WHERE fits AND NOT inside)"
_LEAVING = "(SELECT profile_id, lane FROM judged WHERE inside AND NOT fits)"
