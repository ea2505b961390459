"""Rule: a field of the profile compared with a value."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from sojourn.kernel.errors import Problem
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database
from sojourn.profiles.values import parse_value
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, Touch

Operator = Literal[
    "eq", "ne", "lt", "le", "gt", "ge", "contains", "starts_with", "in", "set", "not_set", "has", "has_not"
]

_ORDERED: frozenset[str] = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "in", "set", "not_set"})
_TEXT: frozenset[str] = frozenset({"eq", "ne", "contains", "starts_with", "in", "set", "not_set"})
OPERATORS: dict[str, frozenset[str]] = {
    "integer": _ORDERED,
    "float": _ORDERED,
    "date": _ORDERED,
    "line": _TEXT,
    "enum": _TEXT,
    "ip": _TEXT,
    "boolean": frozenset({"eq", "ne", "set", "not_set"}),
    "tags": frozenset({"has", "has_not", "set", "not_set"}),
    "object": frozenset({"set", "not_set"}),
    "objects": frozenset({"set", "not_set"}),
    "email": _TEXT,
    "phones": frozenset({"has", "has_not", "set", "not_set"}),
    "sex": frozenset({"eq", "ne", "in", "set", "not_set"}),
    "status": frozenset({"eq", "ne", "in", "set", "not_set"}),
}
"""Operators by field type."""

_COMPARISONS = {"eq": "=", "ne": "IS DISTINCT FROM", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"eq": "is", "ne": "is not", "lt": "is less than", "le": "is at most", "gt": "is more than", "ge": "is at least", "contains": "contains",
           "starts_with": "starts with", "in": "is one of", "set": "is filled", "not_set": "is empty", "has": "has the tag", "has_not": "lacks the tag"},
    "ru": {"eq": "равно", "ne": "не равно", "lt": "меньше", "le": "не больше", "gt": "больше", "ge": "не меньше", "contains": "содержит",
           "starts_with": "начинается с", "in": "одно из", "set": "заполнено", "not_set": "пусто", "has": "имеет тег", "has_not": "не имеет тега"},
}  # fmt: skip


class FieldRule(Rule):
    """`field` `operator` `value`, with the operators of the field's type."""

    code: ClassVar[str] = "field"
    group: ClassVar[Group] = "profile"
    title: ClassVar[Text] = {"en": "Profile field", "ru": "Поле профиля"}
    description: ClassVar[Text] = {
        "en": "A field of the profile compared with a value.",
        "ru": "Поле профиля в сравнении со значением.",
    }
    rule: Literal["field"] = "field"
    field: str
    operator: Operator
    value: Any = None

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        field = database.fields.get(self.field)
        if field is None:
            return [Problem("unknown_field", f"The database “{database.name}” has no field “{self.field}”.", "field")]
        if self.operator not in OPERATORS.get(field.type, _TEXT):
            return [
                Problem("wrong_operator", f"“{self.operator}” does not fit a field of type {field.type}.", "operator")
            ]
        if self.operator in ("set", "not_set"):
            return []
        values = self.value if self.operator == "in" and isinstance(self.value, list) else [self.value]
        problems = []
        for value in values:
            if self.operator in ("contains", "starts_with", "has", "has_not"):
                if not isinstance(value, str) or not value:
                    problems.append(Problem("value_missing", "A text to compare with is needed.", "value"))
                continue
            _, problem = parse_value(field, value)
            if problem is not None or value is None:
                problems.append(
                    Problem(
                        "wrong_value", problem.message if problem else "A value to compare with is needed.", "value"
                    )
                )
        return problems

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"profile"})

    def reads(self, database: Database) -> Reads:
        return frozenset({f"profile.{database.field(self.field).column}"})

    def sql(self, context: RuleContext) -> str:
        field = context.database.field(self.field)
        column = f"{context.profile}.{quoted(field.column)}"
        match self.operator:
            case "set":
                return f"{column} IS NOT NULL"
            case "not_set":
                return f"{column} IS NULL"
            case "contains":
                return f"strpos(lower({column}), lower({context.bind(self.value, 'text')})) > 0"
            case "starts_with":
                return f"starts_with(lower({column}), lower({context.bind(self.value, 'text')}))"
            case "has":
                return f"{column} @> ARRAY[{context.bind(self.value, 'text')}]"
            case "has_not":
                return f"NOT coalesce({column} @> ARRAY[{context.bind(self.value, 'text')}], false)"
            case "in":
                wanted = self.value if isinstance(self.value, list) else [self.value]
                values = [parse_value(field, value)[0] for value in wanted]
                return f"{column} = ANY({context.bind(values, field.sql_type + '[]')})"
        value, _ = parse_value(field, self.value)
        return f"{column} {_COMPARISONS[self.operator]} {context.bind(value, field.sql_type)}"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        field = database.fields.get(self.field)
        title = field.title if field else self.field
        tail = "" if self.operator in ("set", "not_set") else f" {self.value}"
        return f"{title} {_WORDS[language][self.operator]}{tail}"
