"""Own fields of a resource's subscriptions: typed, for one channel each, kept in the subscription."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles.fields import CUSTOM_TYPES, Field
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.profiles.values import PLAIN, Misfit, parse_value

TYPES = ("integer", "float", "line", "date", "boolean", "enum")
MOST_FIELDS = 100
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class SubscriptionField:
    """One field of the subscriptions of one channel; a `required` one must come with every new subscription that brings own fields."""

    channel: int
    name: str
    title: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False

    def as_field(self) -> Field:
        """The same as a field whose values can be read."""
        return Field(self.name, self.title, self.type, "", CUSTOM_TYPES[self.type], False, self.options, self.required)


READ = """(SELECT coalesce(jsonb_agg(jsonb_build_array(f.channel, f.name, f.title, f.type, coalesce(to_jsonb(f.options), '[]'), f.required) ORDER BY f.channel, f.id), '[]')
   FROM resource_field f WHERE f.resource_id = resource.id)"""
"""SQL: the fields of a row of `resource`, for `read_fields`."""


def read_fields(rows: Sequence[Sequence[Any]]) -> tuple[SubscriptionField, ...]:
    """The fields that `READ` tells of."""
    return tuple(
        SubscriptionField(channel, name, title, kind, tuple(options), required)
        for channel, name, title, kind, options, required in rows
    )


def set_fields(connection: psycopg.Connection[Any], resource_id: int, wanted: Sequence[SubscriptionField]) -> None:
    """Make the own fields of a resource those wanted. Values of a field that is gone stay in the subscriptions, unseen.

    Raises:
        SojournError: `bad_name`, `bad_title`, `bad_type`, `bad_options`, `too_many_fields`. NotFound: `unknown_resource`.
        Conflict: `field_exists`, `type_fixed`: a field keeps its type, for values of it are there.
    """
    _check(wanted)
    with connection.transaction():
        if connection.execute("SELECT FROM resource WHERE id = %s FOR UPDATE", (resource_id,)).fetchone() is None:
            raise NotFound("unknown_resource", f"There is no resource “{resource_id}”.", "resource_id")
        rows = connection.execute(
            "SELECT channel, name, type FROM resource_field WHERE resource_id = %s", (resource_id,)
        )
        known: dict[tuple[int, str], str] = {(channel, name): kind for channel, name, kind in rows}
        for place, one in enumerate(wanted):
            if known.get((one.channel, one.name), one.type) != one.type:
                raise Conflict("type_fixed", "The type of a field stays as it is.", f"fields.{place}.type")
        keys = [(one.channel, one.name) for one in wanted]
        for channel, name in known.keys() - set(keys):
            connection.execute(
                "DELETE FROM resource_field WHERE resource_id = %s AND channel = %s AND name = %s", (resource_id, channel, name)
            )  # fmt: skip
        for one in wanted:
            connection.execute(
                "INSERT INTO resource_field (resource_id, channel, name, title, type, options, required) VALUES (%s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (resource_id, channel, name) DO UPDATE SET title = excluded.title, options = excluded.options, required = excluded.required",
                (resource_id, one.channel, one.name, one.title, one.type, list(one.options) or None, one.required),
            )


def _check(wanted: Sequence[SubscriptionField]) -> None:
    if len(wanted) > MOST_FIELDS:
        raise SojournError("too_many_fields", f"A resource has {MOST_FIELDS} own fields at most.", "fields")
    seen: set[tuple[int, str]] = set()
    for number, one in enumerate(wanted):
        place = f"fields.{number}"
        if not _NAME.fullmatch(one.name):
            raise SojournError(
                "bad_name", "A name has up to 63 small Latin letters, digits and low lines.", f"{place}.name"
            )
        if not 1 <= len(one.title.strip()) <= 200 or "\x00" in one.title:
            raise SojournError("bad_title", "A title of 1 to 200 characters is needed.", f"{place}.title")
        if one.type not in TYPES:
            raise SojournError("bad_type", f"A type is one of {', '.join(TYPES)}.", f"{place}.type")
        if (one.type == "enum") != bool(one.options) or any(not o.strip() or len(o) > 200 for o in one.options):
            raise SojournError(
                "bad_options", "A list of values belongs to the type enum, and to it only.", f"{place}.options"
            )
        if (one.channel, one.name) in seen:
            raise Conflict(
                "field_exists",
                f"Two fields of {CHANNEL_WORDS[one.channel]} have the name “{one.name}”.",
                f"{place}.name",
            )
        seen.add((one.channel, one.name))


def read_own(fields: Sequence[SubscriptionField], channel: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """Own values of a subscription as they are kept: those of known fields by their type, others as they came.

    Raises:
        Misfit: a value does not fit its field, or one that is required is missing.
    """
    read = dict(given)
    for one in fields:
        if one.channel != channel:
            continue
        value, problem = parse_value(one.as_field(), given.get(one.name), PLAIN)
        if problem:
            raise Misfit(problem.code, f"“{one.name}”: {problem.message}")
        if value is None and one.required:
            raise Misfit("required_missing", f"A subscription needs the field “{one.name}”.")
        if one.name in given:
            read[one.name] = value.isoformat() if isinstance(value, datetime | date) else value
    return read
