"""Rule: what came with the API call that started the passage."""

from __future__ import annotations

from typing import ClassVar, Literal

from sojourn.kernel.errors import Problem
from sojourn.profiles import Database
from sojourn.segments.comparison import CustomComparison, comparison_problem, comparison_text, time_need_of
from sojourn.segments.json_values import found_at, is_path, read_as
from sojourn.segments.operators import OPERATORS, Operand, build
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, TimeNeed, Touch


class ApiContentRule(Rule):
    """A value at a path of the call's `content`, such as `order.sum`, compared as a text, a number, a date, or yes and no.

    Where the path meets a list, one element must fit. What is missing fits only operators with a *not* in them; a passage that did not start
    by API has no content.
    """

    code: ClassVar[str] = "api_content"
    group: ClassVar[Group] = "entity"
    for_scenarios: ClassVar[bool] = True
    title: ClassVar[Text] = {"en": "Content of the API call", "ru": "Данные вызова API"}
    description: ClassVar[Text] = {
        "en": "A value that came with the call that started the passage.",
        "ru": "Значение, пришедшее с вызовом, который начал прохождение.",
    }
    titles: ClassVar[dict[str, Text]] = {"content": {"en": "Path", "ru": "Путь"}}
    widgets: ClassVar[dict[str, str]] = {"content": "custom_comparison"}
    rule: Literal["api_content"] = "api_content"
    content: CustomComparison

    @property
    def needs_passage(self) -> bool:
        return True

    @property
    def time_need(self) -> TimeNeed:
        return time_need_of(self.content.operator)

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"passage"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        if not is_path(self.content.name):
            return [Problem("wrong_path", "A path such as order.sum is needed, ten steps at most.", "content.name")]
        problem = comparison_problem(self.content.operator, self.content.field, self.content.value)
        return [Problem(problem.code, problem.message, f"content.{problem.place}")] if problem else []

    def reads(self, database: Database) -> Reads:
        return frozenset()

    def sql(self, context: RuleContext) -> str:
        given = self.content
        operand = Operand(read_as(given.type, context), given.field.sql_type, given.field)
        opposite = OPERATORS[given.operator].opposite_of
        fits = build(opposite or given.operator, operand, given.value, context)
        some = f"EXISTS (SELECT FROM {found_at(context.content, given.name, context)} WHERE {fits})"
        return f"NOT {some}" if opposite else some

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        given = self.content
        return f"api.{given.name} {comparison_text(given.operator, given.type, given.value, language)}"
