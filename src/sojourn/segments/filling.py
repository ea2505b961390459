"""Fills or empties a static segment by rules or by another segment, lane by lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import psycopg

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict
from sojourn.profiles import Database, database
from sojourn.segments.counting import unanswerable
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Asked, Question, ask, everybody, who_fits
from sojourn.segments.membership import NOBODY, apply_change, note_size, static_segment
from sojourn.segments.store import get_segment

Connection = psycopg.Connection[Any]
Action = Literal["add", "remove"]


def question_of_segment(connection: Connection, segment_id: int, database_id: int) -> Question:
    """Who belongs to a segment, as a question to its database.

    Raises:
        NotFound: `unknown_segment`. Conflict: `other_database`.
    """
    segment = get_segment(connection, segment_id)
    if segment.database_id != database_id:
        raise Conflict("other_database", f"The segment “{segment.name}” is one of another database.", "segment")
    if segment.kind == "dynamic":
        return Question(segment.resolved, segment.sample, segment.most)
    return Question({"rule": "segment", "segment": segment_id})


def fill(
    connection: Connection, clock: Clock, segment_id: int, action: Action, question: Question, *, cause: int, cause_id: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> int:  # fmt: skip
    """Let everybody who fits enter or leave; tells how many did. Each lane is a transaction, so what is done stays when it is cancelled.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_not_static`. SojournError: `rules_unanswerable`, with what was done before.
    """
    segment = static_segment(connection, segment_id)
    base = database(connection, segment.database_id)
    asked = ask(base, question, clock.now(), StoredSegments(connection))
    changed = 0
    try:
        for part, total, fits in _parts(base, asked, question):
            entering, leaving = (f"({fits})", NOBODY) if action == "add" else (NOBODY, f"({fits})")
            with connection.transaction():
                come, gone = apply_change(
                    connection, clock.now(), segment_id, entering, leaving, asked.values, cause=cause, cause_id=cause_id
                )
            changed += come + gone
            if report:
                report(part, total)
    except psycopg.Error as error:
        if error.sqlstate == "SJ001":
            raise unanswerable(error) from None
        raise
    finally:
        if not connection.closed:
            note_size(connection, clock, segment_id)
    return changed


def _parts(base: Database, asked: Asked, question: Question) -> list[tuple[int, int, str]]:
    """What is done at once: a lane, or everybody where a limit cuts through all lanes."""
    columns = "p.id AS profile_id, p.lane"
    if question.most is not None:
        return [(1, 1, who_fits(base, asked, question, columns))]
    return [(lane + 1, LANES, everybody(base, asked, columns, lane=lane)) for lane in range(LANES)]
