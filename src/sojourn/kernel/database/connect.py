"""Connections to the database, all of one kind: UTC, no time-out surprises, named after what they serve."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_OPTIONS = "-c timezone=UTC -c client_min_messages=warning -c jit=off"


def _conninfo(url: str, part: str) -> str:
    return make_conninfo(url, application_name=f"sojourn {part}", options=_OPTIONS, connect_timeout=10)


def connect(url: str, part: str, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection for `part` (engine, worker, …), in autocommit unless asked otherwise: transactions are written out."""
    connection = psycopg.connect(_conninfo(url, part), autocommit=autocommit)
    connection.prepare_threshold = 3
    return connection


async def connect_async(url: str, part: str, *, autocommit: bool = True) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """As `connect`, for code that runs in an event loop."""
    connection = await psycopg.AsyncConnection.connect(_conninfo(url, part), autocommit=autocommit)
    connection.prepare_threshold = 3
    return connection


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return make_conninfo("", **{**conninfo_to_dict(url), "dbname": name})
