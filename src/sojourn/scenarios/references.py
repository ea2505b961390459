"""Finds what settings name: databases, resources, templates, promo code pools, by id or by name."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from sojourn.kernel.errors import NotFound
from sojourn.profiles.categories import category_named
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.rule import SegmentDefinition

_TABLES = {
    "database": "SELECT id, name, NULL FROM profile_database WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s) ORDER BY id LIMIT 1",
    "resource": "SELECT id, name, NULL FROM resource WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s) ORDER BY id LIMIT 1",
    "template": "SELECT id, name, channel FROM template WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s) ORDER BY id LIMIT 1",
    "promo_pool": "SELECT id, name, NULL FROM promo_pool WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s OR short_name = %(name)s) ORDER BY id LIMIT 1",
    "scenario": "SELECT id, name, database_id FROM scenario WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s) ORDER BY id LIMIT 1",
    "segment": "SELECT id, name, NULL FROM segment WHERE account_id = 1 AND archived_at IS NULL AND (id = %(id)s OR name = %(name)s) ORDER BY id LIMIT 1",
    "external_table": "SELECT id, name, NULL FROM external_table WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s OR short_name = %(name)s) ORDER BY id LIMIT 1",
    "relation_type": "SELECT id, name, NULL FROM relation_type WHERE account_id = 1 AND (id = %(id)s OR name = %(name)s) ORDER BY id LIMIT 1",
}
_NAME = re.compile(r"[^\x00\ud800-\udfff]+")
"""What can be a name at all: the database cannot be asked for anything else."""
LABELS = {
    "database": "profile database",
    "resource": "resource",
    "template": "template",
    "promo_pool": "promo code pool",
    "scenario": "scenario",
    "segment": "segment",
    "external_table": "outside table",
    "relation_type": "relation type",
}


class Catalogue:
    """Looks things up in the database and remembers them for as long as it lives (one check, one publish)."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._segments = StoredSegments(connection)
        self._found: dict[tuple[str, int | str], tuple[int, str, int | None] | None] = {}

    def _row(self, kind: str, reference: int | str) -> tuple[int, str, int | None] | None:
        key = (kind, reference)
        if key not in self._found and isinstance(reference, str) and not _NAME.fullmatch(reference):
            self._found[key] = None
        if key not in self._found:
            by_id, by_name = (reference, None) if isinstance(reference, int) else (None, reference)
            row = self._connection.execute(_TABLES[kind], {"id": by_id, "name": by_name}).fetchone()
            self._found[key] = (int(row[0]), str(row[1]), row[2]) if row else None
        return self._found[key]

    def find(self, kind: str, reference: int | str) -> int:
        """The id of the thing.

        Raises:
            NotFound: there is none.
        """
        row = self._row(kind, reference)
        if row is None:
            raise NotFound("unknown_reference", f"There is no {LABELS[kind]} “{reference}”.")
        return row[0]

    def name_of(self, kind: str, reference: int | str) -> str:
        """The name of the thing, or the reference itself if there is none."""
        row = self._row(kind, reference)
        return row[1] if row else str(reference)

    def segment(self, segment_id: int) -> SegmentDefinition:
        """A segment's definition, for rules that refer to it.

        Raises:
            NotFound: `unknown_segment`.
        """
        return self._segments.segment(segment_id)

    def segment_kind(self, reference: int | str) -> tuple[str, int, bool]:
        """Kind and database of a segment, and whether it has a limit."""
        return self._segments.kind(self.find("segment", reference))

    def database_of(self, kind: str, reference: int | str) -> int | None:
        """The profile database that a scenario works on; None where there is no such thing."""
        row = self._row(kind, reference)
        return row[2] if row else None

    def category(self, resource: int | str, name: str) -> int:
        """The number of a category of a resource.

        Raises:
            NotFound: there is no such resource, or category.
        """
        return category_named(self._connection, self.find("resource", resource), name).number

    def channel_of_template(self, reference: int | str) -> int | None:
        """The channel a template is for, or None if there is no such template."""
        row = self._row("template", reference)
        return row[2] if row else None
