"""Who fits: a segment's share, rules and limit as SQL, for a whole database or for given profiles. Order: share, then rules, then limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sojourn.kernel.statement import Bindings, quoted
from sojourn.profiles import Database
from sojourn.segments.predicate import predicate
from sojourn.segments.rule import Definitions, RuleContext
from sojourn.segments.rules.sample import share_sql
from sojourn.segments.tree import Tree


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a database: all that a segment says, before it is saved or after. `rules` have ids in place of names."""

    rules: Tree | None = None
    sample: Mapping[str, Any] | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as SQL over the profile's row `p`: `condition` for a WHERE, `truth` two-valued; and the values bound in them."""

    condition: str
    truth: str
    values: dict[str, Any]
    order: str
    """SQL: an even and stable order, by which a limit cuts."""


def ask(
    database: Database, question: Question, at: datetime, definitions: Definitions, mode: Literal["row", "set"] = "set"
) -> Asked:
    """Put a question for a moment.

    Raises:
        SojournError: `bad_rules`, `segment_circle`. NotFound: a segment that is referred to is gone.
    """
    bindings = Bindings()
    moment = bindings.bind(at, "timestamptz")
    context = RuleContext(bindings, database, "p.lane", "p.id", None, moment, "p", mode=mode, definitions=definitions)
    conditions, truths = [], []
    if question.sample:
        share = share_sql(
            context, question.sample.get("start", 0), question.sample.get("end", 100), question.sample.get("group", "")
        )
        conditions.append(share)
        truths.append(share)
    if question.rules:
        rules = predicate(question.rules, context)
        conditions.append(rules.filter)
        truths.append(rules.sql)
    order = f"md5({bindings.bind('limit', 'text')} || p.id)"
    return Asked(" AND ".join(conditions) or "true", " AND ".join(truths) or "true", bindings.values, order)


def everybody(database: Database, asked: Asked, columns: str, *, lane: int | None = None) -> str:
    """SQL: columns of the rows `p` that fit, without a limit; of one lane if asked."""
    own = f"p.lane = {int(lane)}::smallint AND " if lane is not None else ""
    return f"SELECT {columns} FROM {quoted(database.table)} p WHERE {own}({asked.condition})"
