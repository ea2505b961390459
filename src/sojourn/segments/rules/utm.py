"""Rule: a UTM mark of the link by which the profile came."""

from __future__ import annotations

from typing import ClassVar, Literal

from sojourn.kernel.errors import Problem
from sojourn.profiles import Database
from sojourn.segments.comparison import TextComparison, comparison_problem, comparison_text
from sojourn.segments.operators import Operand, build
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, Touch

Mark = Literal["campaign", "source", "medium", "content", "term"]
_MARKS: dict[str, Text] = {
    "campaign": {"en": "campaign (utm_campaign)", "ru": "кампания (utm_campaign)"},
    "source": {"en": "source (utm_source)", "ru": "источник (utm_source)"},
    "medium": {"en": "medium (utm_medium)", "ru": "канал (utm_medium)"},
    "content": {"en": "content (utm_content)", "ru": "содержание (utm_content)"},
    "term": {"en": "term (utm_term)", "ru": "ключевое слово (utm_term)"},
}


class UtmRule(Rule):
    """The mark `mark` in the profile's link of registration (`_regurl`) compared as a text.

    It is decoded as browsers encode it: `+` and `%20` are spaces. Of a mark that stands there twice the first one counts; one without a value
    is as good as missing.
    """

    code: ClassVar[str] = "utm"
    group: ClassVar[Group] = "profile"
    title: ClassVar[Text] = {"en": "UTM mark", "ru": "UTM-метка"}
    description: ClassVar[Text] = {
        "en": "A UTM mark of the link of registration compared with a text.",
        "ru": "UTM-метка ссылки регистрации в сравнении с текстом.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "mark": {"en": "Mark", "ru": "Метка"},
        "compare": {"en": "Value", "ru": "Значение"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"mark": _MARKS}
    widgets: ClassVar[dict[str, str]] = {"compare": "text_comparison"}
    rule: Literal["utm"] = "utm"
    mark: Mark = "campaign"
    compare: TextComparison = TextComparison(operator="set")

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"profile"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        problem = comparison_problem(self.compare.operator, self.compare.field, self.compare.value)
        return [Problem(problem.code, problem.message, f"compare.{problem.place}")] if problem else []

    def reads(self, database: Database) -> Reads:
        return frozenset({"profile.regurl"})

    def sql(self, context: RuleContext) -> str:
        found = f"sojourn_url_parameter({context.profile}.regurl, {context.bind(f'utm_{self.mark}', 'text')})"
        return build(self.compare.operator, Operand(found, "text", self.compare.field), self.compare.value, context)

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        return f"utm_{self.mark} {comparison_text(self.compare.operator, 'line', self.compare.value, language)}"
