"""CSV files into profiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.profiles.csv_reader import CsvReader
from sojourn.profiles.databases import Database
from sojourn.profiles.import_options import FileOptions, Report, SubscribeAll
from sojourn.profiles.row_import import Progress, Reject, import_rows

__all__ = ["FileOptions", "Report", "SubscribeAll", "import_csv"]


def import_csv(
    connection: psycopg.Connection[Any], clock: Clock, database: Database, path: Path, options: FileOptions, *, progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None, reject: Reject | None = None,
) -> Report:  # fmt: skip
    """Import a CSV file of any size; see `import_rows`.

    Raises:
        SojournError: the file cannot be read: `empty_file`, `unknown_encoding`, `unknown_delimiter`, `unknown_quote`, `bad_header`; and what
            `import_rows` raises.
    """
    reader = CsvReader(
        path,
        encoding=options.encoding,
        delimiter=options.delimiter,
        quote=options.quote,
        has_header=options.has_header,
    )
    return import_rows(
        connection, clock, database, reader, options, progress=progress, cancelled=cancelled, reject=reject
    )
