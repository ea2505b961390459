"""`custom_request`: a query over profile fields as clients write it for a document database, in the part of it that is safe and clear.

Equality, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`, `$in`, `$nin`, `$exists`, joined by `$and`, `$or` and `$nor`, over known fields.
It becomes a rule tree, so it means the same as in segments.
"""

from __future__ import annotations

from typing import Any

from sojourn.kernel.errors import SojournError
from sojourn.segments import Tree

_COMPARISONS = {"$eq": "eq", "$ne": "ne", "$gt": "gt", "$gte": "ge", "$lt": "lt", "$lte": "le", "$in": "in"}
_JOINS = {"$and": "all", "$or": "any"}
_DEEPEST = 8


def rules_of(query: Any, depth: int = 0) -> Tree | None:
    """The rule tree of a query; None if it asks nothing.

    Raises:
        SojournError: `bad_custom_request` with what is not understood.
    """
    if not isinstance(query, dict) or depth > _DEEPEST:
        raise _refused("is an object, not too deep")
    parts = [_part(key, value, depth) for key, value in query.items()]
    found = [part for part in parts if part is not None]
    if not found:
        return None
    return found[0] if len(found) == 1 else {"all": found}


def _part(key: str, value: Any, depth: int) -> Tree | None:
    if key in _JOINS or key == "$nor":
        if not isinstance(value, list):
            raise _refused(f"needs a list behind {key}")
        inner = [tree for tree in (rules_of(item, depth + 1) for item in value) if tree is not None]
        if not inner:
            return None
        return {"not": {"any": inner}} if key == "$nor" else {_JOINS[key]: inner}
    if key.startswith("$"):
        raise _refused(f"does not know {key}")
    if not isinstance(value, dict) or not any(str(name).startswith("$") for name in value):
        return _null(key) if value is None else {"rule": "field", "field": key, "operator": "eq", "value": value}
    tests = [_test(key, operator, operand) for operator, operand in value.items()]
    return tests[0] if len(tests) == 1 else {"all": tests}


def _test(field: str, operator: str, operand: Any) -> Tree:
    if operator == "$exists":
        return {"rule": "field", "field": field, "operator": "set" if operand else "not_set"}
    if operator == "$nin":
        return {"not": {"rule": "field", "field": field, "operator": "in", "value": operand}}
    if operator not in _COMPARISONS:
        raise _refused(f"does not know {operator}")
    if operand is None:
        return {"not": _null(field)} if operator == "$ne" else _null(field)
    return {"rule": "field", "field": field, "operator": _COMPARISONS[operator], "value": operand}


def _null(field: str) -> Tree:
    return {"rule": "field", "field": field, "operator": "not_set"}


def _refused(what: str) -> SojournError:
    return SojournError("bad_custom_request", f"The query {what}.", "custom_request")
