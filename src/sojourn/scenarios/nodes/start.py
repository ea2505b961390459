"""Start nodes: which event captures profiles."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.durations import Duration, to_timedelta
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text
from sojourn.scenarios.stage import Flow, Stage
from sojourn.segments import check, parse_tree
from sojourn.segments.json_values import is_path
from sojourn.segments.rule import Rule


class StartSettings(Settings):
    """A waiting time between the event and the first step; who may enter at all; by what entries of one profile are told apart."""

    wait: Duration | None = Field(
        None,
        title="Waiting time",
        description="Time between the event and the first step.",
        json_schema_extra={"x-last": True},
    )
    rules: dict[str, Any] = Field(
        default_factory=dict,
        title="Only profiles that match these rules enter",
        json_schema_extra={"x-widget": "rules", "x-last": True},
    )
    key: str | None = Field(
        None,
        title="Key of the entry",
        description="A path in what came with it, such as order.id: re-entry is decided for each key by itself.",
        max_length=200,
        json_schema_extra={"x-last": True},
    )


class StartNode(BaseNode):
    """What all start nodes share."""

    category: ClassVar[Category] = "trigger"
    icon: ClassVar[str] = "bolt"
    settings: ClassVar[type[Settings]] = StartSettings

    def check(self, settings: Any, around: Surroundings) -> list[Problem]:
        problems = check(settings.rules, around.database, around.lookup) if settings.rules else []
        if not problems and any(rule.needs_passage for rule in rules_of(settings.rules)):
            problems = [
                Problem(
                    "rule_needs_passage", "A rule about the passage itself cannot be asked before it begins.", "rules"
                )
            ]
        if settings.key is not None and not is_path(settings.key):
            problems.append(Problem("wrong_path", "A path such as order.id is needed, ten steps at most.", "key"))
        return problems

    def listens(self, settings: Any) -> dict[str, Any]:
        """What the trigger is narrowed to, as the database's triggers read it (`trigger_subscription.settings`); ids in place of names."""
        return {}

    def summary(self, settings: Any, language: Language, around: Surroundings) -> list[str]:
        lines = [f"{'Database' if language == 'en' else 'База'}: {around.database.name}"]
        if settings.wait:
            lines.append(f"{'After' if language == 'en' else 'Через'} {settings.wait}")
        return lines

    def takes_time(self, settings: Any) -> bool:
        return settings.wait is not None

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        if node.settings.wait is None:
            return {"next": flow.visited(node.node_id, 0)}
        stage.rest(node.node_id, flow, f"f.at + {stage.bind(to_timedelta(node.settings.wait), 'interval')}")
        return {}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return {"next": flow.visited(node.node_id, 0)}


def rules_of(tree: dict[str, Any]) -> list[Rule]:
    """The rules of an entry filter that ask for more than what came with the entry."""
    return [rule for rule in parse_tree(tree).rules() if rule.code != "api_content"] if tree else []


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
