"""`/profiles/{id}`: a profile changed by hand, its subscriptions, its segments and its history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel import lane_of
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.wakeups import ENGINE
from sojourn.profiles import Options, Record, SubscriptionInput, database, database_of, import_records, subscribe
from sojourn.profiles.history import Group, history
from sojourn.profiles.profile import delete_profile
from sojourn.profiles.records import Outcome
from sojourn.profiles.statuses import CAUSE_MANUAL, STATUS_NUMBERS
from sojourn.profiles.subscriptions import delete_subscription, of_profile, restore_subscription, set_status
from sojourn.segments.history_source import memberships_of
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import Limit, size
from sojourn.web.api.profiles import (
    FullProfile,
    SubscriptionOrder,
    SubscriptionShape,
    full_profile,
    known_profile,
    subscription_shape,
)
from sojourn.web.installation import Connection

router = APIRouter(tags=["profiles"])


class ChangedProfile(BaseModel):
    """Fields of a profile by name; null clears a field, what is missing stays."""

    model_config = ConfigDict(extra="forbid")

    fields: Annotated[dict[str, Any], Field(max_length=1_000)]
    skip_triggers: bool = False


class ChangedSubscription(BaseModel):
    """A new status of a subscription; `suspended_until` belongs to `suspended`: it ends by itself then."""

    model_config = ConfigDict(extra="forbid")

    status: str
    suspended_until: datetime | None = None


class HappeningShape(BaseModel):
    """One thing that happened to a profile; `kind` is a word of its group, `detail` depends on it."""

    at: datetime
    group: Group
    kind: str
    detail: dict[str, Any]


class HistoryShape(BaseModel):
    """A page of a history; `next` is given as `after` for the following one."""

    items: list[HappeningShape]
    next: str | None


class MembershipShape(BaseModel):
    """A static or updatable segment that a profile is in."""

    id: int
    name: str
    kind: str
    entered_at: datetime


@router.patch("/profiles/{profile_id}", name="change_profile")
def change(profile_id: str, given: ChangedProfile, call: Changing) -> FullProfile:
    """Change fields of a profile; what does not fit is told with the name of its field, and then nothing is changed."""
    options = Options(
        mode="update", matching="profile_id", cause=CAUSE_MANUAL, cause_id=call.caller.user_id, source="manual", skip_triggers=given.skip_triggers
    )  # fmt: skip
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        base = database(connection, database_of(connection, number))
        unknown = next((name for name in given.fields if name not in base.fields), None)
        if unknown is not None:
            raise SojournError("unknown_field", f"The database “{base.name}” has no field “{unknown}”.", unknown)
        record = Record({"profile_id": profile_id}, given.fields, [])
        _check(import_records(connection, call.clock, base, [record], options)[0])
        call.note(connection, "change", "profile", profile_id, {"fields": sorted(given.fields)})
        call.ring(connection, ENGINE)
        return full_profile(connection, number)


def _check(outcome: Outcome) -> None:
    problem = outcome.problem
    if problem is None:
        return
    kind: type[SojournError] = SojournError
    if problem.code in ("profile_exists", "email_taken"):
        kind = Conflict
    elif problem.code in ("unknown_profile", "profile_not_found"):
        kind = NotFound
    raise kind(problem.code, problem.message, problem.place)


@router.delete("/profiles/{profile_id}", status_code=204, name="delete_profile")
def delete(profile_id: str, call: Changing) -> Response:
    """Delete a profile with its subscriptions. What was sent stays in reports, without a name; erasing a person is another thing."""
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        base = database(connection, database_of(connection, number))
        delete_profile(connection, call.clock, base, number, cause=CAUSE_MANUAL, cause_id=call.caller.user_id)
        call.note(connection, "delete", "profile", profile_id)
    return Response(status_code=204)


@router.get("/profiles/{profile_id}/history", name="profile_history")
def list_history(
    profile_id: str, call: Reading, group: Annotated[list[Group] | None, Query()] = None, until: datetime | None = None,
    after: Annotated[str | None, Query(max_length=40)] = None, limit: Limit = 50,
) -> HistoryShape:  # fmt: skip
    """Everything that happened to a profile, newest first."""
    if until is not None and until.tzinfo is None:
        raise SojournError("bad_moment", "A moment is given with its offset, such as 2026-01-31T10:00:00Z.", "until")
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        base = database(connection, database_of(connection, number))
        page = history(connection, base, number, groups=group or (), until=until, after=after, limit=size(limit))
    items = [HappeningShape(at=one.at, group=one.group, kind=one.kind, detail=one.detail) for one in page.happenings]
    return HistoryShape(items=items, next=page.next)


@router.get("/profiles/{profile_id}/segments", name="profile_segments")
def list_memberships(profile_id: str, call: Reading) -> list[MembershipShape]:
    """Static and updatable segments that a profile is in, the latest first."""
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        found = memberships_of(connection, lane_of(number), number)
    return [MembershipShape(id=row[0], name=row[1], kind=row[2], entered_at=row[3]) for row in found]


@router.post("/profiles/{profile_id}/subscriptions", status_code=201, name="add_subscription")
def add_subscription(profile_id: str, given: SubscriptionOrder, call: Changing) -> FullProfile:
    """Subscribe a profile; a subscription of the same contact is changed."""
    order = SubscriptionInput(given.resource_id, given.channel, given.contact, given.status)
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        base = database(connection, database_of(connection, number))
        _check(subscribe(connection, call.clock, base, number, order, cause=CAUSE_MANUAL, cause_id=call.caller.user_id))
        call.note(connection, "subscribe", "profile", profile_id, {"resource": given.resource_id})
        call.ring(connection, ENGINE)
        return full_profile(connection, number)


@router.patch("/profiles/{profile_id}/subscriptions/{subscription_id}", name="change_subscription")
def change_subscription(
    profile_id: str, subscription_id: int, given: ChangedSubscription, call: Changing
) -> SubscriptionShape:
    """Give a subscription another status."""
    status = STATUS_NUMBERS.get(given.status)
    if status is None:
        raise SojournError("incorrect_status", f"A status is one of {', '.join(STATUS_NUMBERS)}.", "status")
    if given.suspended_until is not None and (
        given.suspended_until.tzinfo is None or given.suspended_until <= call.clock.now()
    ):
        raise SojournError("bad_moment", "The end lies in the future and is given with its offset.", "suspended_until")
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        _own(connection, number, subscription_id)
        set_status(
            connection, call.clock, lane_of(number), subscription_id, status, suspended_until=given.suspended_until, cause=CAUSE_MANUAL,
            cause_id=call.caller.user_id,
        )  # fmt: skip
        call.note(connection, "change_subscription", "profile", profile_id, given.model_dump(mode="json"))
        call.ring(connection, ENGINE)
        return _own(connection, number, subscription_id)


@router.delete("/profiles/{profile_id}/subscriptions/{subscription_id}", name="delete_subscription")
def remove_subscription(profile_id: str, subscription_id: int, call: Changing) -> SubscriptionShape:
    """Delete a subscription: nobody writes to it, and it can be restored."""
    return _changed(profile_id, subscription_id, call, delete_subscription, "delete_subscription")


@router.post("/profiles/{profile_id}/subscriptions/{subscription_id}/restore", name="restore_subscription")
def bring_back_subscription(profile_id: str, subscription_id: int, call: Changing) -> SubscriptionShape:
    """Give a deleted subscription back the status it had."""
    return _changed(profile_id, subscription_id, call, restore_subscription, "restore_subscription")


def _changed(
    profile_id: str, subscription_id: int, call: Call, change: Callable[..., bool], action: str
) -> SubscriptionShape:
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        _own(connection, number, subscription_id)
        change(
            connection, call.clock, lane_of(number), subscription_id, cause=CAUSE_MANUAL, cause_id=call.caller.user_id
        )
        call.note(connection, action, "profile", profile_id, {"subscription": subscription_id})
        call.ring(connection, ENGINE)
        return _own(connection, number, subscription_id)


def _own(connection: Connection, profile_id: int, subscription_id: int) -> SubscriptionShape:
    found = next((one for one in of_profile(connection, profile_id) if one.id == subscription_id), None)
    if found is None:
        raise NotFound("unknown_subscription", "The profile has no such subscription.", "subscription_id")
    return subscription_shape(found)
