"""`suppresses/…`: suppression lists, as integrations fill them."""

from __future__ import annotations

from typing import Any

from sojourn.kernel.errors import SojournError
from sojourn.kernel.tasks import create_task
from sojourn.profiles.suppression import BY_API, KindWord, add_entries, create_list, get_list
from sojourn.web.v1.answers import success
from sojourn.web.v1.method import Function, V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.suppression_export import SUPPRESSION_EXPORT


def add(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`suppresses/add`: make a list."""
    return success(data={"saved_id": create_list(call.connection, call.clock, given.text("name")).id})


_TYPES = {
    "emails": ("email",), "phones": ("phone",), "domains": ("domain",), "all": ("email", "phone", "domain", "pattern"),
}  # fmt: skip


def export(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`suppresses/export`: begin the export of a list as MD5 digests; answers with the task."""
    found = get_list(call.connection, given.integer("id"))
    kind = given.text("type", "all")
    if kind not in _TYPES:
        raise SojournError("bad_parameter", f"The parameter type is one of {', '.join(_TYPES)}.", "type")
    arguments = {"list": found.id, "kinds": _TYPES[kind]}
    return success(
        data={"task_id": create_task(call.connection, call.clock, SUPPRESSION_EXPORT, found.name, arguments)}
    )


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
