"""A field gets another type: what converts is shown beforehand, then the values are copied into a new column beside running work, and swapped.

Values are read by the same parser as in imports, so a converted value is what an import of its text would have made of it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.statement import quoted
from sojourn.kernel.tasks import Report, Task, TaskFunction
from sojourn.profiles.field_changes import check_no_writing_task, check_not_used, drop_column, own_field, patiently
from sojourn.profiles.fields import CUSTOM_TYPES, Field, check_field, custom_fields, remake_view
from sojourn.profiles.table import add_column, table_name
from sojourn.profiles.values import parse_value

CONVERT = "field_conversion"
"""The kind of the task."""
Connection = psycopg.Connection[Any]
Misfits = Literal["refuse", "clear"]
_EXAMPLES = 20
_EXACT_ROWS = 200_000
_SAMPLED_LANES = 4
_BATCH = 5_000
_ROUNDS = 1_000
_AT_SWAP = 500
"""So few changed rows may be left for the moment in which everybody waits."""


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
            for value in (value for page in self.pages(lane) for _, value in page):
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

    def pages(self, lane: int) -> Iterator[list[tuple[int, Any]]]:
        """Filled values of a lane by id, each page of its own moment."""
        column, after = quoted(self.field.column), 0
        statement = (
            f"SELECT id, {column} FROM {quoted(table_name(self._database_id))}"
            f" WHERE lane = %s AND id > %s AND {column} IS NOT NULL ORDER BY lane, id LIMIT {_BATCH}"
        )
        while rows := self._connection.execute(statement, (lane, after)).fetchall():
            yield rows
            after = rows[-1][0]


def convert_task() -> TaskFunction:
    """The function of the task kind `CONVERT`; arguments: database, field, type, options, misfits."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = task.arguments
        conversion = Conversion(connection, given["database"], given["field"], given["type"], given["options"])
        return _Copy(connection, task.id, given["database"], conversion, given["misfits"]).run(report)

    return run


class _Copy:
    """Copies beside running writers: a trigger notes whom they changed, those are converted again, the last of them at the swap."""

    def __init__(
        self, connection: Connection, task_id: int, database_id: int, conversion: Conversion, misfits: Misfits
    ) -> None:
        self._connection, self._database_id = connection, database_id
        self._conversion, self._misfits = conversion, misfits
        self._column = f"f{conversion.field.id}_{task_id}"
        self._names = {
            "table": quoted(table_name(database_id)), "old": quoted(conversion.field.column), "new": quoted(self._column),
            "changed": quoted(f"conversion_{task_id}"), "note": quoted(f"note_conversion_{task_id}"),
            "type": conversion.target.sql_type, "value": _ARRAY if conversion.target.sql_type == "text[]" else "x.value",
            "given": "jsonb" if conversion.target.sql_type == "text[]" else conversion.target.sql_type,
        }  # fmt: skip
        self.cleared = 0

    def run(self, report: Report) -> dict[str, Any]:
        patiently(self._connection, self._begin)
        try:
            for lane in range(LANES):
                for page in self._conversion.pages(lane):
                    self._write(lane, page)
                report(lane + 1, LANES)
            for _ in range(_ROUNDS):
                if self._catch_up(_BATCH) < _AT_SWAP:
                    break
                report(LANES, LANES)
            patiently(self._connection, self._swap)
        except BaseException:
            patiently(self._connection, self._clear)
            raise
        return {"cleared": self.cleared}

    def _execute(self, statement: str, values: Sequence[Any] | dict[str, Any] | None = None) -> psycopg.Cursor[Any]:
        return self._connection.execute(statement.format(**self._names), values)

    def _begin(self) -> None:
        self._clear()  # of a run that was broken off
        add_column(self._connection, self._database_id, self._column, self._conversion.target.sql_type)
        self._execute(_NOTE_CHANGES)

    def _clear(self) -> None:
        self._execute("DROP FUNCTION IF EXISTS {note} CASCADE")
        self._execute("DROP TABLE IF EXISTS {changed}")
        drop_column(self._connection, self._database_id, self._column)

    def _write(self, lane: int, rows: Sequence[tuple[int, Any]]) -> None:
        """Put converted values beside the old ones. Nobody is waited for: whoever is being changed at the moment is noted for later."""
        ids = [number for number, _ in rows]
        values = [self._converted(value) for _, value in rows]
        self._execute(_WRITE, {"lane": lane, "ids": ids, "values": values})

    def _converted(self, value: Any) -> Any:
        if value is None:
            return None
        new, reason = self._conversion.convert(value)
        if reason is not None:
            if self._misfits == "refuse":
                raise SojournError(
                    "does_not_convert", f"The value “{text_of(value)[:100]}” does not convert: {reason}", "type"
                )
            self.cleared += 1
        return Jsonb(new) if self._names["given"] == "jsonb" and new is not None else new

    def _catch_up(self, most: int) -> int:
        """Convert those who were changed meanwhile; how many there were."""
        with self._connection.transaction():
            found = self._execute(_TAKE_CHANGED, (most,)).fetchall()
            for lane in sorted({row[0] for row in found}):
                self._write(lane, [(number, value) for at, number, value in found if at == lane])
        return len(found)

    def _swap(self) -> None:
        """Convert the last ones while everybody waits, and let the field be the new column."""
        connection, field, target = self._connection, self._conversion.field, self._conversion.target
        self._execute("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        check_no_writing_task(connection, self._database_id)
        while self._catch_up(_BATCH):
            pass
        swapped = connection.execute(
            "UPDATE profile_field SET type = %s, column_name = %s, options = %s WHERE id = %s AND coalesce(column_name, 'f' || id) = %s",
            (target.type, self._column, list(target.options) or None, field.id, field.column),
        )
        if not swapped.rowcount:
            raise Conflict("field_changed", "The field was changed or deleted meanwhile; look at it again.", "field")
        self._execute("DROP FUNCTION {note} CASCADE; DROP TABLE {changed}")
        remake_view(connection, self._database_id, custom_fields(connection, self._database_id))
        drop_column(connection, self._database_id, field.column)


_ARRAY = "CASE WHEN x.value IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(x.value)) END"
_NOTE_CHANGES = """
CREATE UNLOGGED TABLE {changed} (lane smallint NOT NULL, id bigint NOT NULL);
CREATE FUNCTION {note}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO {changed} VALUES (NEW.lane, NEW.id); RETURN NULL; END $$;
CREATE TRIGGER {note} AFTER INSERT OR UPDATE OF {old} ON {table} FOR EACH ROW EXECUTE FUNCTION {note}();
"""
# Rows that somebody else holds are not waited for, so that no writer and no conversion can block each other.
_WRITE = """
WITH free AS (SELECT id FROM {table} WHERE lane = %(lane)s AND id = ANY(%(ids)s::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED),
later AS (INSERT INTO {changed} SELECT %(lane)s, p.id FROM {table} p WHERE p.lane = %(lane)s AND p.id = ANY(%(ids)s::bigint[]) AND p.id NOT IN (SELECT id FROM free))
UPDATE {table} p SET {new} = {value} FROM unnest(%(ids)s::bigint[], %(values)s::{given}[]) x(id, value)
 WHERE p.lane = %(lane)s AND p.id = x.id AND p.id IN (SELECT id FROM free)
"""
_TAKE_CHANGED = """
WITH taken AS (DELETE FROM {changed} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {changed} LIMIT %s)) RETURNING lane, id)
SELECT DISTINCT ON (t.lane, t.id) t.lane, t.id, p.{old} FROM taken t JOIN {table} p ON p.lane = t.lane AND p.id = t.id ORDER BY t.lane, t.id
"""


__all__ = ["CONVERT", "Conversion", "Example", "Preview", "convert_task"]
