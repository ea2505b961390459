"""SQL builders of profiles: the parts of compiled statements that write profile rows, with the change rows that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sojourn.events import touch
from sojourn.kernel.statement import Bindings, quoted
from sojourn.profiles.databases import Database, Field

Operation = Literal["set", "clear", "increase", "decrease", "add_tags", "remove_tags"]
CHANGE_UPDATED, CAUSE_SCENARIO = 2, 6

OPERATIONS: dict[Operation, frozenset[str]] = {
    "set": frozenset({"integer", "float", "line", "date", "boolean", "enum", "ip", "tags", "sex"}),
    "clear": frozenset(
        {"integer", "float", "line", "date", "boolean", "enum", "ip", "tags", "object", "objects", "sex"}
    ),
    "increase": frozenset({"integer", "float"}),
    "decrease": frozenset({"integer", "float"}),
    "add_tags": frozenset({"tags"}),
    "remove_tags": frozenset({"tags"}),
}
"""What can be done to a field, by field type."""


@dataclass(frozen=True)
class Assignment:
    """One field and what happens to it; `value` is already of the field's type."""

    field: Field
    operation: Operation
    value: Any = None

    def expression(self, row: str, bindings: Bindings) -> str:
        """The new value, in terms of the old row."""
        column, kind = f"{row}.{quoted(self.field.column)}", self.field.sql_type
        match self.operation:
            case "clear":
                return "NULL"
            case "increase":
                return f"coalesce({column}, 0) + {bindings.bind(self.value, kind)}"
            case "decrease":
                return f"coalesce({column}, 0) - {bindings.bind(self.value, kind)}"
            case "add_tags":
                return f"(SELECT array_agg(DISTINCT t) FROM unnest(coalesce({column}, '{{}}') || {bindings.bind(self.value, kind)}) t)"
            case "remove_tags":
                return (
                    f"(SELECT array_agg(t) FROM unnest({column}) t WHERE t <> ALL({bindings.bind(self.value, kind)}))"
                )
        return bindings.bind(self.value, kind)


def update(
    name: str,
    source: str,
    database: Database,
    assignments: Sequence[Assignment],
    lane: str,
    scenario_id: int,
    bindings: Bindings,
) -> list[tuple[str, str]]:
    """Update the profiles of the set `source` (profile_id, at), one row each, and record each change: (name, body) of the parts.

    Rows are locked in the order of profiles that all writers keep, so nobody waits crosswise with an import.
    """
    sets = ", ".join(f"{quoted(a.field.column)} = {a.expression('p', bindings)}" for a in assignments)
    before = ", ".join(
        f"old.{quoted(a.field.column)} AS o{i}, new.{quoted(a.field.column)} AS n{i}" for i, a in enumerate(assignments)
    )
    labels = [bindings.bind(a.field.name, "text") for a in assignments]
    old = ", ".join(f"{label}, u.o{i}" for i, label in enumerate(labels))
    new = ", ".join(f"{label}, u.n{i}" for i, label in enumerate(labels))
    changed = " OR ".join(f"u.o{i} IS DISTINCT FROM u.n{i}" for i in range(len(assignments)))
    return [
        (
            name,
            f"""UPDATE {quoted(database.table)} p SET {sets}, updated_at = f.at FROM (SELECT s.* FROM {source} s ORDER BY s.profile_id) f
    WHERE p.lane = {lane} AND p.id = f.profile_id RETURNING p.id, f.at, {before}""",
        ),
        (
            f"{name}_change",
            f"""INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
    SELECT u.id, u.at, {bindings.bind(database.id, "int")}, {lane}, {CHANGE_UPDATED}::smallint, {CAUSE_SCENARIO}::smallint, {bindings.bind(scenario_id, "bigint")},
      jsonb_build_object({old}), jsonb_build_object({new}) FROM {name} u WHERE {changed}""",
        ),
        (f"{name}_touched", touch(f"{name} u", "profile", profile="u.id", lane=lane)),
    ]
