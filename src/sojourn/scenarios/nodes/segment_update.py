"""Static segment: adds the profile to a static segment, or takes it out."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.profiles.statuses import CAUSE_SCENARIO
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text, choices
from sojourn.scenarios.stage import LANE, Flow, Stage
from sojourn.segments import sql

_WORDS: dict[str, Text] = {"add": {"en": "Add", "ru": "Добавить"}, "remove": {"en": "Take out", "ru": "Убрать"}}
_TO: dict[str, Text] = {"add": {"en": "Into", "ru": "В"}, "remove": {"en": "Out of", "ru": "Из"}}


class SegmentUpdateSettings(Settings):
    """Which segment."""

    action: Literal["add", "remove"] = Field(
        "add", title="Action", json_schema_extra=choices(_WORDS, widget="segmented")
    )
    segment: int | str = Field(title="Static segment", json_schema_extra={"x-source": "segment"})


class SegmentUpdate(BaseNode):
    """Each entry and exit stands in the segment's history."""

    code: ClassVar[str] = "segment_update"
    category: ClassVar[Category] = "action"
    icon: ClassVar[str] = "users"
    title: ClassVar[Text] = {"en": "Static segment", "ru": "Статический сегмент"}
    description: ClassVar[Text] = {
        "en": "Adds the profile to a static segment or takes it out.",
        "ru": "Добавляет профиль в статический сегмент или убирает из него.",
    }
    settings: ClassVar[type[Settings]] = SegmentUpdateSettings

    def check(self, settings: SegmentUpdateSettings, around: Surroundings) -> list[Problem]:
        kind, database_id, _ = around.lookup.segment_kind(settings.segment)
        if kind != "static":
            return [Problem("segment_not_static", "People are added to static segments only.", "segment")]
        if database_id != around.database.id:
            return [Problem("other_database", "This segment is one of another database.", "segment")]
        return []

    def summary(self, settings: SegmentUpdateSettings, language: Language, around: Surroundings) -> list[str]:
        return [f"{_TO[settings.action][language]} “{around.lookup.name_of('segment', settings.segment)}”"]

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"member"})

    def exclusive(self, node: NodeContext) -> frozenset[str]:
        return frozenset({f"member.{node.settings.segment}"})

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings = node.settings
        build = sql.add if settings.action == "add" else sql.remove
        source = f"(SELECT DISTINCT f.profile_id FROM {flow.rows} f)"
        parts = build(
            f"n{node.node_id}_moved", source, segment=stage.bind(settings.segment, "int"), lane=LANE, at="%(now)s::timestamptz",
            cause=f"{CAUSE_SCENARIO}::smallint", cause_id=stage.bind(node.scenario_id, "bigint"),
        )  # fmt: skip
        for name, body in parts:
            stage.part(name, body)
        return {"next": flow.visited(node.node_id, 0)}
