"""`/segments/count` and `/segments/preview`: how many fit while somebody edits rules, who they are, and whom one can write to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel import public_id
from sojourn.kernel.errors import SojournError, Unavailable
from sojourn.profiles import Database, database
from sojourn.profiles.resources import resources
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.scenarios import Catalogue
from sojourn.scenarios.node_type import Language
from sojourn.segments import check, resolve
from sojourn.segments.counting import Reach, count, reach, sample_people
from sojourn.segments.evaluation import Question
from sojourn.segments.hints import hints
from sojourn.segments.store import Sample
from sojourn.web.abandoned import while_waited_for
from sojourn.web.api.call import Reading
from sojourn.web.installation import Connection
from sojourn.web.profile_rows import names_of

router = APIRouter(tags=["segments"])
_AT_ONCE = threading.BoundedSemaphore(3)
_PATIENCE = 5.0


class QuestionShape(BaseModel):
    """Who is meant, before it is saved."""

    model_config = ConfigDict(extra="forbid")

    database_id: int
    rules: dict[str, Any] | None = None
    sample: Sample | None = None
    most: int | None = Field(None, ge=1)


class FoundShape(BaseModel):
    """Somebody who fits."""

    id: str
    name: str | None
    email: str | None
    phone: str | None


class CountShape(BaseModel):
    """How many fit now. Not `exact`: an estimate, and in 95 of 100 cases the truth lies from `low` to `high`."""

    number: int
    exact: bool
    low: int
    high: int
    total: int
    milliseconds: int
    hints: list[str]


class ReachShape(BaseModel):
    """How many people can be written to in a channel: by a resource, or by any where it is null."""

    channel: str
    resource_id: int | None
    resource_name: str | None
    people: int


class PreviewShape(BaseModel):
    """Some who fit, and how many can be written to; null where finding out takes too long."""

    people: list[FoundShape] | None
    reach: list[ReachShape] | None


@router.post("/segments/count")
async def count_question(
    given: QuestionShape, call: Reading, request: Request, language: Annotated[Language | None, Query()] = None
) -> CountShape:
    """How many fit: exact where that is quick, else an estimate that says so. Whoever leaves meanwhile ends the count."""

    def work(connection: Connection) -> CountShape:
        with _one_of_few():
            base, question, catalogue = question_of(connection, given)
            found = count(connection, call.clock, base, question, catalogue)
        told = hints(given.rules, call.language(language)) if given.rules else []
        return CountShape(
            number=found.number, exact=found.exact, low=found.low, high=found.high, total=found.total, milliseconds=found.milliseconds, hints=told
        )  # fmt: skip

    return await while_waited_for(request, call.installation, "count", work)


@router.post("/segments/preview")
async def preview_question(given: QuestionShape, call: Reading, request: Request) -> PreviewShape:
    """Some who fit, and how many can be written to. Whoever leaves meanwhile ends it."""

    def work(connection: Connection) -> PreviewShape:
        with _one_of_few():
            base, question, catalogue = question_of(connection, given)
            ids = sample_people(connection, call.clock, base, question, catalogue)
            reached = reach(connection, call.clock, base, question, catalogue)
        people = _people(connection, base, ids) if ids is not None else None
        return PreviewShape(people=people, reach=_reach(connection, reached) if reached is not None else None)

    return await while_waited_for(request, call.installation, "count", work)


@contextmanager
def _one_of_few() -> Iterator[None]:
    """Counting is heavy: a few at a time, the others are told to come again."""
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise Unavailable("counts_busy", "Too many counts are running; try again in a moment.")
    try:
        yield
    finally:
        _AT_ONCE.release()


def question_of(connection: Connection, given: QuestionShape) -> tuple[Database, Question, Catalogue]:
    """The question with ids in place of names.

    Raises:
        SojournError: `bad_rules` with its problems. NotFound: `unknown_database`.
    """
    base, catalogue = database(connection, given.database_id), Catalogue(connection)
    rules = None
    if given.rules:
        if problems := check(given.rules, base, catalogue):
            raise SojournError("bad_rules", problems[0].message, problems[0].place, problems=problems)
        rules = resolve(given.rules, catalogue)
    return base, Question(rules, given.sample.model_dump() if given.sample else None, given.most), catalogue


def _people(connection: Connection, base: Database, ids: list[int]) -> list[FoundShape]:
    names = names_of(connection, base, ids)
    return [
        FoundShape(id=public_id(number), name=names[number].name, email=names[number].email, phone=names[number].phone)
        for number in ids if number in names
    ]  # fmt: skip


def _reach(connection: Connection, reached: list[Reach]) -> list[ReachShape]:
    names = resources(connection, [one.resource_id for one in reached if one.resource_id is not None])
    return [
        ReachShape(
            channel=CHANNEL_WORDS[one.channel], resource_id=one.resource_id, people=one.people,
            resource_name=names[one.resource_id].name if one.resource_id in names else None,
        )
        for one in reached
    ]  # fmt: skip
