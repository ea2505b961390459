"""`subscriptions/…`: give, change and list the subscriptions of a profile."""

from __future__ import annotations

from typing import Any

from sojourn.kernel.errors import NotFound
from sojourn.profiles import Options, Record, database, database_of, import_records, of_profile
from sojourn.profiles.records import profile_number
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
    return success(data=[told_subscription(found) for found in of_profile(call.connection, profile_id)])
