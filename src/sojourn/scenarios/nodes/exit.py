"""Exit: the passage ends here."""

from __future__ import annotations

from typing import ClassVar

from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Port, Settings, Surroundings, Text
from sojourn.scenarios.stage import Flow, Stage

LEFT = Port("left", {"en": "Left", "ru": "Вышли"}, linkable=False)


class ExitSettings(Settings):
    """Nothing to set."""


class Exit(BaseNode):
    """Everybody who comes here leaves the scenario."""

    code: ClassVar[str] = "exit"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "door-exit"
    title: ClassVar[Text] = {"en": "Exit", "ru": "Выход"}
    description: ClassVar[Text] = {"en": "Ends the way through the scenario.", "ru": "Завершает прохождение сценария."}
    settings: ClassVar[type[Settings]] = ExitSettings

    def ports(self, settings: ExitSettings) -> list[Port]:
        return [LEFT]

    def summary(self, settings: ExitSettings, language: Language, around: Surroundings) -> list[str]:
        return ["The scenario ends here" if language == "en" else "Здесь сценарий заканчивается"]

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return {LEFT.id: flow.visited(node.node_id, 0)}
