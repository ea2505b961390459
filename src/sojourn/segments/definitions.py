"""What rules that refer to other segments need to know of them, read from the database and kept for one compilation."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel.errors import NotFound
from sojourn.segments.rule import SegmentDefinition

_DEFINITION = (
    "SELECT id, name, kind, database_id, resolved, sample, most FROM segment WHERE id = %s AND archived_at IS NULL"
)


class StoredSegments:
    """Segments by number."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._known: dict[int, tuple[Any, ...]] = {}

    def _row(self, segment_id: int) -> tuple[Any, ...]:
        if segment_id not in self._known:
            row = self._connection.execute(_DEFINITION, (segment_id,)).fetchone()
            if row is None:
                raise NotFound("unknown_segment", f"There is no segment {segment_id}.", "segment")
            self._known[segment_id] = row
        return self._known[segment_id]

    def segment(self, segment_id: int) -> SegmentDefinition:
        """See `Definitions`."""
        row = self._row(segment_id)
        return SegmentDefinition(row[0], row[1], row[2], row[3], row[4] if row[2] != "static" else None, row[5])

    def kind(self, segment_id: int) -> tuple[str, int, bool]:
        """Kind, database, and whether it has a limit."""
        row = self._row(segment_id)
        return row[2], row[3], row[6] is not None
