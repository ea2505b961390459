"""Rule: a field is, or is not, among the values of an outside table. The values were fetched by a job; nothing is called here.

Where the table was never fetched, or was last fetched too long ago, the whole statement stops with an error: an empty or old table must
neither widen nor narrow an audience.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from sojourn.kernel.errors import Problem, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database
from sojourn.segments.field_titles import field_title
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, TimeNeed, Touch
from sojourn.segments.rules.field import field_of

_TYPES = frozenset({"line", "enum", "ip", "email", "integer", "phones", "tags", "profile_id"})
_WHY = "it was never fetched, or too long ago, or the column is missing"


class ExternalRule(Rule):
    """`field` is among the values of `column` in the outside `table`, or is not. Several values of a field: one of them is."""

    code: ClassVar[str] = "external"
    group: ClassVar[Group] = "external"
    title: ClassVar[Text] = {"en": "Outside table", "ru": "Внешняя таблица"}
    description: ClassVar[Text] = {
        "en": "A field compared with values that were fetched from a file, a database or an HTTP address.",
        "ru": "Поле в сравнении со значениями из файла, базы данных или по HTTP-адресу.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "field": {"en": "Field", "ru": "Поле"},
        "presence": {"en": "Comparison", "ru": "Сравнение"},
        "table": {"en": "Table", "ru": "Таблица"},
        "column": {"en": "Column", "ru": "Столбец"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {
        "presence": {"in": {"en": "is in", "ru": "есть в"}, "not_in": {"en": "is not in", "ru": "нет в"}}
    }
    widgets: ClassVar[dict[str, str]] = {"field": "field", "column": "column"}
    references: ClassVar[dict[str, str]] = {"table": "external_table"}
    rule: Literal["external"] = "external"
    field: str
    presence: Literal["in", "not_in"] = "in"
    table: int | str
    column: str | None = None
    """None: the first one."""

    @property
    def time_need(self) -> TimeNeed:
        return "moment"

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"profile"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        problems = super().check(database, lookup)
        try:
            known = field_of(database, self.field)
        except SojournError as error:
            return [Problem(error.code, error.message, "field"), *problems]
        if known.type not in _TYPES:
            problems.append(
                Problem("wrong_field", f"A field of type {known.type} cannot be looked up in a table.", "field")
            )
        return problems

    def reads(self, database: Database) -> Reads:
        return frozenset({f"profile.{field_of(database, self.field).column}"})

    def sql(self, context: RuleContext) -> str:
        known = field_of(context.database, self.field)
        table = context.bind(self.table, "int")
        column = f"{context.profile}.{quoted(known.column)}"
        number = f"array_position(x.columns, {context.bind(self.column, 'text')})" if self.column else "1"
        usable = (
            f"x.generation > 0 AND (x.usable_until IS NULL OR x.usable_until > {context.at}) AND {number} IS NOT NULL"
        )
        current = f"(SELECT x.generation FROM external_table x WHERE x.id = {table})"
        place = f"(SELECT ({number})::smallint FROM external_table x WHERE x.id = {table})"
        same = f"v.table_id = {table} AND v.generation = {current} AND v.column_no = {place} AND v.value ="
        if known.sql_type == "text[]":
            found = f"EXISTS (SELECT FROM unnest({column}) t JOIN external_value v ON {same} t)"
        else:
            text = f"lpad(to_hex({column}), 24, '0')" if known.type == "profile_id" else f"{column}::text"
            found = f"EXISTS (SELECT FROM external_value v WHERE {same} {text})"
        answer = found if self.presence == "in" else f"NOT {found}"
        reason = f"(SELECT 'The outside table “' || x.name || '” has no values that may be used: {_WHY}.' FROM external_table x WHERE x.id = {table})"
        refused = f"sojourn_refuse(coalesce({reason}, 'An outside table of the rules is gone.'))"
        return (
            f"CASE WHEN (SELECT {usable} FROM external_table x WHERE x.id = {table}) THEN {answer} ELSE {refused} END"
        )

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        try:
            title = field_title(field_of(database, self.field), language)
        except SojournError:
            title = self.field
        column = f".{self.column}" if self.column else ""
        return f"{title} {self.words['presence'][self.presence][language]} “{lookup.name_of('external_table', self.table)}”{column}"
