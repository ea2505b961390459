"""Values inside of JSON columns: where a path leads, and how what is found there is read."""

from __future__ import annotations

import json
import re
from typing import Literal

from sojourn.profiles import Field
from sojourn.segments.rule import RuleContext, Text

JsonType = Literal["line", "float", "boolean", "date"]
JSON_TYPES: dict[str, Text] = {
    "line": {"en": "text", "ru": "текст"},
    "float": {"en": "number", "ru": "число"},
    "boolean": {"en": "yes or no", "ru": "да или нет"},
    "date": {"en": "date", "ru": "дата"},
}
_SQL_TYPES: dict[JsonType, str] = {"line": "text", "float": "double precision", "boolean": "boolean", "date": "timestamptz"}  # fmt: skip
_PATH = re.compile(r"[^.\x00]{1,100}(\.[^.\x00]{1,100}){0,9}")
_DAY = r"'^\d{4}-\d\d-\d\d$'"
_MOMENT = r"'^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?$'"


def is_path(path: str) -> bool:
    """Whether the text is a path such as `key.sub_key`, ten steps at most."""
    return _PATH.fullmatch(path) is not None


def found_at(column: str, path: str, context: RuleContext) -> str:
    """SQL for a FROM: the values that a path leads to, one a row, as `item`. On its way, and at its end, a list stands for each of its elements."""
    steps = "".join("." + json.dumps(step, ensure_ascii=False) for step in path.split("."))
    return f"jsonb_path_query({column}, {context.bind(f'lax ${steps}[*]', 'jsonpath')}, '{{}}', true) item"


def read_as(kind: JsonType, context: RuleContext) -> str:
    """SQL: `item` read as a type; null where it is no value of that type."""
    text = "item #>> '{}'"
    match kind:
        case "line":
            return f"({text})"
        case "float":
            return f"(CASE WHEN jsonb_typeof(item) = 'number' THEN ({text})::double precision END)"
        case "boolean":
            return f"(CASE WHEN jsonb_typeof(item) = 'boolean' THEN ({text})::boolean END)"
    # A day without a time is a day of the account.
    day = f"WHEN {text} ~ {_DAY} AND pg_input_is_valid({text}, 'date') THEN ({text})::date::timestamp AT TIME ZONE {context.zone}"
    moment = f"WHEN {text} ~ {_MOMENT} AND pg_input_is_valid({text}, 'timestamptz') THEN ({text})::timestamptz"
    return f"(CASE WHEN jsonb_typeof(item) <> 'string' THEN NULL {day} {moment} END)"


def inner_field(name: str, title: str, kind: JsonType) -> Field:
    """How a value inside is compared: as a field of its type would be."""
    return Field(name, title, kind, "", _SQL_TYPES[kind])
