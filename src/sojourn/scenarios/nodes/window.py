"""Schedule window: lets people through at certain hours of certain days only; who comes at another time waits for the next opening."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Settings, Surroundings, Text, choices
from sojourn.scenarios.stage import Flow, Stage
from sojourn.scenarios.times import DAYS, ClockTime, Weekdays
from sojourn.scenarios.zones import ZONE_WORDS, Zone, profile_join, weekday_words, zone_sql


class WindowSettings(Settings):
    """Hours and days. A window that ends at or before its beginning goes on past midnight, and belongs to the day on which it opens."""

    opens: ClockTime = Field("09:00", title="Opens at", validate_default=True)
    closes: ClockTime = Field("21:00", title="Closes at", validate_default=True)
    days: Weekdays = Field(default_factory=lambda: list(DAYS), title="On", json_schema_extra={"x-widget": "weekdays"})
    zone: Zone = Field("profile", title="Time zone", json_schema_extra=choices(ZONE_WORDS))


class Window(BaseNode):
    """Instant inside of the window; outside of it everybody rests until it opens."""

    code: ClassVar[str] = "window"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "calendar"
    title: ClassVar[Text] = {"en": "Time window", "ru": "Окно времени"}
    description: ClassVar[Text] = {
        "en": "Lets people through at certain hours and days; at night they wait.",
        "ru": "Пропускает в заданные часы и дни; ночью люди ждут.",
    }
    settings: ClassVar[type[Settings]] = WindowSettings

    def check(self, settings: WindowSettings, around: Surroundings) -> list[Problem]:
        return [] if settings.days else [Problem("days_missing", "Choose a day at least.", "days")]

    def summary(self, settings: WindowSettings, language: Language, around: Surroundings) -> list[str]:
        days = weekday_words(settings.days, language) if len(settings.days) < len(DAYS) else ""
        return [f"{settings.opens}–{settings.closes}", *([days] if days else [])]

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings = node.settings
        opens, closes = stage.bind(settings.opens, "time"), stage.bind(settings.closes, "time")
        zone = zone_sql(node.database, settings.zone)
        moment = f"sojourn_opens(f.at, {zone}, {opens}, {closes}, {stage.bind(settings.days, 'smallint[]')})"
        join = profile_join(node.database) if settings.zone == "profile" else ""
        asked = stage.derive(f"n{node.node_id}", flow, f"{moment} AS opens_at", join)
        stage.rest(node.node_id, asked.only("opens_at > at"), "f.opens_at")
        return {"next": asked.only("opens_at <= at").visited(node.node_id, 0)}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return {"next": flow.visited(node.node_id, 0)}
