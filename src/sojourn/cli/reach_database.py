"""Gives a command the database: the one that runs, or the installation's own, started for as long as the command lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sojourn.kernel import Settings, SystemClock
from sojourn.kernel.database import DatabaseServer, own_server_url
from sojourn.kernel.errors import Conflict


@contextmanager
def reach_database(settings: Settings) -> Iterator[str]:
    """The address of the database. An own one that does not run is started, migrated, and stopped at the end.

    Raises:
        SojournError: the own database did not start.
    """
    if settings.database_url:
        yield settings.database_url
        return
    server = DatabaseServer(settings)
    try:
        server.start()
    except Conflict:  # `sojourn up` has it
        yield own_server_url(settings)
        return
    try:
        from sojourn.cli.preparation import prepare_database

        prepare_database(SystemClock(), server.url)
        yield server.url
    finally:
        server.stop()
