"""Update profile: set, clear, increase, decrease fields; add and remove tags."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel.errors import Problem
from sojourn.profiles import Database
from sojourn.profiles.sql import OPERATIONS, Assignment, Operation, update
from sojourn.profiles.values import parse_value
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text
from sojourn.scenarios.stage import LANE, Flow, Stage

FORBIDDEN = frozenset({"email", "phones", "_status"})
"""Fields on which matching or permission to write rests: they change by import and subscription only."""


class Change(BaseModel):
    """One field and what happens to it."""

    model_config = ConfigDict(extra="forbid")
    field: str = Field(title="Field", json_schema_extra={"x-source": "field"})
    operation: Operation = Field("set", title="Operation")
    value: Any = Field(None, title="Value")


class UpdateProfileSettings(Settings):
    """The changes, all made at once."""

    changes: list[Change] = Field(
        default_factory=list, title="Changes", max_length=50, json_schema_extra={"x-widget": "changes"}
    )


class UpdateProfile(BaseNode):
    """Changes fields of the profile and records the change."""

    code: ClassVar[str] = "update_profile"
    category: ClassVar[Category] = "action"
    icon: ClassVar[str] = "user-edit"
    title: ClassVar[Text] = {"en": "Update profile", "ru": "Обновить профиль"}
    description: ClassVar[Text] = {
        "en": "Changes fields of the profile: points, tags, dates.",
        "ru": "Меняет поля профиля: баллы, теги, даты.",
    }
    settings: ClassVar[type[Settings]] = UpdateProfileSettings

    def check(self, settings: UpdateProfileSettings, around: Surroundings) -> list[Problem]:
        if not settings.changes:
            return [Problem("changes_missing", "Nothing is changed here.", "changes")]
        problems, seen = [], set()
        for number, change in enumerate(settings.changes):
            place = f"changes.{number}"
            field = around.database.fields.get(change.field)
            if field is None:
                problems.append(
                    Problem(
                        "unknown_field",
                        f"The database “{around.database.name}” has no field “{change.field}”.",
                        f"{place}.field",
                    )
                )
                continue
            if change.field in FORBIDDEN or field.matching:
                problems.append(
                    Problem(
                        "field_not_allowed",
                        f"The field “{change.field}” cannot be changed by a scenario.",
                        f"{place}.field",
                    )
                )
            if change.field in seen:
                problems.append(
                    Problem("field_twice", f"The field “{change.field}” is changed twice.", f"{place}.field")
                )
            seen.add(change.field)
            if field.type not in OPERATIONS[change.operation]:
                problems.append(
                    Problem(
                        "wrong_operation",
                        f"“{change.operation}” does not fit a field of type {field.type}.",
                        f"{place}.operation",
                    )
                )
            elif change.operation != "clear":
                value, problem = parse_value(field, change.value)
                if problem or value is None:
                    problems.append(
                        Problem("wrong_value", problem.message if problem else "A value is missing.", f"{place}.value")
                    )
        return problems

    def summary(self, settings: UpdateProfileSettings, language: Language, around: Surroundings) -> list[str]:
        signs = {"set": "=", "clear": "∅", "increase": "+", "decrease": "−", "add_tags": "+", "remove_tags": "−"}
        lines = []
        for change in settings.changes[:2]:
            field = around.database.fields.get(change.field)
            value = "" if change.operation == "clear" else f" {change.value}"
            lines.append(f"{field.title if field else change.field} {signs[change.operation]}{value}")
        return lines

    def reads(self, node: NodeContext) -> frozenset[str]:
        return frozenset()

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset(
            f"profile.{assignment.field.column}" for assignment in _assignments(node.settings, node.database)
        )

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        for name, body in update(
            f"n{node.node_id}",
            flow.rows,
            node.database,
            _assignments(node.settings, node.database),
            LANE,
            node.scenario_id,
            stage.bindings,
        ):
            stage.part(name, body)
        return {"next": flow.visited(node.node_id, 0)}


def _assignments(settings: UpdateProfileSettings, database: Database) -> list[Assignment]:
    found = []
    for change in settings.changes:
        field = database.field(change.field)
        value = None if change.operation == "clear" else parse_value(field, change.value)[0]
        found.append(Assignment(field, change.operation, value))
    return found
