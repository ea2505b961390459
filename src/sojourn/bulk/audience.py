"""Whom a bulk update or an export is about: a database, narrowed by a segment, rules, chosen profiles, a range and a limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel import parse_public_id
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.statement import Bindings, quoted
from sojourn.profiles import Database
from sojourn.segments import RuleContext, predicate
from sojourn.segments.counting import timed
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Question, belongs
from sojourn.segments.store import get_segment

Connection = psycopg.Connection[Any]
MOST_CHOSEN = 10_000


class Range(BaseModel):
    """A share of the whole database, even and stable: percent from – to, of the people as the group `group` deals them."""

    model_config = ConfigDict(extra="forbid")

    start: float = Field(0, ge=0, le=100)
    end: float = Field(100, ge=0, le=100)
    group: str = Field("", max_length=100)


class Audience(BaseModel):
    """Everybody of a database whom all of these leave in. `rules` have ids in place of names."""

    model_config = ConfigDict(extra="forbid")

    database_id: int
    segment_id: int | None = None
    rules: dict[str, Any] | None = None
    profiles: list[str] | None = Field(None, max_length=MOST_CHOSEN, description="Ids of chosen profiles.")
    range: Range | None = None
    most: int | None = Field(None, ge=1, description="Not more than so many, drawn evenly.")


@dataclass(frozen=True, slots=True)
class Selection:
    """An audience as SQL: a condition over the profile's row `p`, and an order that draws evenly where a limit cuts."""

    condition: str
    values: dict[str, Any]
    order: str
    most: int | None


def select(connection: Connection, database: Database, audience: Audience, at: datetime) -> Selection:
    """The audience at a moment.

    Raises:
        SojournError: `bad_rules`, `bad_range`. NotFound: `unknown_segment`. Conflict: `other_database`.
    """
    bindings = Bindings()
    moment = bindings.bind(at, "timestamptz")
    context = RuleContext(
        bindings, database, "p.lane", "p.id", None, moment, "p", mode="set", definitions=StoredSegments(connection)
    )
    conditions = []
    if audience.segment_id is not None:
        conditions.append(_segment(connection, database, audience.segment_id, context))
    if audience.rules:
        conditions.append(predicate(audience.rules, context).filter)
    if audience.profiles is not None:
        ids = [parse_public_id(text) for text in audience.profiles]
        lanes = sorted({number & 63 for number in ids})
        conditions.append(
            f"(p.lane = ANY({bindings.bind(lanes, 'smallint[]')}) AND p.id = ANY({bindings.bind(ids, 'bigint[]')}))"
        )
    group = audience.range.group if audience.range else ""
    if audience.range:
        if audience.range.start >= audience.range.end:
            raise SojournError("bad_range", "A range begins before it ends.", "range")
        share = _share(group, bindings)
        low, high = round(audience.range.start * 100), round(audience.range.end * 100)
        conditions.append(f"{share} >= {bindings.bind(low, 'int')} AND {share} < {bindings.bind(high, 'int')}")
    order = f"md5({bindings.bind('limit:' + group, 'text')} || p.id)" if audience.most else "p.id"
    return Selection(" AND ".join(conditions) or "true", bindings.values, order, audience.most)


def count_audience(
    connection: Connection, database: Database, audience: Audience, at: datetime, milliseconds: int
) -> int | None:
    """How many an audience has at a moment; None if counting takes longer than so many milliseconds.

    Raises:
        SojournError: as `select`; `rules_unanswerable`.
    """
    selection = select(connection, database, audience, at)

    def work() -> int:
        row = connection.execute(
            f"SELECT count(*) FROM ({chosen(selection, database, 'p.id')}) x", selection.values
        ).fetchone()
        return int(row[0]) if row else 0

    return timed(connection, milliseconds, work)


def _share(group: str, bindings: Bindings) -> str:
    """SQL: where a profile stands among 10,000 parts; computed from its number, so it never changes."""
    return f"mod(('x' || substr(md5({bindings.bind(group + ':', 'text')} || p.id), 1, 8))::bit(32)::bigint, 10000)"


def _segment(connection: Connection, database: Database, segment_id: int, context: RuleContext) -> str:
    found = get_segment(connection, segment_id)
    if found.database_id != database.id:
        raise Conflict("other_database", f"The segment “{found.name}” is one of another database.", "segment_id")
    question = Question(found.resolved, found.sample, found.most)
    return belongs(context, segment_id, question, has_members=found.kind != "dynamic")


def chosen(selection: Selection, database: Database, columns: str) -> str:
    """SQL: the rows of an audience with some columns of `p`, cut at its limit."""
    cut = f" ORDER BY {selection.order} LIMIT {int(selection.most)}" if selection.most else ""
    return f"SELECT {columns} FROM {quoted(database.table)} p WHERE {selection.condition}{cut}"
