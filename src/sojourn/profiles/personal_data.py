"""What is kept about one person, for the person: one JSON text, written piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sojourn.kernel import public_id
from sojourn.kernel.holdings import holdings
from sojourn.profiles.databases import Database
from sojourn.profiles.erasure import person
from sojourn.profiles.profile import get_profile
from sojourn.profiles.statuses import CHANNEL_WORDS, STATUS_WORDS

_PAGE = 500


def personal_data(connection: psycopg.Connection[Any], database: Database, profile_id: int) -> Iterator[str]:
    """The pieces of a JSON object: `profile`, then one list for each kind of thing that the rooms keep.

    Raises:
        NotFound: `unknown_profile`, before the first piece.
    """
    wanted = person(connection, database, profile_id)
    found = get_profile(connection, database, profile_id)
    return _pieces(connection, {**found, "id": public_id(profile_id)}, database.name, wanted.values)


def _pieces(
    connection: psycopg.Connection[Any], profile: dict[str, Any], database: str, values: dict[str, Any]
) -> Iterator[str]:
    yield f'{{"database": {_json(database)},\n"profile": {_json(profile)}'
    for holding in holdings():
        if holding.export is None:
            continue
        yield f',\n"{holding.code}": ['
        with connection.transaction(), connection.cursor("personal_data", row_factory=dict_row) as cursor:
            cursor.itersize = _PAGE
            for number, row in enumerate(cursor.execute(holding.export, values)):
                yield (",\n" if number else "\n") + _json(_in_words(row))
        yield "]"
    yield "}\n"


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers of channels and statuses as words; what is empty is left out."""
    words = {key: value for key, value in row.items() if value is not None}
    if "channel" in words:
        words["channel"] = CHANNEL_WORDS.get(words["channel"], words["channel"])
    if "status" in words and "contact" in words:
        words["status"] = STATUS_WORDS[words["status"]]
    return words


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
