"""How many fit, while somebody edits rules: exact where that is quick, else an estimate over some of the lanes that says so.

A lane is a 64th of all profiles, dealt by their numbers, so a few lanes are a fair sample of everybody.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import psycopg

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Problem, SojournError, Unavailable
from sojourn.profiles import Database
from sojourn.segments.evaluation import Asked, Question, ask, everybody, who_fits
from sojourn.segments.rule import Definitions

Connection = psycopg.Connection[Any]
EXACT_MS = 1_000
_LANE_MS, _ESTIMATE_SECONDS = 4_000, 2.5
_SURE = 1.96
"""Standard deviations of a 95 % interval."""
_FEW_MS, _REACH_MS = 400, 3_000
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Count:
    """How many fit. Not `exact`: an estimate, and in 95 of 100 cases the truth lies from `low` to `high`. `total`: profiles of the database."""

    number: int
    exact: bool
    low: int
    high: int
    total: int
    milliseconds: int


def count(
    connection: Connection, clock: Clock, database: Database, question: Question, definitions: Definitions, *, patient: bool = False
) -> Count:  # fmt: skip
    """Count who fits now; `patient` waits for the exact number.

    Raises:
        SojournError: `rules_unanswerable` if a rule cannot be answered, such as one over an outside table that could not be fetched.
        Unavailable: `count_too_heavy` if not even a lane can be counted in time.
    """
    started = time.monotonic()
    asked = ask(database, question, clock.now(), definitions)
    total = _total(connection, database)

    def done(number: int, low: int, high: int, *, exact: bool) -> Count:
        if question.most is not None:
            number, low, high = min(number, question.most), min(low, question.most), min(high, question.most)
        return Count(number, exact, low, high, max(total, number), round((time.monotonic() - started) * 1000))

    exact = timed(
        connection,
        None if patient else EXACT_MS,
        lambda: _number(connection, everybody(database, asked, "count(*)"), asked),
    )
    if exact is not None:
        return done(exact, exact, exact, exact=True)
    number, low, high = _estimate(connection, database, asked)
    return done(number, low, high, exact=False)


def _estimate(connection: Connection, database: Database, asked: Asked) -> tuple[int, int, int]:
    """From some of the lanes, as many as there is time for."""
    started, found, lanes = time.monotonic(), 0, 0
    for lane in range(LANES):
        one_lane = everybody(database, asked, "count(*)", lane=lane)
        part = timed(connection, _LANE_MS, partial(_number, connection, one_lane, asked))
        if part is None and not lanes:
            raise Unavailable(
                "count_too_heavy",
                "These rules take too long to count while editing; save the segment and calculate it.",
                "rules",
            )
        if part is None:
            break
        found, lanes = found + part, lanes + 1
        if time.monotonic() - started > _ESTIMATE_SECONDS:
            break
    share = lanes / LANES
    number = round(found / share)
    error = _SURE * math.sqrt(max(found, 1) * (1 - share)) / share
    return number, max(found, math.floor(number - error)), math.ceil(number + error)


def _number(connection: Connection, statement: str, asked: Asked) -> int:
    row = connection.execute(statement, asked.values).fetchone()
    return int(row[0]) if row else 0


def _total(connection: Connection, database: Database) -> int:
    """Profiles of a database, as the statistics have it; counted where they have not looked yet."""
    row = connection.execute(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (database.table,)
    ).fetchone()
    if row and row[0] > 10_000:
        return int(row[0])
    counted = connection.execute(f'SELECT count(*) FROM "{database.table}"').fetchone()
    return int(counted[0]) if counted else 0


def timed(connection: Connection, milliseconds: int | None, work: Callable[[], _Result]) -> _Result | None:
    """Do `work` with a limit of time; None if it takes longer.

    Raises:
        SojournError: `rules_unanswerable`. Unavailable: `count_cancelled` if the connection was told to give up.
    """
    started = time.monotonic()
    try:
        with connection.transaction():
            connection.execute("SET LOCAL jit = off")
            if milliseconds is not None:
                connection.execute(f"SET LOCAL statement_timeout = {int(milliseconds)}")
            return work()
    except psycopg.errors.QueryCanceled:
        if milliseconds is None or time.monotonic() - started < milliseconds / 1000:
            raise Unavailable("count_cancelled", "The count was cancelled.") from None
        return None
    except psycopg.Error as error:
        if error.sqlstate == "SJ001":
            raise unanswerable(error) from None
        raise


def unanswerable(error: psycopg.Error) -> SojournError:
    """The reason for which a rule stopped its statement, in words."""
    sentence = (error.diag.message_primary or str(error)).strip()
    return SojournError(
        "rules_unanswerable", sentence, "rules", problems=[Problem("rules_unanswerable", sentence, "rules")]
    )


def sample_people(
    connection: Connection, clock: Clock, database: Database, question: Question, definitions: Definitions, limit: int = 20
) -> list[int] | None:  # fmt: skip
    """Some who fit, in the order of lanes and numbers, the same at each look while nothing changes; None if finding them takes too long.

    Where many fit they are soon found by looking at one profile after the other; where few do, by asking for all of them at once.

    Raises:
        SojournError: `rules_unanswerable`.
    """
    one_by_one = ask(database, question, clock.now(), definitions, "row")
    nested = f"""SELECT x.id FROM generate_series(0, {LANES - 1}) l, LATERAL (
      {everybody(database, one_by_one, "p.id")} AND p.lane = l::smallint ORDER BY p.id LIMIT {int(limit)}) x LIMIT {int(limit)}"""
    all_at_once = ask(database, question, clock.now(), definitions)
    whole = f"{everybody(database, all_at_once, 'p.id')} ORDER BY p.lane, p.id LIMIT {int(limit)}"
    for milliseconds, statement, values in (
        (_FEW_MS, nested, one_by_one.values),
        (EXACT_MS, whole, all_at_once.values),
        (EXACT_MS, nested, one_by_one.values),
    ):
        found = timed(connection, milliseconds, partial(_ids, connection, statement, values))
        if found is not None:
            return found
    return None


def _ids(connection: Connection, statement: str, values: dict[str, Any]) -> list[int]:
    return [row[0] for row in connection.execute(statement, values)]


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people can be written to in a channel; by a resource, or by any where it is None."""

    channel: int
    resource_id: int | None
    people: int


def reach(
    connection: Connection, clock: Clock, database: Database, question: Question, definitions: Definitions
) -> list[Reach] | None:
    """How many of those who fit can be written to, by channel and resource; None if that takes too long.

    Raises:
        SojournError: `rules_unanswerable`.
    """
    asked = ask(database, question, clock.now(), definitions)
    statement = f"""SELECT s.channel, s.resource_id, count(DISTINCT p.id) FROM ({who_fits(database, asked, question, "p.id, p.lane")}) p
      JOIN subscription s ON s.lane = p.lane AND s.profile_id = p.id AND s.preferred AND s.effective = 0
     GROUP BY GROUPING SETS ((s.channel), (s.channel, s.resource_id)) ORDER BY s.channel, s.resource_id NULLS FIRST"""
    return timed(
        connection, _REACH_MS, lambda: [Reach(*row) for row in connection.execute(statement, asked.values).fetchall()]
    )
