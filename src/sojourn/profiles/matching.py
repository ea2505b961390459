"""Matching: how a record finds its profile. Found are the candidates of the first way that has any; the oldest (lowest id) is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sojourn.kernel import parse_public_id
from sojourn.kernel.errors import Problem, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.statuses import (
    CHANNEL_NUMBERS,
    CHANNEL_WORDS,
    EMAIL,
    IDENTITY_EMAIL,
    IDENTITY_EMAIL_SUBSCRIPTION,
    IDENTITY_FIELD,
    IDENTITY_OTHER,
    IDENTITY_PHONE,
    IDENTITY_PUSH,
    IDENTITY_SMS_SUBSCRIPTION,
    PUSH,
    SMS,
    VIBER,
    WHATSAPP,
)  # fmt: skip
from sojourn.profiles.values import Misfit, Reading, email_value, parse_value, phone_value, text_value

Matching = Literal[
    "email", "email_profile", "email_sub", "phone", "phone_sub", "profile_id", "push_sub", "custom", "custom_sub", "email_phone", "email_phone_sub", "none"
]  # fmt: skip

TAG_SEPARATOR = "\x1f"
_BY_EMAIL = frozenset({"email", "email_profile", "email_sub", "email_phone", "email_phone_sub"})
_BY_PHONE = frozenset({"phone", "phone_sub", "email_phone", "email_phone_sub"})
MATCHINGS = _BY_EMAIL | _BY_PHONE | {"profile_id", "push_sub", "custom", "custom_sub", "none"}
# No kinds of `identity` themselves: a profile's own address or phone to which it has a subscription. Files subscribe new profiles to what is
# theirs anyway, and a second row for the same contact would be a fifth of the work.
_OWN_EMAIL, _OWN_PHONE = 101, 102
_OWN = {_OWN_EMAIL: (IDENTITY_EMAIL, EMAIL), _OWN_PHONE: (IDENTITY_PHONE, SMS)}
_KINDS: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "email": (("key1", (IDENTITY_EMAIL, IDENTITY_EMAIL_SUBSCRIPTION)),),
    "email_profile": (("key1", (IDENTITY_EMAIL,)),),
    "email_sub": (("key1", (IDENTITY_EMAIL_SUBSCRIPTION, _OWN_EMAIL)),),
    "phone": (("key1", (IDENTITY_PHONE, IDENTITY_SMS_SUBSCRIPTION)),),
    "phone_sub": (("key1", (IDENTITY_SMS_SUBSCRIPTION, _OWN_PHONE)),),
    "push_sub": (("key1", (IDENTITY_PUSH,)),),
    "custom_sub": (("key1", (IDENTITY_OTHER,)),),
    "email_phone": (("key1", (IDENTITY_EMAIL,)), ("key2", (IDENTITY_PHONE,))),
    "email_phone_sub": (
        ("key1", (IDENTITY_EMAIL_SUBSCRIPTION, _OWN_EMAIL)),
        ("key2", (IDENTITY_SMS_SUBSCRIPTION, _OWN_PHONE)),
    ),
}
"""Mode → ways in their order: the key's column and the kinds of identity it is looked for in."""

OTHER_CHANNELS = tuple(word for number, word in CHANNEL_WORDS.items() if number not in (EMAIL, SMS, PUSH))
"""Channels by whose subscriptions `custom_sub` finds profiles: words of `field_name`."""

_CHANNEL_OF = {IDENTITY_EMAIL_SUBSCRIPTION: EMAIL, IDENTITY_SMS_SUBSCRIPTION: SMS}


class Key(NamedTuple):
    """What one record is looked for by; `second` only where a mode has two ways."""

    first: str | None = None
    second: str | None = None


def check_matching(database: Database, matching: str, field_name: str | None) -> None:
    """Refuse a matching that the database cannot serve.

    Raises:
        SojournError: `unknown_matching`, `unknown_field`, `field_not_matchable`.
    """
    if matching not in MATCHINGS:
        raise SojournError("unknown_matching", f"A matching is one of {', '.join(sorted(MATCHINGS))}.", "matching")
    if matching == "custom_sub" and field_name not in OTHER_CHANNELS:
        raise SojournError(
            "unknown_channel",
            f"Found by a subscription is who has one of {', '.join(OTHER_CHANNELS)}: name the channel.",
            "field_name",
        )
    if matching == "custom" and not database.field(field_name or "").matching:
        raise SojournError(
            "field_not_matchable",
            f"Profiles are not kept findable by the field “{field_name}”: switch that on first.",
            "field_name",
        )


def keys_of(
    database: Database,
    matching: Matching,
    field_name: str | None,
    keys: Mapping[str, Any],
    fields: Mapping[str, Any],
    reading: Reading,
) -> Key | Problem:
    """The key of a record, or what is wrong with it. E-mail, phone and custom field are looked for among the fields too."""
    place = "email"
    try:
        if matching in _BY_EMAIL and matching not in _BY_PHONE:
            key = Key(_email(keys, fields))
        elif matching in ("phone", "phone_sub"):
            place = "phone"
            key = Key(_phone(keys, fields, reading))
        elif matching in _BY_PHONE:
            email = _email(keys, fields)
            place = "phone"
            key = Key(email, _phone(keys, fields, reading))
        elif matching == "profile_id":
            place = "profile_id"
            key = Key(_profile_id(keys.get("profile_id")))
        elif matching == "push_sub":
            place = "subscription_id"
            key = Key(_push(keys.get("provider"), keys.get("subscription_id")))
        elif matching == "custom_sub":
            place = "field_value"
            key = Key(_other(field_name, keys.get("field_value"), reading))
        elif matching == "custom":
            place = field_name or "field_name"
            known = database.field(place)
            key = Key(field_key(known, keys.get("field_value", fields.get(known.name)), reading))
        else:
            return Key()
    except Misfit as misfit:
        return misfit.problem(place)
    except SojournError as error:
        return Problem(error.code, error.message, error.place)
    if key.first is None and key.second is None:
        return Problem("matching_key_missing", f"What the record is to be found by (“{matching}”) is missing.", place)
    return key


def _email(keys: Mapping[str, Any], fields: Mapping[str, Any]) -> str | None:
    value = keys.get("email") or fields.get("email")
    return None if value is None or (isinstance(value, str) and not value.strip()) else email_value(value)


def _phone(keys: Mapping[str, Any], fields: Mapping[str, Any], reading: Reading) -> str | None:
    value = keys.get("phone") or fields.get("phones")
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None or (isinstance(value, str) and not value.strip()) else phone_value(value, reading)


def _profile_id(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return str(value)
    return None if value in (None, "") else str(parse_public_id(str(value).strip()))


def _push(provider: Any, subscription_id: Any) -> str | None:
    if provider in (None, "") or subscription_id in (None, ""):
        return None
    return f"{text_value(provider).strip()}:{text_value(subscription_id).strip()}"[:500]


def _other(channel: str | None, contact: Any, reading: Reading) -> str | None:
    if contact in (None, "") or channel not in OTHER_CHANNELS:
        return None
    number = CHANNEL_NUMBERS[channel]
    return f"{number}:{phone_value(contact, reading) if number in (WHATSAPP, VIBER) else text_value(contact).strip()}"


def field_key(field: Field, value: Any, reading: Reading) -> str | None:
    """The value of a custom field as it stands in `identity`; tags joined by `TAG_SEPARATOR`.

    Raises:
        Misfit: it is no value of the field.
    """
    parsed, problem = parse_value(field, value, reading)
    if problem:
        raise Misfit(problem.code, problem.message)
    if parsed is None or parsed == []:
        return None
    return TAG_SEPARATOR.join(parsed) if isinstance(parsed, list) else str(parsed)


def kinds_of(matching: Matching) -> tuple[int, ...]:
    """The kinds of identity that a mode looks in, those of custom fields left out."""
    return tuple(kind for _, kinds in _KINDS.get(matching, ()) for kind in kinds if kind not in _OWN)


def candidates(
    database: Database, matching: Matching, field_name: str | None, resource_id: int | None, absent: frozenset[int] = frozenset()
) -> list[str]:  # fmt: skip
    """SQL: for each way of the mode a subquery over a row `s(key1, key2)` that gives the oldest profile ids, two at most of each kind.

    Each is bounded by LIMIT, so that it is a probe of an index for every row, whatever the statistics say: joined in one go,
    stale statistics turn the matching of a chunk into a scan of everybody. Kinds in `absent` are not looked in.
    """
    if matching == "none":
        return []
    if matching == "profile_id":
        return [
            f"(SELECT p.id FROM {quoted(database.table)} p WHERE p.lane = (s.key1::bigint & 63)::smallint AND p.id = s.key1::bigint LIMIT 1)"
            " UNION ALL (SELECT a.survivor_id FROM profile_alias a WHERE a.lane = (s.key1::bigint & 63)::smallint AND a.profile_id = s.key1::bigint"
            f" AND a.database_id = {int(database.id)} LIMIT 1)"
        ]
    if matching == "custom":
        return [_by_field(database.id, database.field(field_name or ""))]
    ways = [(column, tuple(kind for kind in kinds if kind not in absent)) for column, kinds in _KINDS[matching]]
    return [_union(database.id, column, kinds, resource_id) for column, kinds in ways if kinds]


def _union(database_id: int, column: str, kinds: tuple[int, ...], resource_id: int | None) -> str:
    probes = [_probe(database_id, column, kind, resource_id) for kind in kinds]
    return " UNION ALL ".join(f"({probe})" for probe in probes)


def _probe(database_id: int, column: str, kind: int, resource_id: int | None) -> str:
    narrowed = ""
    if kind in _OWN:
        kind, channel = _OWN[kind]
        of_resource = "" if resource_id is None else f" AND n.resource_id = {int(resource_id)}"
        narrowed = f""" AND EXISTS (SELECT FROM subscription n WHERE n.lane = i.lane AND n.profile_id = i.profile_id
          AND n.channel = {channel} AND n.contact = i.value{of_resource})"""
    if resource_id is not None and kind in _CHANNEL_OF:
        narrowed = f""" AND EXISTS (SELECT FROM subscription n WHERE n.lane = i.lane AND n.profile_id = i.profile_id
          AND n.resource_id = {int(resource_id)} AND n.channel = {_CHANNEL_OF[kind]} AND n.contact = i.value)"""
    bound = "" if kind == IDENTITY_EMAIL else " ORDER BY i.profile_id LIMIT 2"  # a profile's own address is unique
    return f"SELECT i.profile_id FROM identity i WHERE i.database_id = {int(database_id)} AND i.kind = {kind} AND i.value = s.{column}{narrowed}{bound}"


def _by_field(database_id: int, field: Field) -> str:
    if field.type != "tags":
        return (
            f"SELECT i.profile_id FROM identity i WHERE i.database_id = {int(database_id)} AND i.kind = {IDENTITY_FIELD} AND i.value = '{field.id}:' || s.key1"
            " ORDER BY i.profile_id LIMIT 2"
        )
    return f"""SELECT i.profile_id FROM unnest(string_to_array(s.key1, chr({ord(TAG_SEPARATOR)}))) t
      JOIN identity i ON i.database_id = {int(database_id)} AND i.kind = {IDENTITY_FIELD} AND i.value = '{field.id}:' || t
     GROUP BY i.profile_id HAVING count(*) = cardinality(string_to_array(s.key1, chr({ord(TAG_SEPARATOR)}))) ORDER BY i.profile_id LIMIT 2"""


def creation_defaults(database: Database, matching: Matching, field_name: str | None, key: Key) -> dict[str, Any]:
    """What a new profile gets from its key where the record does not say otherwise, by field: else it would not be found next time."""
    defaults: dict[str, Any] = {}
    if key.first is not None and matching in ("email", "email_profile", "email_phone"):
        defaults["email"] = key.first
    phone = key.first if matching == "phone" else key.second if matching == "email_phone" else None
    if phone is not None:
        defaults["phones"] = [phone]
    if matching == "custom" and key.first is not None:
        field = database.field(field_name or "")
        value: Any = key.first.split(TAG_SEPARATOR) if field.type == "tags" else key.first
        defaults[field.name] = int(key.first) if field.type == "integer" else value
    return defaults


def owns_email(matching: Matching) -> bool:
    """Whether the mode finds a profile by its own e-mail: then whoever lost the race for an address finds the winner at the next look."""
    return matching in ("email", "email_profile", "email_phone")


def needs_lock(matching: Matching) -> bool:
    """Whether creation must be serialised by a lock on the key, since no unique index does it."""
    return matching not in ("email", "email_profile", "profile_id", "none")
