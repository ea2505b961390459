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


class StartNode(BaseNode):
    """What all start nodes share."""

    category: ClassVar[Category] = "trigger"
    icon: ClassVar[str] = "bolt"
    settings: ClassVar[type[Settings]] = StartSettings

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


class DefaultStart(StartNode):
    """The entry that every scenario has."""

    code: ClassVar[str] = "start"
    trigger: ClassVar[str | None] = "call"
    title: ClassVar[Text] = {"en": "Manual & API entry", "ru": "Вручную и по API"}
    description: ClassVar[Text] = {
        "en": "Takes profiles added by hand, by API and from other scenarios.",
        "ru": "Принимает профили, добавленные вручную, по API и из других сценариев.",
    }


class AnyImport(StartNode):
    """Every new profile."""

    code: ClassVar[str] = "start_any_import"
    trigger: ClassVar[str | None] = "any_import"
    title: ClassVar[Text] = {"en": "Any profile import", "ru": "Любой импорт профиля"}
    description: ClassVar[Text] = {
        "en": "Captures every profile that is new in the database, whichever way it came.",
        "ru": "Захватывает каждый новый профиль базы, каким бы путём он ни пришёл.",
    }


class ManualImport(StartNode):
    """New profiles made by hand."""

    code: ClassVar[str] = "start_manual_import"
    trigger: ClassVar[str | None] = "manual_import"
    title: ClassVar[Text] = {"en": "Manual profile import", "ru": "Ручной импорт профиля"}
    description: ClassVar[Text] = {
        "en": "Captures profiles created by hand in the web application.",
        "ru": "Захватывает профили, созданные вручную в веб-приложении.",
    }


class ApiImport(StartNode):
    """New profiles that came by API."""

    code: ClassVar[str] = "start_api_import"
    trigger: ClassVar[str | None] = "api_import"
    title: ClassVar[Text] = {"en": "API profile import", "ru": "Импорт профиля по API"}
    description: ClassVar[Text] = {
        "en": "Captures profiles created through the HTTP API.",
        "ru": "Захватывает профили, созданные через HTTP API.",
    }


class FileImport(StartNode):
    """New profiles of a file."""

    code: ClassVar[str] = "start_file_import"
    trigger: ClassVar[str | None] = "file_import"
    title: ClassVar[Text] = {"en": "File import", "ru": "Импорт из файла"}
    description: ClassVar[Text] = {
        "en": "Captures profiles created by importing a file.",
        "ru": "Захватывает профили, созданные импортом файла.",
    }
