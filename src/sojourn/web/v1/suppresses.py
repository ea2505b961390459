"""`suppresses/…`: suppression lists, as integrations fill them."""

from __future__ import annotations

from typing import Any

from sojourn.profiles.suppression import BY_API, KindWord, add_entries, create_list
from sojourn.web.v1.answers import success
from sojourn.web.v1.method import Function, V1Call
from sojourn.web.v1.parameters import Parameters


def add(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`suppresses/add`: make a list."""
    return success(data={"saved_id": create_list(call.connection, call.clock, given.text("name")).id})


def add_values(name: str, kind: KindWord) -> Function:
    """`suppresses/emails_add`, `phones_add`, `domains_add`."""

    def work(call: V1Call, given: Parameters) -> dict[str, Any]:
        values = [str(value) for value in given.sequence(name)]
        with call.connection.transaction():
            added = add_entries(call.connection, call.clock, given.integer("id"), values, kind=kind, reason=BY_API)
        told = {
            "total_count": added.total,
            "total_duplicated": added.duplicated,
            "total_imported": added.imported,
            "total_updated": 0,
        }
        return success(data=told, **told)

    return work
