"""Where scenarios refer to a field by name: in rules, in changes of profiles; and segments in their rules, templates in their texts."""

from __future__ import annotations

import json
import re
from typing import Any

import psycopg

from sojourn.profiles.field_changes import FieldUse

_DOCUMENTS = {
    "scenario": "SELECT id, name, draft FROM scenario WHERE database_id = %s UNION ALL SELECT s.id, s.name, v.graph FROM scenario s"
    " JOIN scenario_version v ON v.scenario_id = s.id WHERE s.database_id = %s AND NOT v.drained AND (s.active OR v.id = s.published_version_id)",
    "segment": "SELECT id, name, rules FROM segment WHERE database_id = %s AND archived_at IS NULL AND rules IS NOT NULL",
}
_TEMPLATES = """
SELECT t.id, t.name, concat_ws(' ', v.subject, v.html, v.mjml, v.text) FROM template t JOIN template_version v ON v.template_id = t.id AND v.version = t.current_version
"""


def uses_of_field(connection: psycopg.Connection[Any], database_id: int, name: str) -> list[FieldUse]:
    """Scenarios and segments with `"field": name`, templates with `profile.name`."""
    found: dict[tuple[str, int], FieldUse] = {}
    for kind, statement in _DOCUMENTS.items():
        for number, title, document in connection.execute(statement, (database_id,) * statement.count("%s")):
            if _names_field(document, name) or re.search(rf"profile\.{re.escape(name)}\b", json.dumps(document)):
                found[kind, number] = FieldUse(kind, number, title)
    for number, title, text in connection.execute(_TEMPLATES):
        if re.search(rf"profile\.{re.escape(name)}\b", text or ""):
            found["template", number] = FieldUse("template", number, title)
    return list(found.values())


def _names_field(document: Any, name: str) -> bool:
    if isinstance(document, dict):
        return document.get("field") == name or any(_names_field(value, name) for value in document.values())
    return isinstance(document, list) and any(_names_field(value, name) for value in document)
