"""Start nodes: which event captures profiles."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.scenarios.durations import Duration, to_timedelta
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text
from sojourn.scenarios.stage import Flow, Stage


class StartSettings(Settings):
    """A waiting time between the event and the first step."""

    wait: Duration | None = Field(None, title="Waiting time", description="Time between the event and the first step.")


class Start(BaseNode):
    """A start node of one trigger."""

    category: ClassVar[Category] = "trigger"
    icon: ClassVar[str] = "bolt"
    settings: ClassVar[type[Settings]] = StartSettings

    def __init__(self, type_: str, trigger: str, title: Text, description: Text) -> None:
        self.type = type_
        self.trigger = trigger
        self.title = title
        self.description = description

    def summary(self, settings: StartSettings, language: Language, around: Surroundings) -> list[str]:
        lines = [f"{'Database' if language == 'en' else 'База'}: {around.database.name}"]
        if settings.wait:
            lines.append(f"{'After' if language == 'en' else 'Через'} {settings.wait}")
        return lines

    def takes_time(self, settings: StartSettings) -> bool:
        return settings.wait is not None

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        if node.settings.wait is None:
            return {"next": flow.visited(node.node_id, 0)}
        stage.rest(node.node_id, flow, f"f.at + {stage.bind(to_timedelta(node.settings.wait), 'interval')}")
        return {}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return {"next": flow.visited(node.node_id, 0)}


START_TYPES = [
    Start("start", "call", {"en": "Manual & API entry", "ru": "Вручную и по API"},
          {"en": "Takes profiles added by hand, by API and from other scenarios.", "ru": "Принимает профили, добавленные вручную, по API и из других сценариев."}),
    Start("start_any_import", "any_import", {"en": "Any profile import", "ru": "Любой импорт профиля"},
          {"en": "Captures every profile that is new in the database, whichever way it came.", "ru": "Захватывает каждый новый профиль базы, каким бы путём он ни пришёл."}),
    Start("start_manual_import", "manual_import", {"en": "Manual profile import", "ru": "Ручной импорт профиля"},
          {"en": "Captures profiles created by hand in the web application.", "ru": "Захватывает профили, созданные вручную в веб-приложении."}),
    Start("start_api_import", "api_import", {"en": "API profile import", "ru": "Импорт профиля по API"},
          {"en": "Captures profiles created through the HTTP API.", "ru": "Захватывает профили, созданные через HTTP API."}),
    Start("start_file_import", "file_import", {"en": "File import", "ru": "Импорт из файла"},
          {"en": "Captures profiles created by importing a file.", "ru": "Захватывает профили, созданные импортом файла."}),
]  # fmt: skip
