"""Updatable segments: calculated anew lane by lane, and kept up to date in between by the work list of happenings.

Both do the same to a lane under the same lock: ask who fits, and let the difference enter and leave. So what the incremental way keeps
equals what a calculation from nothing would find (tests/segments/test_incremental.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import structlog

from sojourn.events.touching import take_touched, touched_lanes
from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, database
from sojourn.profiles.statuses import CAUSE_SYSTEM
from sojourn.segments.counting import unanswerable
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Asked, Question, ask, everybody
from sojourn.segments.membership import apply_change
from sojourn.segments.store import Segment, get_segment, next_calculation

Connection = psycopg.Connection[Any]
Report = Callable[[int, int], None]
log = structlog.get_logger("segments")
_LOCK = 7_310_012
AT_ONCE = 20_000
"""Profiles of the work list that one transaction takes."""
_AGAIN = "interval '5 minutes'"


@contextmanager
def _lane(connection: Connection, lane: int) -> Iterator[None]:
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK, lane))
        yield


def question_of(segment: Segment) -> Question:
    """What a segment asks."""
    return Question(segment.resolved, segment.sample, segment.most)


def recalculate(connection: Connection, clock: Clock, segment_id: int, report: Report | None = None) -> dict[str, int]:
    """Calculate an updatable segment anew; tells how many came, went and are in. A failure keeps the members as they were, and is stored.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_updatable`. SojournError: the rules cannot be answered.
    """
    segment = get_segment(connection, segment_id)
    if segment.kind != "updatable":
        raise Conflict("segment_not_updatable", "Only updatable segments are calculated.", "segment")
    started = time.monotonic()
    try:
        come, gone = _all_lanes(connection, clock, segment, report)
    except SojournError as error:
        _failed(connection, clock, segment, str(error))
        raise
    except psycopg.Error as error:
        if connection.closed:
            raise
        told = unanswerable(error)
        _failed(connection, clock, segment, told.message)
        raise told from None
    size = _size(connection, segment_id)
    now = clock.now()
    connection.execute(
        "UPDATE segment SET calculated_at = %s, calculation_ms = %s, size = %s, size_exact = true, error = NULL, next_at = %s WHERE id = %s AND revision = %s",
        (
            now,
            round((time.monotonic() - started) * 1000),
            size,
            next_calculation(connection, segment, now),
            segment_id,
            segment.revision,
        ),
    )
    return {"entered": come, "left": gone, "size": size}


def _all_lanes(connection: Connection, clock: Clock, segment: Segment, report: Report | None) -> tuple[int, int]:
    base = database(connection, segment.database_id)
    asked = ask(base, question_of(segment), clock.now(), StoredSegments(connection))
    if segment.most is not None:
        return _limited(connection, clock, segment, base, asked)
    come = gone = 0
    for lane in range(LANES):
        with _lane(connection, lane):
            connection.execute("SET LOCAL jit = off")
            fits = everybody(base, asked, "p.id AS profile_id, p.lane", lane=lane)
            came, went = _difference(connection, clock, segment, fits, f"m.lane = {lane}::smallint", asked.values)
        come, gone = come + came, gone + went
        if report:
            report(lane + 1, LANES)
    return come, gone


def _limited(connection: Connection, clock: Clock, segment: Segment, base: Database, asked: Asked) -> tuple[int, int]:
    """A limit cuts through all lanes at once."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, l) FROM generate_series(0, %s) l", (_LOCK, LANES - 1))
        fits = (
            everybody(base, asked, "p.id AS profile_id, p.lane")
            + f" ORDER BY {asked.order} LIMIT {int(segment.most or 0)}"
        )
        return _difference(connection, clock, segment, fits, "true", asked.values)


def _difference(
    connection: Connection, clock: Clock, segment: Segment, fits: str, own: str, values: dict[str, Any]
) -> tuple[int, int]:
    """Let who fits enter, and who is in without fitting leave."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS segment_fits (profile_id bigint NOT NULL, lane smallint NOT NULL) ON COMMIT DELETE ROWS"
    )
    connection.execute("DELETE FROM segment_fits")
    connection.execute(f"INSERT INTO segment_fits (profile_id, lane) {fits}", values)
    member = (
        "SELECT FROM segment_member m WHERE m.lane = f.lane AND m.segment_id = %(own)s AND m.profile_id = f.profile_id"
    )
    entering = f"(SELECT f.profile_id, f.lane FROM segment_fits f WHERE NOT EXISTS ({member}))"
    leaving = (
        f"(SELECT m.profile_id, m.lane FROM segment_member m WHERE {own} AND m.segment_id = %(own)s"
        " AND NOT EXISTS (SELECT FROM segment_fits f WHERE f.profile_id = m.profile_id))"
    )
    return apply_change(
        connection, clock.now(), segment.id, entering, leaving, {"own": segment.id}, cause=CAUSE_SYSTEM, cause_id=None
    )


def _size(connection: Connection, segment_id: int) -> int:
    row = connection.execute(
        "SELECT sum(n) FROM generate_series(0, 63) l, LATERAL (SELECT count(*) AS n FROM segment_member m WHERE m.lane = l::smallint AND m.segment_id = %s) x",
        (segment_id,),
    ).fetchone()
    return int(row[0] or 0) if row else 0


def _failed(connection: Connection, clock: Clock, segment: Segment, reason: str) -> None:
    """Keep why, and try again in some minutes."""
    connection.execute(
        f"UPDATE segment SET error = %s, next_at = %s + {_AGAIN} WHERE id = %s",
        (reason[:1000], clock.now(), segment.id),
    )
    log.warning("segment not calculated", segment=segment.id, reason=reason)


# ------------------------------------------------------------------------------------------------ incremental

_UPDATABLE = """
SELECT id FROM segment WHERE kind = 'updatable' AND archived_at IS NULL AND calculated_at IS NOT NULL AND most IS NULL ORDER BY id
"""


def catch_up(connection: Connection, clock: Clock, stop: Callable[[], bool] = lambda: False) -> int:
    """Bring updatable segments up to date with everything in the work list; tells how many profiles were looked at.

    Segments with a limit cannot be kept by looking at single profiles: they follow their schedule.
    """
    looked_at = 0
    while not stop():
        lanes = touched_lanes(connection)
        if not lanes:
            break
        segments = [get_segment(connection, row[0]) for row in connection.execute(_UPDATABLE).fetchall()]
        keeping = _Keeping(connection, clock, segments)
        looked_at += sum(keeping.lane(lane) for lane in lanes)
        keeping.note_sizes()
    return looked_at


class _Keeping:
    """One round of the work list."""

    def __init__(self, connection: Connection, clock: Clock, segments: list[Segment]) -> None:
        self._connection, self._clock = connection, clock
        self._definitions = StoredSegments(connection)
        self._bases: dict[int, Database] = {}
        self._asked: list[tuple[Segment, Asked]] = []
        self._grown: dict[int, int] = {}
        now = clock.now()
        for segment in segments:
            try:
                base = self._base(segment.database_id)
                self._asked.append((segment, ask(base, question_of(segment), now, self._definitions, "row")))
            except SojournError as error:
                _failed(connection, clock, segment, str(error))

    def _base(self, database_id: int) -> Database:
        if database_id not in self._bases:
            self._bases[database_id] = database(self._connection, database_id)
        return self._bases[database_id]

    def lane(self, lane: int) -> int:
        """Look at the touched profiles of a lane; tells how many there were."""
        with _lane(self._connection, lane):
            ids = take_touched(self._connection, lane, AT_ONCE)
            for segment, asked in self._asked if ids else ():
                self._segment(lane, ids, segment, asked)
        return len(ids)

    def _segment(self, lane: int, ids: list[int], segment: Segment, asked: Asked) -> None:
        table = quoted(self._base(segment.database_id).table)
        own = f"m.lane = {lane}::smallint AND m.segment_id = %(own)s"
        judged = f"""(SELECT i AS profile_id, {lane}::smallint AS lane, coalesce(j.fits, false) AS fits,
            EXISTS (SELECT FROM segment_member m WHERE {own} AND m.profile_id = i) AS inside
          FROM unnest(%(ids)s::bigint[]) i LEFT JOIN LATERAL (
            SELECT ({asked.truth}) AS fits FROM {table} p WHERE p.lane = {lane}::smallint AND p.id = i LIMIT 1) j ON true OFFSET 0)"""
        values = {**asked.values, "own": segment.id, "ids": ids}
        try:
            with self._connection.transaction():
                come, gone = apply_change(
                    self._connection, self._clock.now(), segment.id, f"(SELECT profile_id, lane FROM {judged} q WHERE fits AND NOT inside)",
                    f"(SELECT profile_id, lane FROM {judged} q WHERE inside AND NOT fits)", values, cause=CAUSE_SYSTEM, cause_id=None,
                )  # fmt: skip
            self._grown[segment.id] = self._grown.get(segment.id, 0) + come - gone
        except psycopg.Error as error:
            if self._connection.closed or isinstance(error, psycopg.errors.TransactionRollback):
                raise
            _failed(self._connection, self._clock, segment, (error.diag.message_primary or str(error)).strip())

    def note_sizes(self) -> None:
        """Let the stored sizes follow."""
        for segment_id, change in self._grown.items():
            if change:
                self._connection.execute("UPDATE segment SET size = size + %s WHERE id = %s", (change, segment_id))
        self._grown.clear()


def due_segments(connection: Connection, clock: Clock, limit: int = 20) -> list[int]:
    """Updatable segments whose calculation is due."""
    rows = connection.execute(
        "SELECT id FROM segment WHERE kind = 'updatable' AND archived_at IS NULL AND next_at <= %s ORDER BY next_at LIMIT %s",
        (clock.now(), limit),
    )
    return [row[0] for row in rows]
