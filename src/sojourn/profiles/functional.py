"""Functional updates: a field's value given as `{"action": …, "value": …, "submatch": …}` instead of plainly (spec A 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sojourn.profiles.fields import Field
from sojourn.profiles.values import DEEPEST_OBJECT, PARSERS, PLAIN, Misfit, Reading, storable

Action = Literal["set", "clear", "incr", "add", "delete", "upsert"]

_ACTIONS = frozenset({"set", "unset", "incr", "add", "delete", "upsert"})
_KEYS = frozenset({"action", "value", "submatch"})
_TYPES: dict[str, frozenset[str]] = {
    "incr": frozenset({"integer", "float"}),
    "add": frozenset({"tags", "objects"}),
    "delete": frozenset({"tags", "objects"}),
    "upsert": frozenset({"object", "objects"}),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done to one field. `value` is of the field's type, for `upsert` any JSON value; `path` is where `upsert` writes."""

    action: Action
    value: Any = None
    path: tuple[str, ...] = ()


def is_operator(value: Any) -> bool:
    """Whether a value is an operator: it has one of the six actions and no keys but the three."""
    return (
        isinstance(value, dict)
        and value.keys() <= _KEYS
        and isinstance(value.get("action"), str)
        and value["action"] in _ACTIONS
    )


def read_operation(field: Field, value: Any, reading: Reading = PLAIN) -> Operation:
    """The operation behind a value that was given for `field`.

    Raises:
        Misfit: the action does not fit the field, or its value does not.
    """
    if not is_operator(value):
        return _set(field, value, reading)
    action, operand, submatch = value["action"], value.get("value"), value.get("submatch")
    if action == "set":
        return _set(field, operand, reading)
    if action == "unset":
        if field.type == "email":
            raise Misfit("wrong_operation", "An e-mail address cannot be removed.")
        return Operation("clear")
    if field.type not in _TYPES[action]:
        raise Misfit("wrong_operation", f"“{action}” does not fit a field of type {field.type}.")
    if operand is None:
        raise Misfit("value_missing", f"“{action}” needs a value.")
    if action == "upsert":
        return Operation("upsert", _storable(operand), _path(submatch))
    if field.type == "objects" and isinstance(operand, dict):
        operand = [operand]
    return Operation(action, PARSERS[field.type](field, operand, reading))


def _set(field: Field, value: Any, reading: Reading) -> Operation:
    if value is None or (isinstance(value, str) and not value.strip()):
        return Operation("clear")
    parsed = PARSERS[field.type](field, value, reading)
    return (
        Operation("clear")
        if parsed is None or (parsed == [] and field.sql_type == "text[]")
        else Operation("set", parsed)
    )


def _path(submatch: Any) -> tuple[str, ...]:
    if not isinstance(submatch, str) or not submatch or not storable(submatch):
        raise Misfit("submatch_missing", "“upsert” needs the path of a property in “submatch”, such as key.sub_key.")
    path = tuple(submatch.split("."))
    if len(path) > DEEPEST_OBJECT or not all(path):
        raise Misfit("submatch_missing", "The path in “submatch” has empty steps or is too long.")
    return path


def _storable(value: Any) -> Any:
    if not storable(value):
        raise Misfit("incorrect_object", "The value holds something that cannot be kept.")
    return value


def in_memory(field: Field, action: str) -> bool:
    """Whether an action is worked out in Python, under the lock of the profile's row, and not by an expression."""
    return action == "upsert" or (action == "delete" and field.type == "objects")


def work_out(field: Field, operation: Operation, old: Any) -> Any:
    """The new value of an object field after an action that is worked out in memory; `old` is None where there was none."""
    if operation.action == "delete":
        return [item for item in old if item not in operation.value] or None if old else None
    if field.type == "objects":
        return (
            [_written(item, operation.path, operation.value) if _has(item, operation.path) else item for item in old]
            if old
            else None
        )
    return _written(old if isinstance(old, dict) else {}, operation.path, operation.value)


def _has(item: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(item, dict) or step not in item:
            return False
        item = item[step]
    return True


def _written(item: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of `item` with `value` at `path`; what stands in the way and is no object gives way."""
    inner = item.get(path[0])
    return item | {
        path[0]: value if len(path) == 1 else _written(inner if isinstance(inner, dict) else {}, path[1:], value)
    }
