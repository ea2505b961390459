"""What all faces of one web process share: settings, clock, connections, and the sign that the process is about to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from sojourn.access.api_tokens import token_key
from sojourn.kernel import Clock, Settings
from sojourn.kernel.database import own_server_url

Connection = psycopg.Connection[Any]
CONNECTIONS = 8
"""Connections to the database that a web process holds at most for its calls."""
_OPTIONS = "-c timezone=UTC -c client_min_messages=warning -c jit=off -c statement_timeout=60000"


class Installation:
    """One web process' view of the installation."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.database_url = settings.database_url or own_server_url(settings)
        self.token_key = token_key(settings)
        self.stopping = threading.Event()
        """Set when the process has been asked to end: answers that last, such as event streams, then end too."""
        self.pool: ConnectionPool[Connection] = ConnectionPool(
            self.database_url,
            kwargs={
                "autocommit": True,
                "prepare_threshold": 3,
                "application_name": "sojourn web",
                "options": _OPTIONS,
                "connect_timeout": 10,
            },
            min_size=1,
            max_size=CONNECTIONS,
            max_idle=60.0,
            max_waiting=200,
            timeout=10.0,
            check=ConnectionPool.check_connection,
            open=False,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit, waited for at most ten seconds.

        Raises:
            psycopg_pool.PoolTimeout, psycopg.OperationalError: the database cannot be reached.
        """
        with self.pool.connection() as connection:
            yield connection
