"""What calls say of profiles: options, and records in both layouts that clients use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sojourn.kernel.errors import SojournError
from sojourn.profiles import Options, Record, SubscriptionInput
from sojourn.profiles.matching import MATCHINGS, Matching
from sojourn.profiles.records import Mode
from sojourn.web.v1.parameters import Parameters

_KEYS = frozenset({"email", "phone", "profile_id", "field_value", "provider", "subscription_id"})
_NOT_FIELDS = frozenset(
    {"phone", "profile_id", "field_value", "provider", "subscription_id", "subscriptions", "data", "_id", "resource_id", "matching", "field_name",
     "content", "custom_data", "skip_triggers", "detect_geo"}
)  # fmt: skip
"""Names of a flat element that say how to find or treat the profile, and are none of its fields."""

_MOST_SEGMENTS = 20


def import_options(given: Parameters, mode: Mode) -> Options:
    """How a call wants profiles to be found and written.

    Raises:
        SojournError: a parameter is wrong, or not offered.
    """
    matching = "none" if mode == "create" else given.text("matching", "email")
    if matching not in MATCHINGS or (matching == "none" and mode != "create"):
        raise SojournError(
            "unknown_matching", f"A matching is one of {', '.join(sorted(MATCHINGS - {'none'}))}.", "matching"
        )
    return Options(
        mode=mode,
        matching=cast("Matching", matching),
        field_name=given.text("field_name") or None,
        resource_id=given.integer_or_none("resource_id"),
        skip_triggers=given.boolean("skip_triggers"),
        skip_invalid_subscriptions=given.boolean("skip_invalid_subscriptions"),
        add_to_segments=_segments(given, "add_to_segments"),
        remove_from_segments=_segments(given, "remove_from_segments"),
    )


def _segments(given: Parameters, name: str) -> tuple[int, ...]:
    """Numbers of static segments."""
    if given.get(name) is None:
        return ()
    numbers = [Parameters({name: one}).integer(name) for one in given.sequence(name)]
    if len(numbers) > _MOST_SEGMENTS:
        raise SojournError("bad_parameter", f"The parameter {name} names {_MOST_SEGMENTS} segments at most.", name)
    return tuple(dict.fromkeys(numbers))


def keys_of_call(given: Parameters) -> dict[str, Any]:
    """What a call says to find one profile by."""
    return {name: given.get(name) for name in _KEYS if given.get(name) is not None}


def single_record(given: Parameters) -> Record:
    """The record of a call about one profile.

    Raises:
        SojournError: `data` is missing or no object.
    """
    if given.get("data") is None:
        raise SojournError("parameter_missing", "The parameter data is needed.", "data")
    return _record(keys_of_call(given), given.mapping("data"))


def batch_record(element: Any) -> Record | None:
    """The record of one element of a batch, with its fields under `data` or beside its keys; None if it is no object."""
    if not isinstance(element, dict):
        return None
    keys = {name: element[name] for name in _KEYS if element.get(name) is not None}
    nested = element.get("data")
    return _record(keys, nested if isinstance(nested, dict) else element)


def _record(keys: Mapping[str, Any], values: Mapping[str, Any]) -> Record:
    fields = {name: value for name, value in values.items() if name not in _NOT_FIELDS}
    given = values.get("subscriptions")
    if isinstance(given, dict):
        given = [given]
    if given is not None and not isinstance(given, list):
        given = [None]
    return Record(keys, fields, [subscription_of(item) for item in given or ()])


def subscription_of(item: Any) -> SubscriptionInput:
    """A subscription as clients write it; what it lacks is told by the import itself."""
    if not isinstance(item, dict):
        return SubscriptionInput(None, None, None)
    channel = item.get("channel")
    return SubscriptionInput(
        resource_id=item.get("resource_id"),
        channel=channel,
        contact=_contact(channel, item),
        status=item.get("status"),
        priority=item.get("priority"),
        cats=item.get("cats"),
        custom=item.get("custom_fields"),
        opted_in_at=item.get("date"),
        ip=item.get("ip"),
        url=item.get("url"),
        consent=item.get("consent"),
    )


def _contact(channel: Any, item: Mapping[str, Any]) -> Any:
    if channel == "email":
        nested = item.get("email_data")
        return item.get("email") or (nested.get("email") if isinstance(nested, dict) else None)
    if channel == "sms":
        return item.get("phone")
    if channel == "push":
        provider, contact = item.get("provider"), item.get("subscription_id")
        return f"{provider}:{contact}" if provider and contact else None
    data = item.get("cc_data")
    if not isinstance(data, dict):
        return item.get("contact") or item.get("phone")
    return data.get("id") or data.get("phone")
