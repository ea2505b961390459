"""API content filter: a condition over what came with the API call."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.node_type import Settings, Surroundings, Text
from sojourn.scenarios.nodes.condition import Condition, ConditionSettings
from sojourn.segments import parse_tree


class ApiFilterSettings(ConditionSettings):
    """Rules over the content alone."""

    rules: dict[str, Any] = Field(
        default_factory=dict,
        title="Calls whose content matches these rules go to Yes",
        json_schema_extra={"x-widget": "rules"},
    )


class ApiFilter(Condition):
    """As a condition, but no rule may ask for anything else than the content."""

    code: ClassVar[str] = "api_filter"
    icon: ClassVar[str] = "filter"
    title: ClassVar[Text] = {"en": "API content filter", "ru": "Фильтр данных API"}
    description: ClassVar[Text] = {
        "en": "Asks what came with the API call: yes or no.",
        "ru": "Проверяет данные вызова API: да или нет.",
    }
    settings: ClassVar[type[Settings]] = ApiFilterSettings

    def check(self, settings: ConditionSettings, around: Surroundings) -> list[Problem]:
        problems = super().check(settings, around)
        if problems:
            return problems
        others = {rule.code for rule in parse_tree(settings.rules).rules()} - {"api_content"}
        if others:
            return [
                Problem(
                    "other_rules",
                    "This step asks for the content of the call only; a condition asks for more.",
                    "rules",
                )
            ]
        return []
