"""Rule: a field of the profile compared with a value, or a value inside of an object field."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from sojourn.kernel.errors import Problem, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, Field
from sojourn.segments.comparison import comparison_problem, comparison_text, time_need_of
from sojourn.segments.field_titles import SYSTEM_TITLES, field_title
from sojourn.segments.json_values import JSON_TYPES, JsonType, found_at, inner_field, is_path, read_as
from sojourn.segments.operators import OPERATORS, Operand, build
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, TimeNeed, Touch

SYSTEM_FIELDS: dict[str, Field] = {
    "_id": Field("_id", SYSTEM_TITLES["_id"]["en"], "profile_id", "id", "bigint", True),
    "_created": Field("_created", SYSTEM_TITLES["_created"]["en"], "date", "created_at", "timestamptz", True),
    "_updated": Field("_updated", SYSTEM_TITLES["_updated"]["en"], "date", "updated_at", "timestamptz", True),
}
"""What rules can ask of a profile besides its fields."""


def field_of(database: Database, name: str) -> Field:
    """A field of the database, or something of the system that rules can ask.

    Raises:
        SojournError: `unknown_field`.
    """
    return SYSTEM_FIELDS.get(name) or database.field(name)


class FieldRule(Rule):
    """`field` `operator` `value`, with the operators of the field's type. `path` and `path_type` look into an object or a list of objects.

    Where the path meets a list, one element must fit; an operator with a *not* in it is the opposite of the one without: no element fits.
    """

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
    words: ClassVar[dict[str, dict[str, Text]]] = {"path_type": JSON_TYPES}
    widgets: ClassVar[dict[str, str]] = {"field": "field", "operator": "operator", "value": "value", "path": "path"}
    rule: Literal["field"] = "field"
    field: str
    operator: str
    value: Any = None
    path: str | None = None
    path_type: JsonType | None = None

    @property
    def time_need(self) -> TimeNeed:
        return time_need_of(self.operator)

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"profile"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        try:
            known = field_of(database, self.field)
        except SojournError:
            return [Problem("unknown_field", f"The database “{database.name}” has no field “{self.field}”.", "field")]
        if self.path is not None or self.path_type is not None:
            if known.type not in ("object", "objects"):
                return [Problem("wrong_path", f"A field of type {known.type} has no inside.", "path")]
            if not self.path or not is_path(self.path):
                return [Problem("wrong_path", "A path such as key.sub_key is needed, ten steps at most.", "path")]
            known = self._inner(known)
        problem = comparison_problem(self.operator, known, self.value)
        return [problem] if problem else []

    def _inner(self, known: Field) -> Field:
        return inner_field(known.name, known.title, self.path_type or "line")

    def reads(self, database: Database) -> Reads:
        return frozenset({f"profile.{field_of(database, self.field).column}"})

    def sql(self, context: RuleContext) -> str:
        known = field_of(context.database, self.field)
        column = f"{context.profile}.{quoted(known.column)}"
        if self.path is None:
            return build(self.operator, Operand(column, known.sql_type, known), self.value, context)
        inner = self._inner(known)
        opposite = OPERATORS[self.operator].opposite_of
        operand = Operand(read_as(self.path_type or "line", context), inner.sql_type, inner)
        fits = build(opposite or self.operator, operand, self.value, context)
        some = f"EXISTS (SELECT FROM {found_at(column, self.path, context)} WHERE {fits})"
        return f"NOT {some}" if opposite else some

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        try:
            known = field_of(database, self.field)
        except SojournError:
            return f"{self.field} {comparison_text(self.operator, 'line', self.value, language)}"
        title = field_title(known, language)
        if self.path:
            title, known = f"{title} → {self.path}", self._inner(known)
        return f"{title} {comparison_text(self.operator, known.type, self.value, language)}"


__all__ = ["SYSTEM_FIELDS", "FieldRule", "field_of"]
