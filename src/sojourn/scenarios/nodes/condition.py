"""Condition: rules about this one profile at the moment it arrives; yes above, no below."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.kernel.statement import Bindings, quoted
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Port, Settings, Surroundings, Text
from sojourn.scenarios.stage import LANE, Flow, Stage
from sojourn.segments import RuleContext, check, describe, parse_tree, predicate

YES = Port("yes", {"en": "Yes", "ru": "Да"}, "yes")
NO = Port("no", {"en": "No", "ru": "Нет"}, "no")


class ConditionSettings(Settings):
    """A rule tree, the same as in segments."""

    rules: dict[str, Any] = Field(
        default_factory=dict, title="Profiles that match these rules go to Yes", json_schema_extra={"x-widget": "rules"}
    )


class Condition(BaseNode):
    """Splits by rules over fresh data: a message planned a moment ago counts as sent."""

    code: ClassVar[str] = "condition"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "git-fork"
    title: ClassVar[Text] = {"en": "Condition", "ru": "Условие"}
    description: ClassVar[Text] = {
        "en": "Asks rules about the profile: yes or no.",
        "ru": "Проверяет правила для профиля: да или нет.",
    }
    settings: ClassVar[type[Settings]] = ConditionSettings

    def ports(self, settings: ConditionSettings) -> list[Port]:
        return [YES, NO]

    def check(self, settings: ConditionSettings, around: Surroundings) -> list[Problem]:
        if not settings.rules:
            return [Problem("rules_missing", "The condition has no rules.", "rules")]
        problems = check(settings.rules, around.database, around.lookup)
        if problems:
            return problems
        nodes = [rule.names_node for rule in parse_tree(settings.rules).rules() if rule.names_node is not None]
        return [
            Problem("unknown_node", f"A rule names node {number}, which the scenario does not have.", "rules")
            for number in nodes
            if number not in around.node_ids
        ]

    def summary(self, settings: ConditionSettings, language: Language, around: Surroundings) -> list[str]:
        return [describe(settings.rules, language, around.database, around.lookup)] if settings.rules else []

    def reads(self, node: NodeContext) -> frozenset[str]:
        return predicate(node.settings.rules, _context(node, Bindings())).reads

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        rule = predicate(node.settings.rules, _context(node, stage.bindings))
        join = (
            f"LEFT JOIN LATERAL (SELECT * FROM {quoted(node.database.table)} p WHERE p.lane = {LANE} AND p.id = f.profile_id LIMIT 1) p ON true"
            if rule.needs_profile
            else ""
        )
        asked = stage.derive(f"n{node.node_id}", flow, f"{rule.sql} AS yes", join)
        return {"yes": asked.only("yes").visited(node.node_id, 0), "no": asked.only("NOT yes").visited(node.node_id, 1)}


def _context(node: NodeContext, bindings: Bindings) -> RuleContext:
    return RuleContext(
        bindings,
        node.database,
        LANE,
        "f.profile_id",
        "f.passage_id",
        "f.at",
        "p",
        definitions=node.definitions,
        content="f.context",
    )
