"""Goal: records that the profile reached something, with a value; rules, reports and triggers ask for it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.events import EventKind, insert, touch
from sojourn.kernel.errors import Problem
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text
from sojourn.scenarios.stage import LANE, Flow, Stage


class GoalSettings(Settings):
    """What was reached."""

    goal: str = Field("", title="Goal", description="A name such as purchase.", max_length=100)
    value: float | None = Field(None, title="Value", description="Such as a sum of money.")


class Goal(BaseNode):
    """One event of the kind *goal* for everybody who comes here."""

    code: ClassVar[str] = "goal"
    category: ClassVar[Category] = "action"
    icon: ClassVar[str] = "target-arrow"
    title: ClassVar[Text] = {"en": "Goal", "ru": "Цель"}
    description: ClassVar[Text] = {
        "en": "Records that a goal was reached.",
        "ru": "Записывает, что цель достигнута.",
    }
    settings: ClassVar[type[Settings]] = GoalSettings

    def check(self, settings: GoalSettings, around: Surroundings) -> list[Problem]:
        return [] if settings.goal.strip() else [Problem("goal_missing", "The goal has no name.", "goal")]

    def summary(self, settings: GoalSettings, language: Language, around: Surroundings) -> list[str]:
        return [settings.goal + (f" = {settings.value:g}" if settings.value is not None else "")]

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"event"})

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings, name = node.settings, f"n{node.node_id}_reached"
        value = "NULL" if settings.value is None else stage.bind(settings.value, "double precision")
        data = f"jsonb_strip_nulls(jsonb_build_object('goal', {stage.bind(settings.goal.strip(), 'text')}, 'value', {value}))"
        query = f"""SELECT f.profile_id, {LANE}, {int(EventKind.GOAL)}::smallint, f.at, %(now)s::timestamptz, f.passage_id, {flow.hop}, {stage.bind(node.scenario_id, "int")},
      {stage.bind(node.node_id, "int")}, NULL::int, NULL::int, NULL::smallint, {data} FROM {flow.rows} f"""
        stage.part(name, f"{insert(query)} RETURNING profile_id, lane")
        stage.part(f"{name}_touched", touch(name, "event"))
        return {"next": flow.visited(node.node_id, 0)}
