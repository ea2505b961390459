"""The export of a suppression list as a task, in the form in which lists are exchanged: MD5 digests."""

from __future__ import annotations

from typing import Any

from sojourn.kernel import Clock, Settings
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Connection, Report, Task, TaskFunction
from sojourn.profiles.suppression import export_lines

SUPPRESSION_EXPORT = "suppression_export"
"""The kind of the task; its arguments: `list`, and `kinds`, the words of the kinds that are wanted."""
_LARGEST = 2 << 30


def suppression_export_task(settings: Settings) -> TaskFunction:
    """The function of the task kind `SUPPRESSION_EXPORT`."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        wanted = set(task.arguments["kinds"])
        rows = 0
        with FileStore.of(settings).create(_LARGEST, ".csv") as writer:
            for number, line in enumerate(export_lines(connection, int(task.arguments["list"]))):
                if number == 0 or line.partition(",")[0] in wanted:
                    writer.write(line.encode())
                    rows += number > 0
                if number % 50_000 == 0:
                    report(number, None)
        name = f"{task.arguments['list']}_suppression.csv"
        return {"rows": rows, "bytes": writer.size, "file": writer.key, "name": name}

    return run
