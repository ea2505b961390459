"""`relations/…`: who is related to whom, as integrations tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sojourn.kernel import public_id
from sojourn.kernel.errors import SojournError
from sojourn.profiles import database
from sojourn.profiles.relations import RelationType, list_relations, modify, relate, relation_type, unrelate
from sojourn.web.profile_rows import find_profile
from sojourn.web.v1.answers import success
from sojourn.web.v1.method import Function, V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.profile_input import import_options, keys_of_call

_MODES = frozenset({"email", "email_profile", "phone", "profile_id", "custom"})
_MOST = 1_000


def write(change: Callable[..., dict[str, Any]]) -> Function:
    """`relations/edit` and `relations/add` (weights are replaced), `relations/modify` (numbers are added)."""

    def work(call: V1Call, given: Parameters) -> dict[str, Any]:
        kind = relation_type(call.connection, given.integer("rel_id"))
        ends = [_end(call, given, kind, side) for side in ("a", "b")]
        weights = given.mapping("weights") if given.get("weights") is not None else {}
        return success(data={"weights": change(call.connection, call.clock, kind, *ends, weights)})

    return work


edit, add_to = write(relate), write(modify)


def delete(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`relations/delete`: end a relation; one that is not there is no error."""
    kind = relation_type(call.connection, given.integer("rel_id"))
    ended = unrelate(call.connection, kind, *(_end(call, given, kind, side) for side in ("a", "b")))
    return success(deleted=int(ended))


def get(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`relations/get`: the relations of a profile of A."""
    kind = relation_type(call.connection, given.integer("rel_id"))
    profile_id = _found(call, given, kind.database_a)
    found = [
        one
        for one in list_relations(call.connection, profile_id, type_id=kind.id, limit=_MOST)
        if one.direction == "from"
    ]
    return success(
        data=[
            {"profile_id_a": public_id(profile_id), "profile_id_b": public_id(one.other), "db_b": one.database, **one.weights}
            for one in found
        ]
    )  # fmt: skip


def _end(call: V1Call, given: Parameters, kind: RelationType, side: str) -> int:
    keys = Parameters(given.mapping(f"profile_{side}"))
    return _found(call, keys, kind.database_a if side == "a" else kind.database_b)


def _found(call: V1Call, keys: Parameters, database_id: int) -> int:
    default = "profile_id" if keys.get("profile_id") is not None else "email"
    matching = keys.text("matching", default)
    if matching not in _MODES:
        raise SojournError("unknown_matching", f"A matching is one of {', '.join(sorted(_MODES))} here.", "matching")
    options = import_options(Parameters({**keys.values, "matching": matching}), "update")
    return find_profile(call.connection, database(call.connection, database_id), options, keys_of_call(keys))
