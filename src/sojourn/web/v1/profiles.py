"""`profiles/…`: import, add, update, single and in batches, and read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sojourn.kernel import parse_public_id, public_id
from sojourn.kernel.errors import SojournError, TooLarge
from sojourn.profiles import (
    Options,
    Outcome,
    Record,
    Subscription,
    SubscriptionInput,
    database,
    delete_profile,
    import_records,
    list_profiles,
    of_profile,
)
from sojourn.profiles.matching import Matching
from sojourn.profiles.records import Mode
from sojourn.profiles.statuses import CAUSE_API, CHANNEL_WORDS, EMAIL, PUSH, SMS, STATUS_WORDS, TELEGRAM
from sojourn.web.profile_rows import find_profile, get_row
from sojourn.web.v1.answers import BAD, envelope_of_problem, failure, success
from sojourn.web.v1.method import Function, V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.profile_input import batch_record, import_options, keys_of_call, single_record

MOST_ELEMENTS = 10_000
"""Elements of one batch."""
MOST_LISTED = 1_000
"""Profiles of one page."""


def outcome_answer(outcome: Outcome) -> dict[str, Any]:
    """The envelope of one record."""
    if outcome.problem:
        return envelope_of_problem(outcome.problem)
    return success(profile_id=public_id(outcome.profile_id) if outcome.profile_id is not None else None)


def write_one(mode: Mode) -> Function:
    """`profiles/import`, `add`, `update`."""

    def write(call: V1Call, given: Parameters) -> dict[str, Any]:
        options = import_options(given, mode)
        base = database(call.connection, given.integer("db_id", "list_id"))
        return outcome_answer(import_records(call.connection, call.clock, base, [single_record(given)], options)[0])

    return write


def quick_import(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/quick_import`: everything beside each other, for simple programs: fields, and with `resource_id` a subscription of the address or phone."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    values = {name: value for name, value in given.values.items() if name in base.fields and value not in (None, "")}
    if given.get("phone") and "phones" not in values:
        values["phones"] = [given.text("phone")]
    subscriptions = []
    if given.get("resource_id") is not None:
        resource_id = given.integer("resource_id")
        subscriptions = [
            SubscriptionInput(resource_id, channel, contact, given.get("status"))
            for channel, contact in (("email", given.text("email")), ("sms", given.text("phone")))
            if contact
        ]
    matching: Matching = "email" if given.get("email") else "phone"
    options = Options(
        mode="create_update",
        matching=matching,
        skip_triggers=given.boolean("skip_triggers"),
        skip_invalid_subscriptions=len(subscriptions) > 1,
    )
    record = Record(keys_of_call(given), values, subscriptions)
    return outcome_answer(import_records(call.connection, call.clock, base, [record], options)[0])


def write_batch(mode: Mode) -> Function:
    """`profiles/import_batch`, `add_batch`, `update_batch`: the answer has one result for each element, in order."""

    def write(call: V1Call, given: Parameters) -> dict[str, Any]:
        elements = given.sequence("data")
        if len(elements) > MOST_ELEMENTS:
            raise TooLarge("batch_too_large", f"A batch has {MOST_ELEMENTS} elements at most.", "data")
        options = import_options(given, mode)
        base = database(call.connection, given.integer("db_id", "list_id"))
        records = [batch_record(element) for element in elements]
        written = [record for record in records if record is not None]
        outcomes = iter(import_records(call.connection, call.clock, base, written, options) if written else ())
        return success(result=[_NO_OBJECT if record is None else outcome_answer(next(outcomes)) for record in records])

    return write


_NO_OBJECT = failure(BAD, "An element of data is an object.")


def get(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/get`: all filled fields of a profile, and its subscriptions."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    options = import_options(given, "update")
    profile_id = find_profile(call.connection, base, options, keys_of_call(given))
    row = get_row(call.connection, base, profile_id)
    subscriptions = [
        told_subscription(found) for found in of_profile(call.connection, profile_id) if found.deleted_at is None
    ]
    return success(data={"_id": public_id(profile_id), **row.fields, "subscriptions": subscriptions})


def list_page(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/list`: profiles of a database, oldest first; read until a page is empty."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    limit = given.integer("limit", default=MOST_LISTED)
    after = _after(given.text("from_id"))
    found = list_profiles(call.connection, base, after=after, limit=max(1, min(limit, MOST_LISTED)))
    rows = [
        {
            "_id": public_id(row["id"]),
            **{name: _told_value(value) for name, value in row.items() if name in base.fields},
        }
        for row in found
    ]
    return success(data=rows, next_from_id=public_id(found[-1]["id"]) if found else given.text("from_id"))


def _told_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _after(pointer: str) -> int:
    return parse_public_id(pointer) if pointer else 0


def delete(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/delete`: a profile with its subscriptions, history and relations."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    profile_id = find_profile(call.connection, base, import_options(given, "update"), keys_of_call(given))
    delete_profile(call.connection, call.clock, base, profile_id, cause=CAUSE_API, cause_id=call.caller.token_id)
    return success()


def told_subscription(found: Subscription) -> dict[str, Any]:
    """A subscription in the words of this API."""
    contact: dict[str, Any]
    if found.channel == EMAIL:
        contact = {"email": found.contact}
    elif found.channel == SMS:
        contact = {"phone": found.contact}
    elif found.channel == PUSH:
        provider, _, token = found.contact.partition(":")
        contact = {"provider": provider, "subscription_id": token}
    else:
        contact = {"cc_data": {"id" if found.channel == TELEGRAM else "phone": found.contact}}
    channel = "telegram_bot" if found.channel == TELEGRAM else CHANNEL_WORDS[found.channel]
    told = {
        "resource_id": found.resource_id,
        "channel": channel,
        **contact,
        "priority": found.priority,
        "status": STATUS_WORDS[found.status],
    }
    if found.cats:
        told["cats"] = found.cats
    if found.custom:
        told["custom_fields"] = found.custom
    return told


def prepare_single_import(given: Parameters) -> tuple[int, Record, Options]:
    """What `profiles/import` asks for.

    Raises:
        SojournError: a parameter is missing or wrong.
    """
    database_id = given.integer("db_id", "list_id")
    if not 0 < database_id < 1 << 31:
        raise SojournError("unknown_database", f"There is no profile database {database_id}.", "db_id")
    return database_id, single_record(given), import_options(given, "create_update")
