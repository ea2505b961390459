"""`profiles/merge` and `profiles/split`: profiles of one person become one, or come apart."""

from __future__ import annotations

from typing import Any

from sojourn.kernel import public_id
from sojourn.kernel.errors import SojournError
from sojourn.profiles import database
from sojourn.profiles.merging import merge
from sojourn.profiles.records import profile_number
from sojourn.profiles.splitting import split_off
from sojourn.profiles.statuses import CAUSE_API
from sojourn.web.v1.answers import success
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters

_MOST = 100


def merge_many(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/merge`: merge the profiles `merge_ids` into `profile_id`, all or none. `fields` names whose value is taken: `survivor` or `merged`."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    survivor = profile_number(given.text("profile_id"))
    merged = [profile_number(one) for one in _few(given, "merge_ids")]
    choices = given.mapping("fields") if given.get("fields") is not None else {}
    if not set(choices.values()) <= {"survivor", "merged"}:
        raise SojournError("bad_parameter", "A field is taken from the survivor or the merged one.", "fields")
    with call.connection.transaction():
        for number in dict.fromkeys(merged):
            merge(
                call.connection,
                call.clock,
                base,
                survivor,
                number,
                choices,
                cause=CAUSE_API,
                cause_id=call.caller.token_id,
            )
    return success(profile_id=public_id(survivor))


def split_many(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/split`: split the `parts` off a profile, all or none; a part has `fields`, `phones` and `subscriptions`, and perhaps the
    `profile_id` that it goes to. Answers with the profiles in the order of the parts."""
    base = database(call.connection, given.integer("db_id", "list_id"))
    number = profile_number(given.text("profile_id"))
    parts = _few(given, "parts")
    made = []
    with call.connection.transaction():
        for part in parts:
            if not isinstance(part, dict):
                raise SojournError("bad_parameter", "A part is an object.", "parts")
            wanted = Parameters(part)
            ids = [_number(one) for one in wanted.sequence("subscriptions")] if part.get("subscriptions") else []
            made.append(
                split_off(
                    call.connection, call.clock, base, number, fields=[str(one) for one in part.get("fields") or ()],
                    phones=[str(one) for one in part.get("phones") or ()], subscriptions=ids,
                    into=profile_number(part["profile_id"]) if part.get("profile_id") is not None else None, cause=CAUSE_API,
                    cause_id=call.caller.token_id,
                )
            )  # fmt: skip
    return success(profiles=[public_id(one) for one in made])


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 62:
        raise SojournError("bad_parameter", "A subscription is named by its number.", "subscriptions")
    return value


def _few(given: Parameters, name: str) -> list[Any]:
    found = given.sequence(name)
    if not 1 <= len(found) <= _MOST:
        raise SojournError("bad_parameter", f"The parameter {name} has 1 to {_MOST} elements.", name)
    return found
