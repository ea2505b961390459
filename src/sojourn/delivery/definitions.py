"""What an API request sends: stored once when a scenario is published, never changed."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_DEFINE = """
INSERT INTO request_definition (method, url, headers, body, content_type, timeout_seconds, attempts, repeat_in_doubt, save)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""


def define_request(
    connection: psycopg.Connection[Any],
    *,
    method: str,
    url: str,
    headers: dict[str, str],
    body: str | None,
    content_type: str,
    timeout_seconds: float,
    attempts: int,
    repeat_in_doubt: bool,
    save: dict[str, str],
) -> int:
    """Store a definition; tells its id. URL, headers and body are Liquid texts; `save` maps names to JSONPaths into the answer."""
    row = connection.execute(
        _DEFINE,
        (method, url, Jsonb(headers), body, content_type, timeout_seconds, attempts, repeat_in_doubt, Jsonb(save)),
    ).fetchone()
    assert row
    return int(row[0])
