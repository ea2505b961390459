"""`sojourn import`: a file of profiles, with progress; Ctrl-C ends it after the chunk in hand, and what is applied stays."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sojourn.cli.output import DONE, FAILED, print_json, say
from sojourn.cli.reach_database import reach_database
from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import Clock, Settings, SystemClock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.kernel.tasks import Report, Task, TaskCancelled, create_task, perform
from sojourn.profiles import database as find_database
from sojourn.profiles import list_resources
from sojourn.profiles.rejections import rejections_csv
from sojourn.profiles.resources import channel_number
from sojourn.profiles.tasks import IMPORT, ImportArguments, import_file

_COUNTS = ("total", "created", "updated", "unchanged", "skipped", "rejected")


def import_profiles(
    settings: Settings, file: Path, database: str, mapping: Sequence[str], resource: str | None, channels: Sequence[str], status: str | None,
    rejected: Path | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Run the import in this process; gives the exit code.

    Raises:
        SojournError: the database, the mapping or the file cannot work.
    """
    clock = SystemClock()
    connect_rooms()
    with reach_database(settings) as url, connect(url, "import") as connection:
        found = find_database(connection, int(database) if database.isdigit() else database)
        arguments = _arguments(connection, found.id, mapping, resource, channels, status)
        task_id = create_task(connection, clock, IMPORT, file.name, arguments.model_dump(), queued=False)
        errors: list[SojournError] = []

        def run(own: psycopg.Connection[Any], time: Clock, task: Task, report: Report) -> dict[str, Any]:
            try:
                return import_file(own, time, task, file, report)
            except SojournError as error:
                errors.append(error)
                raise

        with _progress(quiet=as_json) as watch:
            task = perform(url, clock, task_id, watch=watch, function=run)
        if errors:
            raise errors[0]
        if rejected:
            _write_rejected(connection, task, rejected)
    return _tell(task, rejected, as_json)


def _arguments(
    connection: psycopg.Connection[Any], database_id: int, mapping: Sequence[str], resource: str | None, channels: Sequence[str], status: str | None
) -> ImportArguments:  # fmt: skip
    try:
        return ImportArguments(
            database_id=database_id,
            mapping=_mapping(mapping),
            resource_id=_resource_id(connection, resource),
            channels=[channel_number(channel) for channel in channels] or [1],
            status=status,
        )
    except ValidationError as error:
        raise SojournError("bad_option", error.errors()[0]["msg"] + ".", "--status") from None


def _mapping(pairs: Sequence[str]) -> dict[str, str] | None:
    mapping = {}
    for pair in pairs:
        column, sign, field = pair.rpartition("=")
        if not sign or not column or not field:
            raise SojournError("bad_mapping", f"“{pair}” is not COLUMN=FIELD.", "--mapping")
        mapping[column] = field
    return mapping or None


def _resource_id(connection: psycopg.Connection[Any], name: str | None) -> int | None:
    if name is None:
        return None
    after = 0
    while page := list_resources(connection, after=after):
        for item in page:
            if item.name == name or str(item.id) == name:
                return item.id
        after = page[-1].id
    raise NotFound("unknown_resource", f"There is no resource “{name}”.", "--resource")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error. The first Ctrl-C cancels at the next report, a second one at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        say("Stopping after the rows in hand …")

    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    before = signal.signal(signal.SIGINT, ask)
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bars:
            bar = bars.add_task("import", total=None)

            def watch(done: int, total: int | None) -> None:
                bars.update(bar, completed=done, total=total)
                if asked:
                    raise TaskCancelled

            yield watch
    finally:
        signal.signal(signal.SIGINT, before)


def _write_rejected(connection: psycopg.Connection[Any], task: Task, path: Path) -> None:
    header = [str(name) for name in (task.result or {}).get("header") or []]
    with path.open("wb") as file:
        for piece in rejections_csv(connection, task.id, header):
            file.write(piece)


def _tell(task: Task, rejected: Path | None, as_json: bool) -> int:
    counts = {name: (task.result or {}).get(name, 0) for name in _COUNTS}
    if as_json:
        print_json({"task": task.id, "state": task.state, "error": task.error, **counts})
    elif task.error:
        say(f"Error: {task.error}")
    else:
        if task.state == "cancelled":
            say("Cancelled; the rows below are applied and stay.")
        print("  ".join(f"{name}: {counts[name]:,}" for name in _COUNTS))
        if rejected:
            print(f"Rejected lines: {rejected}")
    return DONE if task.state == "completed" else FAILED
