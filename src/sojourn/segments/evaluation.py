"""Who fits: a segment's share, rules and limit as SQL, for a whole database or for given profiles. Order: share, then rules, then limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sojourn.kernel.statement import Bindings, quoted
from sojourn.profiles import Database
from sojourn.segments.predicate import predicate
from sojourn.segments.rule import Definitions, RuleContext
from sojourn.segments.rules.sample import share_sql
from sojourn.segments.tree import Tree

_MOMENT = "moment"
EVEN_ORDER = "md5('limit' || p.id)"


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

    def at(self, moment: datetime) -> Asked:
        """The same question for another moment."""
        return replace(self, values={**self.values, _MOMENT: moment})


def ask(
    database: Database, question: Question, at: datetime, definitions: Definitions, mode: Literal["row", "set"] = "set"
) -> Asked:
    """Put a question for a moment.

    Raises:
        SojournError: `bad_rules`, `segment_circle`. NotFound: a segment that is referred to is gone.
    """
    bindings = Bindings()
    moment = f"%({_MOMENT})s::timestamptz"
    context = RuleContext(bindings, database, "p.lane", "p.id", None, moment, "p", mode=mode, definitions=definitions)
    conditions, truths = [], []
    if question.sample:
        share = _share(context, question.sample)
        conditions.append(share)
        truths.append(share)
    if question.rules:
        rules = predicate(question.rules, context)
        conditions.append(rules.filter)
        truths.append(rules.sql)
    values = {**bindings.values, _MOMENT: at}
    return Asked(" AND ".join(conditions) or "true", " AND ".join(truths) or "true", values, EVEN_ORDER)


def everybody(database: Database, asked: Asked, columns: str, *, lane: int | None = None) -> str:
    """SQL: columns of the rows `p` that fit, without a limit; of one lane if asked."""
    own = f"p.lane = {int(lane)}::smallint AND " if lane is not None else ""
    return f"SELECT {columns} FROM {quoted(database.table)} p WHERE {own}({asked.condition})"


def who_fits(database: Database, asked: Asked, question: Question, columns: str) -> str:
    """SQL: columns of everybody who fits, cut at the limit of the question."""
    cut = f" ORDER BY {asked.order} LIMIT {int(question.most)}" if question.most is not None else ""
    return everybody(database, asked, columns) + cut


def belongs(context: RuleContext, segment_id: int, question: Question, *, has_members: bool) -> str:
    """SQL: the profile of the context, a row of the database, belongs to a segment now; for statements about a whole database."""
    own = f"{context.lane} AND m.segment_id = {context.bind(segment_id, 'int')} AND m.profile_id = {context.profile_id}"
    if has_members:
        return f"EXISTS (SELECT FROM segment_member m WHERE m.lane = {own})"
    conditions = []
    if question.sample:
        conditions.append(_share(context, question.sample))
    if question.rules:
        conditions.append(predicate(question.rules, replace(context, path=(*context.path, segment_id))).filter)
    condition = " AND ".join(conditions) or "true"
    if question.most is None:
        return f"({condition})"
    cut = f"SELECT p.id FROM {quoted(context.database.table)} p WHERE {condition} ORDER BY {EVEN_ORDER} LIMIT {int(question.most)}"
    return f"{context.profile_id} IN ({cut})"


def _share(context: RuleContext, sample: Mapping[str, Any]) -> str:
    return share_sql(context, sample.get("start", 0), sample.get("end", 100), sample.get("group", ""))
