"""A field gets another type: what converts is shown beforehand, then the values are copied into a new column beside running work, and swapped.

Values are read by the same parser as in imports, so a converted value is what an import of its text would have made of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict, SojournError, Unavailable
from sojourn.kernel.statement import quoted
from sojourn.kernel.tasks import Report, Task, TaskFunction
from sojourn.profiles.field_changes import check_not_used, drop_column, own_field
from sojourn.profiles.fields import CUSTOM_TYPES, Field, check_field, custom_fields, remake_view
from sojourn.profiles.table import PatientChange, add_column, table_name
from sojourn.profiles.values import parse_value

CONVERT = "field_conversion"
"""The kind of the task."""
Connection = psycopg.Connection[Any]
Misfits = Literal["refuse", "clear"]
_EXAMPLES = 20
_EXACT_ROWS = 200_000
_SAMPLED_LANES = 4
_BATCH = 5_000
_MARGIN = timedelta(minutes=10)
"""Writers read the clock at the start of their transaction: what was changed so long before the start of the copy is looked at again."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value that does not convert, how it looks as text, and why."""

    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """How many values convert and how many do not; not `exact`: projected from some of the lanes."""

    fits: int
    misfits: int
    exact: bool
    examples: tuple[Example, ...]


def text_of(value: Any) -> str:
    """A value as an import would read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        out = io.StringIO()
        csv.writer(out, lineterminator="").writerow(value)
        return out.getvalue()
    if isinstance(value, (dict, list)):
        import json

        return json.dumps(value, ensure_ascii=False)
    return str(value)


class Conversion:
    """One field and what it is to become."""

    def __init__(
        self, connection: Connection, database_id: int, name: str, kind: str, options: Sequence[str] | None
    ) -> None:
        self._connection, self._database_id = connection, database_id
        self.field = own_field(connection, database_id, name)
        if kind == self.field.type:
            raise SojournError("same_type", f"The field is of type {kind} already.", "type")
        check_field(name, self.field.title, kind, options, False)
        if self.field.matching:
            raise Conflict("field_for_matching", "Profiles are found by this field; it keeps its type.", "type")
        check_not_used(connection, database_id, name)
        self.target = Field(name, self.field.title, kind, "", CUSTOM_TYPES[kind], options=tuple(options or ()))

    def convert(self, value: Any) -> tuple[Any, str | None]:
        """The new value, or why there is none."""
        text = text_of(value)
        if self.target.type in ("integer", "float") and text.endswith(".0"):
            text = text[:-2]
        new, problem = parse_value(self.target, text)
        return new, problem.message if problem else None

    def preview(self) -> Preview:
        """What would convert."""
        lanes = self._preview_lanes()
        fits = misfits = 0
        examples: dict[str, Example] = {}
        for lane in lanes:
            for _, value in self._values(lane, 0):
                _, reason = self.convert(value)
                fits, misfits = fits + (reason is None), misfits + (reason is not None)
                if reason is not None and len(examples) < _EXAMPLES:
                    examples.setdefault(text_of(value)[:200], Example(text_of(value)[:200], reason))
        share = LANES / len(lanes)
        return Preview(round(fits * share), round(misfits * share), len(lanes) == LANES, tuple(examples.values()))

    def _preview_lanes(self) -> range:
        row = self._connection.execute(
            "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", (table_name(self._database_id),)
        ).fetchone()
        return range(_SAMPLED_LANES if row and row[0] > _EXACT_ROWS else LANES)

    def _values(self, lane: int, after: int) -> Iterator[tuple[int, Any]]:
        """Filled values of a lane by id, page by page, each page of its own moment."""
        statement = (
            f"SELECT id, {quoted(self.field.column)} FROM {quoted(table_name(self._database_id))}"
            f" WHERE lane = %s AND id > %s AND {quoted(self.field.column)} IS NOT NULL ORDER BY lane, id LIMIT {_BATCH}"
        )
        while rows := self._connection.execute(statement, (lane, after)).fetchall():
            yield from rows
            after = rows[-1][0]


def convert_task() -> TaskFunction:
    """The function of the task kind `CONVERT`; arguments: database, field, type, options, misfits."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = task.arguments
        conversion = Conversion(connection, given["database"], given["field"], given["type"], given["options"])
        return _Copy(connection, clock, given["database"], conversion, given["misfits"]).run(task.id, report)

    return run


class _Copy:
    def __init__(
        self, connection: Connection, clock: Clock, database_id: int, conversion: Conversion, misfits: Misfits
    ) -> None:
        self._connection, self._clock, self._database_id = connection, clock, database_id
        self._conversion, self._misfits = conversion, misfits
        self._table = quoted(table_name(database_id))
        self._old = quoted(conversion.field.column)
        self.cleared = 0

    def run(self, task_id: int, report: Report) -> dict[str, Any]:
        started = self._clock.now() - _MARGIN
        column = f"f{self._conversion.field.id}_{task_id}"
        self._new = quoted(column)
        self._patiently(lambda: self._begin(column))
        try:
            for lane in range(LANES):
                self._lane(lane)
                report(lane + 1, LANES)
            self._patiently(lambda: self._swap(column, started))
        except BaseException:
            self._patiently(lambda: drop_column(self._connection, self._database_id, column))
            raise
        return {"cleared": self.cleared}

    def _patiently(self, change: Any) -> None:
        patient = PatientChange(self._connection)
        for _ in patient.attempts():
            try:
                with self._connection.transaction():
                    patient.begin()
                    change()
                return
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                continue

    def _begin(self, column: str) -> None:
        drop_column(self._connection, self._database_id, column)  # of a run that was broken off
        add_column(self._connection, self._database_id, column, self._conversion.target.sql_type)

    def _lane(self, lane: int) -> None:
        batch: list[tuple[int, Any]] = []
        for row in self._conversion._values(lane, 0):
            batch.append(row)
            if len(batch) == _BATCH:
                self._write(lane, batch)
                batch = []
        self._write(lane, batch)

    def _write(self, lane: int, rows: Sequence[tuple[int, Any]]) -> None:
        """Put converted values beside the old ones. A row that was changed meanwhile is converted again at the swap."""
        ids, values = [], []
        for number, value in rows:
            new, reason = self._conversion.convert(value)
            if reason is not None:
                if self._misfits == "refuse":
                    raise SojournError(
                        "does_not_convert", f"The value “{text_of(value)[:100]}” does not convert: {reason}", "type"
                    )
                self.cleared += 1
            ids.append(number)
            values.append(Jsonb(new) if self._conversion.target.sql_type == "jsonb" and new is not None else new)
        if not ids:
            return
        if self._conversion.target.sql_type == "text[]":  # arrays of unequal length do not nest
            for number, value in zip(ids, values, strict=True):
                self._connection.execute(
                    f"UPDATE {self._table} SET {self._new} = %s WHERE lane = %s AND id = %s", (value, lane, number)
                )
            return
        self._connection.execute(
            f"UPDATE {self._table} p SET {self._new} = x.value FROM unnest(%s::bigint[], %s::{self._conversion.target.sql_type}[]) x(id, value) WHERE p.lane = %s AND p.id = x.id",
            (ids, values, lane),
        )

    def _swap(self, column: str, started: datetime) -> None:
        """Convert what was changed meanwhile while writers wait, and let the field be the new column."""
        connection, field = self._connection, self._conversion.field
        connection.execute(f"LOCK TABLE {self._table} IN SHARE ROW EXCLUSIVE MODE")
        if connection.execute(
            "SELECT 1 FROM background_task WHERE kind = 'profile_import' AND state = 'running' AND (arguments ->> 'database_id')::int = %s",
            (self._database_id,),
        ).fetchone():
            raise Unavailable(
                "import_running",
                "An import into this database is running; convert the field when it has ended.",
                "field",
            )
        late = connection.execute(
            f"SELECT lane, id, {self._old} FROM {self._table} WHERE updated_at >= %s", (started,)
        ).fetchall()
        connection.execute(f"UPDATE {self._table} SET {self._new} = NULL WHERE updated_at >= %s", (started,))
        for lane in sorted({row[0] for row in late}):
            self._write(lane, [(row[1], row[2]) for row in late if row[0] == lane and row[2] is not None])
        connection.execute(
            "UPDATE profile_field SET type = %s, column_name = %s, options = %s WHERE id = %s",
            (self._conversion.target.type, column, list(self._conversion.target.options) or None, field.id),
        )
        remake_view(connection, self._database_id, custom_fields(connection, self._database_id))
        drop_column(connection, self._database_id, field.column)


__all__ = ["CONVERT", "Conversion", "Example", "Preview", "convert_task"]
