"""Rule: a field of the profile compared with a value, or a value inside of an object field."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from sojourn.kernel.errors import NotFound, Problem, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, Field
from sojourn.segments.operators import DOMAIN_GROUPS, OPERATORS, Operand, build, fits, value_problem
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, TimeNeed, Touch

PathType = Literal["line", "float", "boolean", "date"]
SYSTEM_FIELDS: dict[str, Field] = {
    "_id": Field("_id", "Profile id", "profile_id", "id", "bigint", True),
    "_created": Field("_created", "Created", "date", "created_at", "timestamptz", True),
    "_updated": Field("_updated", "Last change", "date", "updated_at", "timestamptz", True),
}
"""What rules can ask of a profile besides its fields."""
_PATH = re.compile(r"[^.\x00]{1,100}(\.[^.\x00]{1,100}){0,9}")
_ISO_DAY = r"^\d{{4}}-\d\d-\d\d"
_PATH_SQL: dict[PathType, str] = {
    "line": "({0} #>> {1})",
    "float": "(CASE WHEN jsonb_typeof({0} #> {1}) = 'number' THEN ({0} #>> {1})::double precision END)",
    "boolean": "(CASE WHEN jsonb_typeof({0} #> {1}) = 'boolean' THEN ({0} #>> {1})::boolean END)",
    "date": "(CASE WHEN {0} #>> {1} ~ '" + _ISO_DAY + "' AND pg_input_is_valid({0} #>> {1}, 'timestamptz') THEN ({0} #>> {1})::timestamptz END)",
}  # fmt: skip
_PATH_TYPES: dict[PathType, str] = {
    "line": "text",
    "float": "double precision",
    "boolean": "boolean",
    "date": "timestamptz",
}
_WEEKDAYS = {"en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
             "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")}  # fmt: skip
_MONTHS = {"en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
           "ru": ("январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь")}  # fmt: skip


def field_of(database: Database, name: str) -> Field:
    """A field of the database, or something of the system that rules can ask.

    Raises:
        SojournError: `unknown_field`.
    """
    return SYSTEM_FIELDS.get(name) or database.field(name)


class FieldRule(Rule):
    """`field` `operator` `value`, with the operators of the field's type. `path` and `path_type` look into an object; in a list of objects one must fit."""

    code: ClassVar[str] = "field"
    group: ClassVar[Group] = "profile"
    title: ClassVar[Text] = {"en": "Profile field", "ru": "Поле профиля"}
    description: ClassVar[Text] = {
        "en": "A field of the profile compared with a value.",
        "ru": "Поле профиля в сравнении со значением.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "field": {"en": "Field", "ru": "Поле"},
        "operator": {"en": "Comparison", "ru": "Сравнение"},
        "value": {"en": "Value", "ru": "Значение"},
        "path": {"en": "Path inside", "ru": "Путь внутри"},
        "path_type": {"en": "Read as", "ru": "Читать как"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {
        "path_type": {
            "line": {"en": "text", "ru": "текст"}, "float": {"en": "number", "ru": "число"}, "boolean": {"en": "yes or no", "ru": "да или нет"},
            "date": {"en": "date", "ru": "дата"},
        }
    }  # fmt: skip
    widgets: ClassVar[dict[str, str]] = {"field": "field", "operator": "operator", "value": "value", "path": "path"}
    rule: Literal["field"] = "field"
    field: str
    operator: str
    value: Any = None
    path: str | None = None
    path_type: PathType | None = None

    @property
    def time_need(self) -> TimeNeed:
        known = OPERATORS.get(self.operator)
        return known.time_need if known else "none"

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"profile"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        try:
            known = field_of(database, self.field)
        except (NotFound, SojournError):
            return [Problem("unknown_field", f"The database “{database.name}” has no field “{self.field}”.", "field")]
        if self.path is not None or self.path_type is not None:
            problem = self._path_problem(known)
            if problem:
                return [problem]
            known = _inner(known, self.path_type or "line")
        if self.operator not in OPERATORS:
            return [Problem("wrong_operator", f"There is no comparison “{self.operator}”.", "operator")]
        if not fits(self.operator, known.type):
            return [
                Problem("wrong_operator", f"“{self.operator}” does not fit a field of type {known.type}.", "operator")
            ]
        sentence = value_problem(self.operator, known, self.value)
        return [Problem("wrong_value", sentence, "value")] if sentence else []

    def _path_problem(self, known: Field) -> Problem | None:
        if known.type not in ("object", "objects"):
            return Problem("wrong_path", f"A field of type {known.type} has no inside.", "path")
        if not self.path or not _PATH.fullmatch(self.path):
            return Problem("wrong_path", "A path such as key.sub_key is needed, ten steps at most.", "path")
        return None

    def reads(self, database: Database) -> Reads:
        return frozenset({f"profile.{field_of(database, self.field).column}"})

    def sql(self, context: RuleContext) -> str:
        known = field_of(context.database, self.field)
        column = f"{context.profile}.{quoted(known.column)}"
        if self.path is None:
            return build(self.operator, Operand(column, known.sql_type, known), self.value, context)
        kind: PathType = self.path_type or "line"
        path = context.bind(self.path.split("."), "text[]")
        source = "x" if known.type == "objects" else column
        inner = _inner(known, kind)
        compared = build(
            self.operator, Operand(_PATH_SQL[kind].format(source, path), inner.sql_type, inner), self.value, context
        )
        if known.type == "object":
            return compared
        elements = f"jsonb_array_elements(CASE WHEN jsonb_typeof({column}) = 'array' THEN {column} ELSE '[]' END) x"
        return f"EXISTS (SELECT FROM {elements} WHERE {compared})"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        try:
            title = field_of(database, self.field).title
        except SojournError:
            title = self.field
        if self.path:
            title = f"{title} → {self.path}"
        operator = OPERATORS.get(self.operator)
        if operator is None:
            return f"{title} {self.operator}"
        return f"{title} {operator.words[language]}{self._tail(operator.shape, language)}"

    def _tail(self, shape: str, language: Language) -> str:
        values = self.value if isinstance(self.value, list) else [self.value]
        match shape:
            case "none":
                return ""
            case "range":
                return f" {values[0]} – {values[-1]}"
            case "days_range":
                return f": {values[0]} … {values[-1]}"
            case "days":
                return f": {self.value}"
            case "weekdays":
                return " " + ", ".join(_WEEKDAYS[language][int(number) - 1] for number in values)
            case "months":
                return " " + ", ".join(_MONTHS[language][int(number) - 1] for number in values)
            case "groups":
                return " " + ", ".join(str(name).capitalize() for name in values)
        shown = ", ".join(str(value) for value in values[:5])
        return f" {shown}" + (f" (+{len(values) - 5})" if len(values) > 5 else "")


def _inner(known: Field, kind: PathType) -> Field:
    """How a value inside of an object is read."""
    return Field(known.name, known.title, kind, known.column, _PATH_TYPES[kind])


__all__ = ["DOMAIN_GROUPS", "SYSTEM_FIELDS", "FieldRule", "field_of"]
