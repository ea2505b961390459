"""`/retention` and what concerns one person's data: how long is what kept, what is kept about somebody, and its erasure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from sojourn.kernel import parse_public_id, public_id, retention
from sojourn.kernel.errors import SojournError
from sojourn.profiles import database, database_of
from sojourn.profiles.erasure import erase, preview
from sojourn.profiles.personal_data import personal_data
from sojourn.scenarios.node_type import Language
from sojourn.web.api.call import Reading, Ruling

router = APIRouter(tags=["privacy"])


class PeriodShape(BaseModel):
    """A kind of data and how long it is kept; `days` null: for ever. `loses` says what nobody can ask any more afterwards."""

    kind: str
    title: str
    loses: str
    days: int | None
    least_days: int
    done_at: datetime | None
    forgotten: int | None


class EffectShape(BaseModel):
    """How many rows are older than the period now; not `exact`: an estimate."""

    rows: int
    exact: bool


class PeriodOrder(BaseModel):
    """How long a kind of data is to be kept; null: for ever."""

    days: Annotated[int | None, Field(ge=1, le=retention.LONGEST_DAYS)]


class HeldShape(BaseModel):
    """How many things of a kind are kept about a person."""

    code: str
    title: str
    count: int


class EraseOrder(BaseModel):
    """`confirm` repeats the profile's id, so that nobody is erased by a slip."""

    confirm: str


class ErasedShape(BaseModel):
    """How many things were removed."""

    removed: int


@router.get("/retention")
def list_periods(call: Reading, language: Annotated[Language | None, Query()] = None) -> list[PeriodShape]:
    """All kinds of data with their periods."""
    words = call.language(language)
    with call.connection() as connection:
        return [
            PeriodShape(
                kind=found.kind.code, title=found.kind.title[words], loses=found.kind.loses[words], days=found.days,
                least_days=found.kind.least_days(connection), done_at=found.done_at, forgotten=found.forgotten,
            )
            for found in retention.periods(connection)
        ]  # fmt: skip


@router.get("/retention/{kind}/effect")
def period_effect(
    kind: str, days: Annotated[int, Query(ge=1, le=retention.LONGEST_DAYS)], call: Reading
) -> EffectShape:
    """What a period would take away now."""
    with call.connection() as connection:
        found = retention.effect(connection, call.clock, kind, days)
    return EffectShape(rows=found.rows, exact=found.exact)


@router.put("/retention/{kind}", status_code=204)
def set_period(kind: str, given: PeriodOrder, call: Ruling) -> None:
    """Set a period; what is past it goes within hours."""
    with call.connection() as connection, connection.transaction():
        retention.set_period(connection, call.clock, kind, given.days, user_id=call.caller.user_id)
        call.note(connection, "set_retention", "retention", kind, {"days": given.days})


@router.get("/profiles/{profile_id}/held")
def list_held(profile_id: str, call: Reading, language: Annotated[Language | None, Query()] = None) -> list[HeldShape]:
    """What is kept about a person besides the profile, by kind; an erasure removes all of it."""
    number, words = parse_public_id(profile_id), call.language(language)
    with call.connection() as connection:
        parts = preview(connection, database(connection, database_of(connection, number)), number)
    return [HeldShape(code=part.code, title=part.title[words], count=part.count) for part in parts]


@router.get(
    "/profiles/{profile_id}/personal-data",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"application/json": {}},
            "description": "A file with everything that is kept about the person.",
        }
    },
)
def export_personal_data(profile_id: str, call: Ruling) -> StreamingResponse:
    """Everything that is kept about a person, as a file."""
    number = parse_public_id(profile_id)
    with call.connection() as connection:
        base = database(connection, database_of(connection, number))
        next(personal_data(connection, base, number))  # a person who is unknown is told before the file begins
        call.note(connection, "export_personal_data", "profile", profile_id)

    def pieces() -> Iterator[str]:
        with call.connection() as connection:
            yield from personal_data(connection, base, number)

    headers = {
        "content-disposition": f'attachment; filename="profile-{public_id(number)}.json"',
        "cache-control": "no-store",
    }
    return StreamingResponse(pieces(), media_type="application/json", headers=headers)


@router.post("/profiles/{profile_id}/erase")
def erase_profile(profile_id: str, given: EraseOrder, call: Ruling) -> ErasedShape:
    """Forget a person: all rooms, all history. This cannot be undone."""
    number = parse_public_id(profile_id)
    if given.confirm != profile_id:
        raise SojournError("not_confirmed", "Repeat the id of the profile to confirm the erasure.", "confirm")
    with call.connection() as connection:
        base = database(connection, database_of(connection, number))
        removed = erase(connection, call.clock, call.settings, base, number, user_id=call.caller.user_id)
        call.note(connection, "erase", "profile", profile_id)
    return ErasedShape(removed=removed)
