"""Go to scenario: ends the passage here and puts the profile before the start of another scenario."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Port, Settings, Surroundings, Text
from sojourn.scenarios.stage import LANE, Flow, Stage
from sojourn.triggers.sql import MOST_JUMPS, jump

GONE_OVER = Port("gone", {"en": "Gone over", "ru": "Перешли"}, linkable=False)
NOT_ACCEPTED = Port("not_accepted", {"en": "Not accepted", "ru": "Не приняты"}, "error")


class JumpSettings(Settings):
    """Where to."""

    scenario: int | str = Field(
        title="Scenario",
        description="Of the same database. Its re-entry mode decides who gets in.",
        json_schema_extra={"x-source": "scenario"},
    )
    hand_over: bool = Field(True, title="Hand over the content", description="What came with the API call goes along.")


class Jump(BaseNode):
    """A target that is stopped accepts nobody; neither is anybody sent round more than a hundred times."""

    code: ClassVar[str] = "jump"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "route"
    title: ClassVar[Text] = {"en": "Go to scenario", "ru": "Перейти в сценарий"}
    description: ClassVar[Text] = {
        "en": "Ends here and enters another scenario.",
        "ru": "Завершает прохождение и начинает другой сценарий.",
    }
    settings: ClassVar[type[Settings]] = JumpSettings

    def ports(self, settings: JumpSettings) -> list[Port]:
        return [GONE_OVER, NOT_ACCEPTED]

    def check(self, settings: JumpSettings, around: Surroundings) -> list[Problem]:
        if around.lookup.database_of("scenario", settings.scenario) not in (None, around.database.id):
            return [Problem("other_database", "This scenario is about profiles of another database.", "scenario")]
        return []

    def summary(self, settings: JumpSettings, language: Language, around: Surroundings) -> list[str]:
        return [around.lookup.name_of("scenario", settings.scenario)]

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings, name = node.settings, f"n{node.node_id}"
        target = stage.bind(settings.scenario, "int")
        join = f"LEFT JOIN LATERAL (SELECT t.node_id FROM trigger_subscription t WHERE t.scenario_id = {target} AND t.trigger = 'call' LIMIT 1) t ON true"
        open_ = f"t.node_id IS NOT NULL AND coalesce((f.context -> '_jumps')::int, 0) < {MOST_JUMPS}"
        asked = stage.derive(name, flow, f"t.node_id AS door, ({open_}) AS accepted", join)
        stage.part(f"{name}_over", jump(asked.only("accepted").rows, target, LANE, hand_over=settings.hand_over))
        return {
            GONE_OVER.id: asked.only("accepted").visited(node.node_id, 0),
            NOT_ACCEPTED.id: asked.only("NOT accepted").visited(node.node_id, 1),
        }
