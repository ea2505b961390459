"""Import triggers: new profiles of an import start the scenarios that listen to its database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from sojourn.profiles import change_sets
from sojourn.triggers.captures import PRIORITY_IMPORT

_SOURCES = {
    "manual": ["any_import", "manual_import"],
    "api": ["any_import", "api_import"],
    "file": ["any_import", "file_import"],
}
_WANTED = "SELECT EXISTS (SELECT FROM trigger_subscription WHERE database_id = %s AND trigger = ANY(%s))"
# One statement, inside the import's transaction: who is recorded as new is at the door in the same moment, or neither.
_CAPTURE = """
INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority)
SELECT c.profile_id, %s, t.scenario_id, t.node_id, (c.profile_id & 63)::smallint, %s
  FROM change_set c, trigger_subscription t
 WHERE c.kind = 1 AND t.database_id = %s AND t.trigger = ANY(%s)
"""


class ImportTriggers:
    """Consumes change sets of imports (see `profiles.change_sets`)."""

    def wanted(self, connection: psycopg.Connection[Any], database_id: int, source: str) -> bool:
        row = connection.execute(_WANTED, (database_id, _SOURCES.get(source, ["any_import"]))).fetchone()
        return bool(row and row[0])

    def consume(self, connection: psycopg.Connection[Any], at: datetime, database_id: int, source: str) -> None:
        connection.execute(_CAPTURE, (at, PRIORITY_IMPORT, database_id, _SOURCES.get(source, ["any_import"])))


def register_import_triggers() -> None:
    """Let imports start scenarios."""
    change_sets.register(ImportTriggers())
