"""Pause: wait for a while. The due moment is the moment of arrival plus the length, so pauses do not drift by lag."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.scenarios.durations import Duration, to_timedelta
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text
from sojourn.scenarios.stage import Flow, Stage


class PauseSettings(Settings):
    """How long."""

    length: Duration = Field("1d", title="Wait for", validate_default=True)


class Pause(BaseNode):
    """Everyone rests here for `length`."""

    code: ClassVar[str] = "pause"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "clock-pause"
    title: ClassVar[Text] = {"en": "Pause", "ru": "Пауза"}
    description: ClassVar[Text] = {"en": "Waits for a while, then goes on.", "ru": "Ждёт заданное время и идёт дальше."}
    settings: ClassVar[type[Settings]] = PauseSettings

    def summary(self, settings: PauseSettings, language: Language, around: Surroundings) -> list[str]:
        return [f"{'Wait' if language == 'en' else 'Ждать'} {settings.length}"]

    def takes_time(self, settings: PauseSettings) -> bool:
        return True

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        stage.rest(node.node_id, flow, f"f.at + {stage.bind(to_timedelta(node.settings.length), 'interval')}")
        return {}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return {"next": flow.visited(node.node_id, 0)}
