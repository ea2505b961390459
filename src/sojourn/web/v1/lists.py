"""`databases/list`, `resources/list`, and what all lists have in common: pages by the first id, inclusive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sojourn.kernel.errors import SojournError
from sojourn.profiles import Field, database, list_databases, list_resources, resource
from sojourn.profiles.resources import channel_number
from sojourn.profiles.statuses import CHANNEL_WORDS, TELEGRAM
from sojourn.web.installation import Connection
from sojourn.web.v1.answers import success
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters

LARGEST = 1_000
_TYPES = {"integer": "int", "line": "unicode", "enum": "unicode", "boolean": "bool"}
"""Types of fields under the names that integrations know; the others are the same."""
_COUNTS = {
    "scenario": "SELECT count(*) FROM scenario WHERE account_id = 1",
    "profile_database": "SELECT count(*) FROM profile_database WHERE account_id = 1",
    "resource": "SELECT count(*) FROM resource WHERE account_id = 1",
}


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which part of a list is wanted, and with which tags."""

    from_id: int
    limit: int
    tags: frozenset[str]

    @classmethod
    def of(cls, given: Parameters) -> PageAsked:
        """As a call asks for it.

        Raises:
            SojournError: a parameter is wrong, or not offered.
        """
        given.refuse("groups", "groups_id", "attributes")
        limit = given.integer("limit", default=LARGEST)
        if limit < 1:
            raise SojournError("bad_parameter", "The parameter limit is 1 or more.", "limit")
        tags = given.sequence("ui_tags") if given.get("ui_tags") else []
        return cls(
            max(1, min(given.integer("from_id", default=1), 1 << 31)), min(limit, LARGEST), frozenset(map(str, tags))
        )

    def wants(self, tags: Iterable[str]) -> bool:
        """Whether an object with these tags is wanted."""
        return not self.tags or bool(self.tags.intersection(tags))

    def next(self, last_id: int | None) -> int:
        """Where the next page begins; a client reads until one is empty."""
        return self.from_id if last_id is None else last_id + 1

    def count(self, connection: Connection, table: Literal["scenario", "profile_database", "resource"]) -> int:
        """How many there are in all."""
        row: Any = connection.execute(_COUNTS[table]).fetchone()
        return int(row[0])


def list_all_databases(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`databases/list`."""
    page = PageAsked.of(given)
    found = list_databases(call.connection, after=page.from_id - 1, limit=page.limit)
    items = [{"id": one.id, "name": one.name, "ui_tags": [], "Groups": []} for one in found if page.wants(())]
    return success(
        data=items,
        next_from_id=page.next(found[-1].id if found else None),
        total_count=page.count(call.connection, "profile_database"),
    )


def list_all_resources(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`resources/list`."""
    page = PageAsked.of(given)
    found = list_resources(call.connection, after=page.from_id - 1, limit=page.limit)
    items = [{"id": one.id, "name": one.name, "groups": []} for one in found if page.wants(())]
    return success(
        data=items,
        next_from_id=page.next(found[-1].id if found else None),
        total_count=page.count(call.connection, "resource"),
    )


def get_database(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`databases/get`."""
    found = database(call.connection, given.integer("id"))
    row = call.connection.execute(
        "SELECT suppression_list_id FROM profile_database WHERE id = %s", (found.id,)
    ).fetchone()
    told = {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "suppress_id": row[0] if row else None,
    }
    return success(data=told)


def get_database_fields(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`databases/fields_get`."""
    found = database(call.connection, given.integer("id"))
    return success(data=[_field(field) for field in found.fields.values()])


def _field(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {
        "category": "system" if field.builtin else "custom", "title": field.title, "name": field.name, "required": field.required,
        "type": _TYPES.get(field.type, field.type),
    }  # fmt: skip
    return told | ({"dictionary": list(field.options)} if field.options else {})


def get_resource(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`resources/get`."""
    found = resource(call.connection, given.integer("id"))
    channels = ["telegram_bot" if number == TELEGRAM else CHANNEL_WORDS[number] for number in found.channels]
    told = {
        "id": found.id,
        "name": found.name,
        "url": found.url,
        "channels": channels,
        "dbs_ids": list(found.database_ids),
    }
    return success(data=told)


def get_resource_fields(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`resources/fields_get`: the own fields of the subscriptions of one channel."""
    found, channel = resource(call.connection, given.integer("id")), channel_number(given.text("channel"))
    return success(data=[_field(one.as_field()) for one in found.fields if one.channel == channel])
