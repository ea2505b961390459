"""`subscriptions/…`: give, change and list the subscriptions of a profile."""

from __future__ import annotations

from typing import Any

from sojourn.kernel import lane_of
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.profiles import Options, Record, Subscription, database, database_of, import_records, of_profile
from sojourn.profiles.records import contact_value, profile_number
from sojourn.profiles.resources import channel_number
from sojourn.profiles.statuses import CAUSE_API
from sojourn.profiles.subscriptions import delete_subscription, restore_subscription
from sojourn.profiles.suspending import suspend_all
from sojourn.profiles.values import Misfit
from sojourn.web.v1.answers import envelope_of_problem, success
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.profile_input import subscription_of
from sojourn.web.v1.profiles import told_subscription


def set_one(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/set`: add a subscription to a profile, or change the one it has."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    options = Options(mode="update", matching="profile_id", skip_triggers=given.boolean("skip_triggers"))
    record = Record({"profile_id": given.text("profile_id")}, {}, [subscription_of(given.values)])
    outcome = import_records(call.connection, call.clock, base, [record], options)[0]
    return envelope_of_problem(outcome.problem) if outcome.problem else success()


def list_of_profile(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/list`: all subscriptions of one profile."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    profile_id = profile_number(given.text("profile_id"))
    if database_of(call.connection, profile_id) != base.id:
        raise NotFound("unknown_profile", "There is no such profile.", "profile_id")
    return success(data=[told_subscription(found) for found in _of(call, profile_id)])


def get_one(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/get`: the one subscription of a profile with this resource, channel and contact."""
    return success(data=told_subscription(_named(call, given)))


def delete_one(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/delete`: nobody writes to it any more; it can be restored."""
    found = _named(call, given)
    delete_subscription(call.connection, call.clock, lane_of(found.profile_id), found.id, cause=CAUSE_API)
    return success()


def restore_one(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/restore`: a deleted one gets back the status it had."""
    found = _named(call, given, deleted=True)
    restore_subscription(call.connection, call.clock, lane_of(found.profile_id), found.id, cause=CAUSE_API)
    return success()


def suspend_everybody(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/suspend_all`: all that are subscribed in a database, in one channel or resource if given."""
    return _suspend(call, given, resume=False)


def unsuspend_everybody(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscriptions/unsuspend_all`: the reverse; who paused for some days stays paused."""
    return _suspend(call, given, resume=True)


def _suspend(call: V1Call, given: Parameters, *, resume: bool) -> dict[str, Any]:
    updated = suspend_all(
        call.connection, call.clock, given.integer("db_id", "list_id"), channel=given.text("channel") or None,
        resource_id=given.integer_or_none("resource_id"), resume=resume,
    )  # fmt: skip
    return success(updated=updated)


def _of(call: V1Call, profile_id: int, *, deleted: bool = False) -> list[Subscription]:
    return [one for one in of_profile(call.connection, profile_id) if (one.deleted_at is not None) == deleted]


def _named(call: V1Call, given: Parameters, *, deleted: bool = False) -> Subscription:
    base = database(call.connection, given.integer("db_id", "list_id"))
    profile_id = profile_number(given.text("profile_id"))
    wanted = subscription_of(given.values)
    resource_id, channel = given.integer("resource_id"), channel_number(given.text("channel"))
    try:
        contact = contact_value(channel, wanted.contact)
    except Misfit as misfit:
        raise SojournError(misfit.code, misfit.message, "contact") from None
    if database_of(call.connection, profile_id) == base.id:
        for one in _of(call, profile_id, deleted=deleted):
            if (one.resource_id, one.channel, one.contact) == (resource_id, channel, contact):
                return one
    raise NotFound("unknown_subscription", "There is no such subscription.", "subscription_id")
