"""Updatable segments calculated anew, lane by lane: who fits enters, who is in without fitting leaves.

In between `segments.incremental` does the same for single profiles, under the same locks of lanes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import structlog

from sojourn.events.touching import wait_for_writers
from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.tasks import TaskCancelled, TaskInterrupted
from sojourn.profiles import Database, database
from sojourn.profiles.statuses import CAUSE_SYSTEM
from sojourn.segments.counting import unanswerable
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Asked, Question, ask, everybody, who_fits
from sojourn.segments.locks import locked_lane, locked_lanes
from sojourn.segments.membership import apply_change, count_members
from sojourn.segments.store import Segment, get_segment, next_calculation

Connection = psycopg.Connection[Any]
Report = Callable[[int, int], None]
log = structlog.get_logger("segments")
_AGAIN = "interval '5 minutes'"


def question_of(segment: Segment) -> Question:
    """What a segment asks."""
    return Question(segment.resolved, segment.sample, segment.most)


def recalculate(connection: Connection, clock: Clock, segment_id: int, report: Report | None = None) -> dict[str, int]:
    """Calculate an updatable segment anew; tells how many came, went and are in. Outside a transaction.

    A failure keeps the members as they were, and is stored; a cancelled calculation keeps what it has done so far.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_updatable`. SojournError: `rules_unanswerable` and what else a rule cannot do.
            Unavailable: `writers_busy`.
    """
    segment = get_segment(connection, segment_id)
    if segment.kind != "updatable":
        raise Conflict("segment_not_updatable", "Only updatable segments are calculated.", "segment")
    started = time.monotonic()
    try:
        wait_for_writers(connection, meanwhile=(lambda: report(0, LANES)) if report else lambda: None)
        come, gone = _calculate(connection, clock, segment, report)
        size = _note_done(connection, clock, segment, started)
    except (TaskCancelled, TaskInterrupted):
        raise
    except SojournError as error:
        note_failure(connection, clock, segment, str(error))
        raise
    except psycopg.Error as error:
        if connection.closed:
            raise
        told = unanswerable(error)
        note_failure(connection, clock, segment, told.message)
        raise told from None
    return {"entered": come, "left": gone, "size": size}


def _calculate(connection: Connection, clock: Clock, segment: Segment, report: Report | None) -> tuple[int, int]:
    base = database(connection, segment.database_id)
    asked = ask(base, question_of(segment), clock.now(), StoredSegments(connection))
    if segment.most is not None:
        return _limited(connection, clock, segment, base, asked)
    come = gone = 0
    for lane in range(LANES):
        with locked_lane(connection, lane):
            at = clock.now()
            fits = everybody(base, asked, "p.id AS profile_id, p.lane", lane=lane)
            came, went = _difference(connection, at, segment, fits, f"m.lane = {lane}::smallint", asked.at(at).values)
        come, gone = come + came, gone + went
        if report:
            report(lane + 1, LANES)
    return come, gone


def _limited(connection: Connection, clock: Clock, segment: Segment, base: Database, asked: Asked) -> tuple[int, int]:
    """A limit cuts through all lanes at once."""
    with locked_lanes(connection):
        at = clock.now()
        fits = who_fits(base, asked, question_of(segment), "p.id AS profile_id, p.lane")
        return _difference(connection, at, segment, fits, "true", asked.at(at).values)


_FITS = "CREATE TEMP TABLE IF NOT EXISTS segment_fits (profile_id bigint NOT NULL, lane smallint NOT NULL) ON COMMIT DELETE ROWS"
_ENTERING = """(SELECT f.profile_id, f.lane FROM segment_fits f
  WHERE NOT EXISTS (SELECT FROM segment_member m WHERE m.lane = f.lane AND m.segment_id = %(own)s AND m.profile_id = f.profile_id))"""
_LEAVING = """(SELECT m.profile_id, m.lane FROM segment_member m
  WHERE {own} AND m.segment_id = %(own)s AND NOT EXISTS (SELECT FROM segment_fits f WHERE f.profile_id = m.profile_id))"""


def _difference(
    connection: Connection, at: datetime, segment: Segment, fits: str, own: str, values: dict[str, Any]
) -> tuple[int, int]:
    """Let who fits enter, and who is in without fitting leave."""
    connection.execute("SET LOCAL jit = off")
    connection.execute(_FITS)
    connection.execute("DELETE FROM segment_fits")
    connection.execute(f"INSERT INTO segment_fits (profile_id, lane) {fits}", values)
    return apply_change(
        connection, at, segment.id, _ENTERING, _LEAVING.format(own=own), {"own": segment.id}, cause=CAUSE_SYSTEM, cause_id=None
    )  # fmt: skip


_DONE = """
UPDATE segment SET calculated_at = %(at)s, calculation_ms = %(ms)s, size = %(size)s, size_exact = true, error = NULL, failed_at = NULL,
  next_at = CASE WHEN revision = %(revision)s THEN %(next)s ELSE next_at END
 WHERE id = %(id)s
"""


def _note_done(connection: Connection, clock: Clock, segment: Segment, started: float) -> int:
    """Count under the locks under which the numbers are kept: so none is added twice or lost. Who changed the rules meanwhile has it due already."""
    with locked_lanes(connection):
        connection.execute("SELECT FROM segment WHERE id = %s FOR NO KEY UPDATE", (segment.id,))
        size = count_members(connection, segment.id)
        now = clock.now()
        connection.execute(
            _DONE,
            {
                "at": now, "ms": round((time.monotonic() - started) * 1000), "size": size, "id": segment.id, "revision": segment.revision,
                "next": next_calculation(connection, segment, now),
            },
        )  # fmt: skip
    return size


def note_failure(connection: Connection, clock: Clock, segment: Segment, reason: str) -> None:
    """Keep why and when, and try again in some minutes."""
    connection.execute(
        f"UPDATE segment SET error = %(reason)s, failed_at = %(at)s, next_at = %(at)s + {_AGAIN} WHERE id = %(id)s",
        {"reason": reason[:1000], "at": clock.now(), "id": segment.id},
    )
    log.warning("segment not calculated", segment=segment.id, reason=reason)


def due_segments(connection: Connection, clock: Clock, limit: int = 20) -> list[int]:
    """Updatable segments whose calculation is due."""
    rows = connection.execute(
        "SELECT id FROM segment WHERE kind = 'updatable' AND archived_at IS NULL AND next_at <= %s ORDER BY next_at LIMIT %s",
        (clock.now(), limit),
    )
    return [row[0] for row in rows]
