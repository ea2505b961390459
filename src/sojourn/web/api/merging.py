"""`/profiles/{id}/merge…`: profiles of one person become one, come apart again, and are split."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel import parse_public_id, public_id
from sojourn.kernel.wakeups import ENGINE
from sojourn.profiles import database, database_of
from sojourn.profiles.merging import merge, merged_into, preview_merge, refuses, undo_merge
from sojourn.profiles.splitting import split_off
from sojourn.profiles.statuses import CAUSE_MANUAL, CHANNEL_WORDS, STATUS_WORDS
from sojourn.scenarios.clearing import inside_of
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.profiles import FullProfile, full_profile

router = APIRouter(tags=["profiles"])
PublicId = Annotated[str, Field(max_length=24)]


class DifferenceShape(BaseModel):
    """A field in which two profiles differ; `settled` is what the survivor gets unless somebody chooses. A refusal is not up for choice."""

    name: str
    title: str
    survivor: Any
    merged: Any
    settled: Any
    choosable: bool


class JoiningShape(BaseModel):
    """A contact that both have subscribed, and the status that holds afterwards."""

    resource: str
    channel: str
    contact: str
    survivor: str
    merged: str
    holds: str


class MergePreviewShape(BaseModel):
    """What a merge would do: `coming` subscriptions come along, passages through `scenarios` end."""

    differences: list[DifferenceShape]
    coming: int
    joining: list[JoiningShape]
    scenarios: list[str]


class MergeOrder(BaseModel):
    """The profile that goes into this one, and whose value is taken in fields where somebody chose."""

    model_config = ConfigDict(extra="forbid")

    profile_id: PublicId
    choices: Annotated[dict[str, Literal["survivor", "merged"]], Field(max_length=1_000)] = {}


class MergedShape(BaseModel):
    """A profile that was merged into this one."""

    profile_id: str
    at: datetime
    name: str
    undoable: bool


class SplitOrder(BaseModel):
    """What is split off, and where it goes: to a new profile unless `into` names one."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[list[str], Field(max_length=1_000)] = []
    phones: Annotated[list[str], Field(max_length=100)] = []
    subscriptions: Annotated[list[int], Field(max_length=1_000)] = []
    into: PublicId | None = None


@router.get("/profiles/{profile_id}/merge-preview", name="preview_merge")
def preview(
    profile_id: str, with_profile: Annotated[str, Query(alias="with", max_length=24)], call: Reading
) -> MergePreviewShape:
    """What merging the profile `with` into this one would do."""
    survivor, merged = parse_public_id(profile_id), parse_public_id(with_profile)
    with call.connection() as connection:
        seen = preview_merge(connection, database(connection, database_of(connection, survivor)), survivor, merged)
        scenarios = inside_of(connection, merged)
    return MergePreviewShape(
        differences=[
            DifferenceShape(
                name=one.field.name, title=one.field.title, survivor=_shown(one.field.type, one.survivor), merged=_shown(one.field.type, one.merged),
                settled=_shown(one.field.type, one.settled), choosable=not refuses(one.field),
            )
            for one in seen.differences
        ],
        coming=seen.coming,
        joining=[
            JoiningShape(
                resource=one.resource, channel=CHANNEL_WORDS[one.channel], contact=one.contact, survivor=STATUS_WORDS[one.survivor],
                merged=STATUS_WORDS[one.merged], holds=STATUS_WORDS[one.holds],
            )
            for one in seen.joining
        ],
        scenarios=scenarios,
    )  # fmt: skip


def _shown(kind: str, value: Any) -> Any:
    if value is None:
        return None
    words = {"status": STATUS_WORDS, "sex": ("male", "female")}.get(kind)
    return words[value] if words else value


@router.post("/profiles/{profile_id}/merge", name="merge_profiles")
def merge_one(profile_id: str, given: MergeOrder, call: Changing) -> FullProfile:
    """Merge another profile into this one."""
    survivor, merged = parse_public_id(profile_id), parse_public_id(given.profile_id)
    with call.connection() as connection:
        base = database(connection, database_of(connection, survivor))
        merge(
            connection, call.clock, base, survivor, merged, dict(given.choices), cause=CAUSE_MANUAL, cause_id=call.caller.user_id
        )  # fmt: skip
        call.note(connection, "merge", "profile", profile_id, {"merged": given.profile_id})
        call.ring(connection, ENGINE)
        return full_profile(connection, survivor)


@router.get("/profiles/{profile_id}/merged", name="merged_profiles")
def list_merged(profile_id: str, call: Reading) -> list[MergedShape]:
    """The profiles that were merged into this one, the latest first."""
    with call.connection() as connection:
        found = merged_into(connection, parse_public_id(profile_id))
    return [
        MergedShape(profile_id=public_id(one.profile_id), at=one.at, name=one.name, undoable=one.undoable)
        for one in found
    ]


@router.post("/profiles/{profile_id}/undo-merge", name="undo_merge")
def undo(profile_id: str, given: MergeOrder, call: Changing) -> FullProfile:
    """Split a profile off again that was merged into this one; answers with it."""
    survivor, merged = parse_public_id(profile_id), parse_public_id(given.profile_id)
    with call.connection() as connection:
        base = database(connection, database_of(connection, survivor))
        undo_merge(connection, call.clock, base, merged, cause=CAUSE_MANUAL, cause_id=call.caller.user_id)
        call.note(connection, "undo_merge", "profile", profile_id, {"merged": given.profile_id})
        call.ring(connection, ENGINE)
        return full_profile(connection, merged)


@router.post("/profiles/{profile_id}/split", status_code=201, name="split_profile")
def split(profile_id: str, given: SplitOrder, call: Changing) -> FullProfile:
    """Move fields, phones and subscriptions to a new profile, or to another one; answers with that one."""
    number = parse_public_id(profile_id)
    with call.connection() as connection:
        base = database(connection, database_of(connection, number))
        target = split_off(
            connection, call.clock, base, number, fields=given.fields, phones=given.phones, subscriptions=given.subscriptions,
            into=None if given.into is None else parse_public_id(given.into), cause=CAUSE_MANUAL, cause_id=call.caller.user_id,
        )  # fmt: skip
        call.note(connection, "split", "profile", profile_id, {"into": public_id(target)})
        call.ring(connection, ENGINE)
        return full_profile(connection, target)
