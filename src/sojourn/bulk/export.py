"""Export of profiles into a file, as a background task: one moment for all rows, whatever changes meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from pydantic import BaseModel, ConfigDict, Field

from sojourn.bulk.audience import Audience, Selection, chosen, select
from sojourn.bulk.formats import SUFFIXES, Column, Format, Kind, writer
from sojourn.kernel import Clock, Settings, public_id
from sojourn.kernel.errors import Problem, SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.statement import quoted
from sojourn.kernel.tasks import Report, Task, TaskFunction
from sojourn.profiles import Database, database
from sojourn.profiles import Field as ProfileField
from sojourn.profiles import resource as find_resource
from sojourn.profiles.fields import SEXES
from sojourn.profiles.resources import channel_number
from sojourn.profiles.statuses import CHANNEL_WORDS, STATUS_WORDS
from sojourn.segments import Lookup, check, resolve

EXPORT = "profile_export"
"""The kind of this task."""
LARGEST = 8 << 30
"""Bytes of a file that is kept."""
_BATCH = 5_000
_READ = 1 << 20
_KINDS: dict[str, Kind] = {
    "integer": "integer", "float": "float", "boolean": "boolean", "tags": "tags", "phones": "tags", "object": "object", "objects": "object",
}  # fmt: skip
_ALWAYS = (Column("profile_id", "text"), Column("created_at", "moment"), Column("updated_at", "moment"))
Connection = psycopg.Connection[Any]


class SubscriptionColumns(BaseModel):
    """Two columns for a resource and channel: the contact that is written to, and its status."""

    model_config = ConfigDict(extra="forbid")

    resource_id: int
    channel: str = "email"


class ExportArguments(BaseModel):
    """The `arguments` of the task. `fields` None: all that are not hidden."""

    model_config = ConfigDict(extra="forbid")

    audience: Audience
    format: Format = "csv"
    fields: list[str] | None = None
    subscriptions: list[SubscriptionColumns] = Field([], max_length=20)
    delimiter: str = Field(",", pattern="^[,;|\t]$")
    safe: bool = True
    """CSV: a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    name: str = Field("profiles", max_length=100)
    user_id: int | None = None


def prepared(connection: Connection, given: ExportArguments, lookup: Lookup) -> ExportArguments:
    """The arguments with names resolved, after everything about them was checked.

    Raises:
        SojournError: `bad_export` with its problems, `bad_rules`. NotFound: a database, segment or resource does not exist.
    """
    base = database(connection, given.audience.database_id)
    problems = [
        Problem("unknown_field", f"The database “{base.name}” has no field “{name}”.", "fields")
        for name in given.fields or ()
        if name not in base.fields
    ]
    if given.audience.rules:
        problems += check(given.audience.rules, base, lookup, "audience.rules")
    if problems:
        raise SojournError("bad_export", problems[0].message, problems[0].place, problems=problems)
    for wanted in given.subscriptions:
        find_resource(connection, wanted.resource_id)
        channel_number(wanted.channel)
    rules = resolve(given.audience.rules, lookup) if given.audience.rules else None
    return given.model_copy(update={"audience": given.audience.model_copy(update={"rules": rules})})


def export_task(settings: Settings) -> TaskFunction:
    """The function of the task kind `EXPORT`; its result names the file in the store."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = ExportArguments.model_validate(task.arguments)
        suffix = SUFFIXES[given.format]
        with tempfile.TemporaryDirectory(prefix="export-", dir=settings.data) as folder:
            path = Path(folder) / f"export{suffix}"
            rows = _write(connection, clock, given, path, report)
            with path.open("rb") as file:
                key = FileStore.of(settings).save(iter(lambda: file.read(_READ), b""), LARGEST, suffix)
            size = path.stat().st_size
        return {"rows": rows, "bytes": size, "file": key, "name": f"{_file_name(given.name)}{suffix}"}

    return run


def _file_name(name: str) -> str:
    """A name that every system takes."""
    kept = "".join(sign if sign.isalnum() or sign in "-_ ." else "_" for sign in name).strip(" .")
    return kept or "profiles"


def _write(connection: Connection, clock: Clock, given: ExportArguments, path: Path, report: Report) -> int:
    base = database(connection, given.audience.database_id)
    fields = [base.field(name) for name in given.fields] if given.fields is not None else list(base.fields.values())
    columns, expressions = _columns(connection, fields, given.subscriptions)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        selection = select(connection, base, given.audience, clock.now())
        total = connection.execute(
            f"SELECT count(*) FROM ({chosen(selection, base, 'p.id')}) x", selection.values
        ).fetchone()
        report(0, total[0] if total else None)
        out = writer(given.format, path, columns, delimiter=given.delimiter, safe=given.safe)
        done = 0
        try:
            for rows in _batches(connection, selection, base, expressions):
                out.write([_in_words(row, fields, len(given.subscriptions)) for row in rows])
                done += len(rows)
                report(done)
        finally:
            out.close()
        return done


def _batches(
    connection: Connection, selection: Selection, base: Database, expressions: str
) -> Iterator[list[tuple[Any, ...]]]:
    with connection.cursor("export") as cursor:
        cursor.execute(
            f"SELECT {expressions} FROM ({chosen(selection, base, 'p.id, p.lane')}) x JOIN {quoted(base.table)} p ON p.lane = x.lane AND p.id = x.id ORDER BY p.id",
            selection.values,
        )
        while rows := cursor.fetchmany(_BATCH):
            yield rows


def _columns(
    connection: Connection, fields: Sequence[ProfileField], subscriptions: Sequence[SubscriptionColumns]
) -> tuple[list[Column], str]:
    columns = [*_ALWAYS, *(Column(field.name, _kind(field)) for field in fields)]
    expressions = ["p.id", "p.created_at", "p.updated_at", *(f"p.{quoted(field.column)}" for field in fields)]
    for wanted in subscriptions:
        name = find_resource(connection, wanted.resource_id).name
        channel = channel_number(wanted.channel)
        columns += [
            Column(f"{name}: {CHANNEL_WORDS[channel]}", "text"),
            Column(f"{name}: {CHANNEL_WORDS[channel]} status", "text"),
        ]
        # The numbers come out of models and registries, never as text of a user.
        own = f"s.lane = p.lane AND s.profile_id = p.id AND s.resource_id = {int(wanted.resource_id)} AND s.channel = {int(channel)} AND s.preferred"
        expressions += [f"(SELECT s.{what} FROM subscription s WHERE {own})" for what in ("contact", "effective")]
    return columns, ", ".join(expressions)


def _kind(field: ProfileField) -> Kind:
    if field.type == "date":
        return "day" if field.sql_type == "date" else "moment"
    return _KINDS.get(field.type, "text")


def _in_words(row: Sequence[Any], fields: Sequence[ProfileField], subscriptions: int) -> list[Any]:
    """The id as people know it, numbers of genders and statuses as words."""
    values = list(row)
    values[0] = public_id(values[0])
    for number, field in enumerate(fields, len(_ALWAYS)):
        if values[number] is not None and field.type in ("sex", "status"):
            values[number] = (SEXES if field.type == "sex" else STATUS_WORDS)[values[number]]
    first = len(_ALWAYS) + len(fields) + 1
    for number in range(first, first + 2 * subscriptions, 2):
        if values[number] is not None:
            values[number] = STATUS_WORDS[values[number]]
    return values
