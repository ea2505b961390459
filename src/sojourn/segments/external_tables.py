"""Outside tables: values of other systems that rules compare with, fetched by a job so that no rule calls anybody.

A fetch writes a new generation beside the one in use and then takes its place. One that fails leaves the old one usable for a while; after
that, rules over the table stop with an error instead of answering from nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from xml.etree import ElementTree

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from sojourn.connections import RowKind, kind_named, link, opened
from sojourn.connections.http import content_of
from sojourn.kernel import Clock, Settings
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Report, Task, TaskFunction, create_task, open_task
from sojourn.profiles.import_arguments import ReadingArguments
from sojourn.profiles.opening_files import Named, open_files
from sojourn.profiles.reading_rows import as_text, named_columns

FETCH = "external_fetch"
"""The kind of the task; its argument: `table`."""
MOST_VALUES = 1_000_000
"""Values of one table."""
MOST_BYTES = 100 << 20
_MOST_COLUMNS = 20
_LONGEST_VALUE = 1_000
_AGAIN = timedelta(minutes=5)
_SHORT_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
Connection = psycopg.Connection[Any]
_COLUMNS = """id, name, short_name, kind, connection_id, settings, columns, keep_seconds, generation, row_count, fetched_at, usable_until, next_at, error, failed_at,
  created_at, updated_at"""


class TableDraft(BaseModel):
    """An outside table as it is to be.

    `sql`: a `query` over a connection. `http`: the answer of a connection's address; JSON and XML with a `path` such as `segment.emails`, plain
    text with one value a line. `list`: the `values` themselves. `file`: an uploaded file by its key.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    short_name: Annotated[str, Field(max_length=100)]
    kind: Literal["sql", "http", "file", "list"]
    connection_id: int | None = None
    query: Annotated[str, Field(max_length=100_000)] = ""
    path: Annotated[str, Field(max_length=500)] = ""
    values: Annotated[list[str], Field(max_length=MOST_VALUES)] = []
    file: Annotated[str, Field(max_length=100)] = ""
    file_name: Annotated[str, Field(max_length=200)] = ""
    keep_seconds: int = Field(3_600, ge=300, le=2_592_000)


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """An outside table. `usable_until` None: for ever, as lists and files are; `generation` 0: never fetched."""

    id: int
    name: str
    short_name: str
    kind: str
    connection_id: int | None
    settings: dict[str, Any]
    columns: list[str]
    keep_seconds: int
    generation: int
    row_count: int | None
    fetched_at: datetime | None
    usable_until: datetime | None
    next_at: datetime | None
    error: str | None
    failed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def fetched(self) -> bool:
        """Whether it is fetched from elsewhere again and again."""
        return self.kind in ("sql", "http")


def external_table(connection: Connection, table_id: int) -> ExternalTable:
    """One table.

    Raises:
        NotFound: `unknown_external_table`.
    """
    row = None
    if 0 < table_id < 1 << 31:
        row = connection.execute(f"SELECT {_COLUMNS} FROM external_table WHERE id = %s", (table_id,)).fetchone()
    if row is None:
        raise NotFound("unknown_external_table", "There is no such outside table.", "table_id")
    return ExternalTable(*row)


def list_external_tables(connection: Connection, *, after: int = 0, limit: int = 100) -> list[ExternalTable]:
    """Tables in the order of their numbers, after the number `after`, 1,000 at most."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM external_table WHERE id > %s ORDER BY id LIMIT %s", (after, max(0, min(limit, 1_000)))
    )
    return [ExternalTable(*row) for row in rows]


def create_external_table(connection: Connection, clock: Clock, settings: Settings, draft: TableDraft) -> ExternalTable:
    """Make a table. Lists and files are taken at once; one that is fetched is due at once, and unusable until it was.

    Raises:
        SojournError: `bad_name`, `bad_short_name`, `connection_needed`, `wrong_source`, `no_values`, `too_many_values`, and what the file's reader raises.
        NotFound: `unknown_connection`, `unknown_file`. Conflict: `external_table_exists`.
    """
    _check(connection, draft)
    with connection.transaction():
        try:
            row = connection.execute(
                "INSERT INTO external_table (created_at, updated_at, name, short_name, kind, connection_id, settings, keep_seconds, next_at)"
                " VALUES (%(at)s, %(at)s, %(name)s, %(short)s, %(kind)s, %(connection)s, %(settings)s, %(keep)s, %(next)s) RETURNING id",
                _values(clock, draft) | {"next": clock.now() if draft.kind in ("sql", "http") else None},
            ).fetchone()
        except psycopg.errors.UniqueViolation:
            raise _exists() from None
        assert row
        _take_own(connection, clock, settings, row[0], draft)
    return external_table(connection, row[0])


def change_external_table(
    connection: Connection, clock: Clock, settings: Settings, table_id: int, draft: TableDraft
) -> ExternalTable:
    """Change a table. With another source its values are not usable until they were fetched anew.

    Raises:
        As `create_external_table`; NotFound: `unknown_external_table`; Conflict: `kind_fixed`.
    """
    known = external_table(connection, table_id)
    if draft.kind != known.kind:
        raise Conflict("kind_fixed", "The kind of a table stays as it is.", "kind")
    _check(connection, draft)
    other = known.fetched and (_source(draft), draft.connection_id) != (known.settings, known.connection_id)
    with connection.transaction():
        try:
            connection.execute(
                "UPDATE external_table SET updated_at = %(at)s, name = %(name)s, short_name = %(short)s, connection_id = %(connection)s, settings = %(settings)s,"
                " keep_seconds = %(keep)s, next_at = CASE WHEN kind IN ('sql', 'http') THEN %(at)s END,"
                " generation = CASE WHEN %(other)s THEN 0 ELSE generation END WHERE id = %(id)s",
                _values(clock, draft) | {"other": other, "id": table_id},
            )
        except psycopg.errors.UniqueViolation:
            raise _exists() from None
        if draft.values or draft.file:
            _take_own(connection, clock, settings, table_id, draft)
    return external_table(connection, table_id)


def delete_external_table(connection: Connection, table_id: int) -> None:
    """Delete a table with its values. Rules that name it stop with an error from then on.

    Raises:
        NotFound: `unknown_external_table`.
    """
    external_table(connection, table_id)
    with connection.transaction():
        connection.execute("DELETE FROM external_value WHERE table_id = %s", (table_id,))
        connection.execute("DELETE FROM external_table WHERE id = %s", (table_id,))


def _check(connection: Connection, draft: TableDraft) -> None:
    if not draft.name.strip() or "\x00" in draft.name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    if not _SHORT_NAME.fullmatch(draft.short_name):
        raise SojournError(
            "bad_short_name", "A short name has small Latin letters, digits and low lines.", "short_name"
        )
    if draft.kind not in ("sql", "http"):
        return
    if draft.connection_id is None:
        raise SojournError("connection_needed", "Choose the connection it is fetched from.", "connection_id")
    kind = kind_named(link(connection, draft.connection_id).kind)
    if kind.code != draft.kind:
        raise SojournError("wrong_source", f"The connection is of the kind {kind.code}.", "connection_id")
    if draft.kind == "sql" and not draft.query.strip():
        raise SojournError("query_missing", "The query is missing.", "query")


def _source(draft: TableDraft) -> dict[str, Any]:
    match draft.kind:
        case "sql":
            return {"query": draft.query}
        case "http":
            return {"path": draft.path}
        case "file":
            return {"file_name": draft.file_name}
    return {}


def _values(clock: Clock, draft: TableDraft) -> dict[str, Any]:
    return {
        "at": clock.now(), "name": draft.name.strip(), "short": draft.short_name, "kind": draft.kind, "settings": Jsonb(_source(draft)),
        "connection": draft.connection_id if draft.kind in ("sql", "http") else None, "keep": draft.keep_seconds,
    }  # fmt: skip


def _exists() -> Conflict:
    return Conflict("external_table_exists", "Another outside table has this name or short name.", "name")


def _take_own(connection: Connection, clock: Clock, settings: Settings, table_id: int, draft: TableDraft) -> None:
    if draft.kind == "list":
        if not any(value.strip() for value in draft.values):
            raise SojournError("no_values", "The list is empty.", "values")
        _replace(connection, clock, table_id, ["value"], ([value] for value in draft.values), None)
    elif draft.kind == "file":
        path = FileStore.of(settings).path(draft.file)
        reader = open_files([Named(path, draft.file_name)], ReadingArguments())
        try:
            rows = (row for chunk in reader.chunks(10_000) for row in chunk.rows)
            _replace(connection, clock, table_id, reader.header, rows, None)
        finally:
            reader.close()
        FileStore.of(settings).delete(draft.file)


# ---------------------------------------------------------------------------------------------- fetching


def start_due_fetches(connection: Connection, clock: Clock) -> int:
    """Start the fetches that are due; tells how many."""
    due = connection.execute(
        "SELECT id FROM external_table WHERE kind IN ('sql', 'http') AND next_at <= %s ORDER BY next_at LIMIT 50",
        (clock.now(),),
    ).fetchall()
    return sum(start_fetch(connection, clock, table_id) is not None for (table_id,) in due)


def start_fetch(connection: Connection, clock: Clock, table_id: int) -> int | None:
    """Have a table fetched; gives the task, or None if it is being fetched already.

    Raises:
        NotFound: `unknown_external_table`. Conflict: `not_fetched`.
    """
    with connection.transaction():
        connection.execute("SELECT FROM external_table WHERE id = %s FOR UPDATE", (table_id,))
        known = external_table(connection, table_id)
        if not known.fetched:
            raise Conflict("not_fetched", "This table is filled by hand, not fetched.", "table_id")
        connection.execute("UPDATE external_table SET next_at = %s WHERE id = %s", (clock.now() + _AGAIN, table_id))
        if open_task(connection, FETCH, {"table": table_id}):
            return None
        return create_task(connection, clock, FETCH, known.name, {"table": table_id})


def fetch_task(settings: Settings) -> TaskFunction:
    """The function of the task kind `FETCH`."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        table_id = int(task.arguments["table"])
        known = external_table(connection, table_id)
        try:
            count = fetch(connection, clock, settings, known)
        except SojournError as error:
            connection.execute(
                "UPDATE external_table SET error = %s, failed_at = %s, next_at = %s WHERE id = %s",
                (
                    error.message[:1_000],
                    clock.now(),
                    clock.now() + min(_AGAIN, timedelta(seconds=known.keep_seconds)),
                    table_id,
                ),
            )
            raise
        report(count, count)
        return {"values": count}

    return run


def fetch(connection: Connection, clock: Clock, settings: Settings, known: ExternalTable) -> int:
    """Fetch the values of a table and put them in place of the old ones; tells how many rows.

    They may be used for twice as long as they are kept, so that one fetch may fail.

    Raises:
        SojournError: why it did not work; the old values stay.
    """
    assert known.connection_id is not None
    usable = timedelta(seconds=2 * known.keep_seconds)
    with _fetched(connection, settings, known) as (columns, rows), connection.transaction():
        return _replace(connection, clock, known.id, columns, rows, usable, keep=timedelta(seconds=known.keep_seconds))


@contextmanager
def _fetched(
    connection: Connection, settings: Settings, known: ExternalTable
) -> Iterator[tuple[list[str], Iterable[Sequence[Any]]]]:
    assert known.connection_id is not None
    kind, ready = opened(connection, settings, known.connection_id)
    if isinstance(kind, RowKind):
        with kind.rows(ready, known.settings["query"], {}) as found:
            yield found.columns, found.rows
        return
    body, media, charset = asyncio.run(content_of(ready, MOST_BYTES))
    yield ["value"], ([value] for value in values_of(body, media, charset, known.settings.get("path", "")))


def values_of(body: bytes, media: str, charset: str | None, path: str) -> list[str]:
    """The values in an answer: behind a path of JSON or XML, or one a line.

    Raises:
        SojournError: `bad_answer`.
    """
    try:
        if "json" in media:
            return list(_in_json(json.loads(body), [part for part in path.split(".") if part]))
        if "xml" in media:
            return _in_xml(body, path)
        return [line.strip() for line in body.decode(charset or "utf-8-sig").splitlines() if line.strip()]
    except (ValueError, LookupError, RecursionError, ElementTree.ParseError):
        raise SojournError("bad_answer", f"The answer ({media}) cannot be read.", "connection_id") from None


def _in_json(value: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _in_json(one, path)
    elif path:
        if not isinstance(value, Mapping) or path[0] not in value:
            raise SojournError("bad_answer", f"The answer has no “{'.'.join(path)}”.", "path")
        yield from _in_json(value[path[0]], path[1:])
    elif isinstance(value, Mapping):
        raise SojournError("bad_answer", "The path leads to an object, not to values.", "path")
    elif value is not None:
        yield as_text(value)


def _in_xml(body: bytes, path: str) -> list[str]:
    if b"<!DOCTYPE" in body[:10_000] or b"<!ENTITY" in body:
        raise SojournError("bad_answer", "XML with own entities is not read.", "connection_id")
    root = ElementTree.fromstring(body)  # entities were refused above
    parts = [part for part in path.split(".") if part]
    if parts and parts[0] == root.tag:
        parts = parts[1:]
    found = [
        one.text.strip()
        for one in (root.findall("/".join(parts)) if parts else list(root))
        if one.text and one.text.strip()
    ]
    if not found:
        raise SojournError("bad_answer", f"The answer has nothing at “{path}”.", "path")
    return found


def _replace(
    connection: Connection, clock: Clock, table_id: int, columns: Sequence[str], rows: Iterable[Sequence[Any]], usable: timedelta | None, *,
    keep: timedelta | None = None,
) -> int:  # fmt: skip
    names = named_columns(columns)
    if len(names) > _MOST_COLUMNS:
        raise SojournError("too_many_columns", f"An outside table has {_MOST_COLUMNS} columns at most.", "query")
    row = connection.execute(
        "UPDATE external_table SET next_generation = next_generation + 1 WHERE id = %s RETURNING next_generation - 1",
        (table_id,),
    ).fetchone()
    assert row
    generation = row[0]
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS fetched_value (column_no smallint NOT NULL, value text NOT NULL) ON COMMIT DELETE ROWS"
    )
    connection.execute("DELETE FROM fetched_value")
    count = _copy(connection, len(names), rows)
    connection.execute(
        "INSERT INTO external_value (table_id, generation, column_no, value) SELECT DISTINCT %s::int, %s::int, column_no, value FROM fetched_value",
        (table_id, generation),
    )
    connection.execute("DELETE FROM external_value WHERE table_id = %s AND generation < %s", (table_id, generation))
    now = clock.now()
    connection.execute(
        "UPDATE external_table SET generation = %s, columns = %s, row_count = %s, fetched_at = %s, usable_until = %s, next_at = %s, error = NULL, failed_at = NULL"
        " WHERE id = %s",
        (
            generation,
            names,
            count,
            now,
            None if usable is None else now + usable,
            None if keep is None else now + keep,
            table_id,
        ),
    )
    return count


def _copy(connection: Connection, width: int, rows: Iterable[Sequence[Any]]) -> int:
    count = values = 0
    with connection.cursor() as cursor, cursor.copy("COPY fetched_value (column_no, value) FROM STDIN") as copy:
        for row in rows:
            count += 1
            for number, value in enumerate(row[:width], 1):
                text = as_text(value).strip().replace("\x00", "")
                if text:
                    values += 1
                    if values > MOST_VALUES:
                        raise SojournError(
                            "too_many_values", f"An outside table has {MOST_VALUES:,} values at most.", "query"
                        )
                    copy.write_row((number, text[:_LONGEST_VALUE]))
    return count
