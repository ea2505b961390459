"""Pause: wait for a while, until a moment, until a date of the profile, or until a time of day. Due moments are worked out on arrival, so pauses
do not drift by lag; what lies in the past already lets people go on at once."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.kernel.statement import quoted
from sojourn.scenarios.date_fields import SHIFTS, check_date_field
from sojourn.scenarios.durations import Duration, to_timedelta
from sojourn.scenarios.node_type import (
    NEXT,
    BaseNode,
    Category,
    Language,
    NodeContext,
    Port,
    Settings,
    Surroundings,
    Text,
    choices,
)
from sojourn.scenarios.stage import Flow, Stage
from sojourn.scenarios.times import DAYS, ClockTime, LocalMoment, Weekdays
from sojourn.scenarios.zones import ZONE_WORDS, Zone, profile_join, weekday_words, zone_sql
from sojourn.segments.field_titles import field_title
from sojourn.segments.rule import ACCOUNT_ZONE

NO_DATE = Port("no_date", {"en": "No date", "ru": "Нет даты"}, "error")
_UNTIL: dict[str, Text] = {
    "length": {"en": "For a while", "ru": "Заданное время"},
    "time": {"en": "Until a time of day", "ru": "До времени суток"},
    "field": {"en": "Until a date of the profile", "ru": "До даты из профиля"},
    "moment": {"en": "Until a moment", "ru": "До момента"},
}


class PauseSettings(Settings):
    """How long, or until when."""

    until: Literal["length", "time", "field", "moment"] = Field(
        "length", title="Wait", json_schema_extra=choices(_UNTIL)
    )
    length: Duration = Field(
        "1d", title="Wait for", validate_default=True, json_schema_extra={"x-show-if": {"until": "length"}}
    )
    moment: LocalMoment | None = Field(
        None,
        title="Moment",
        description="By the account's clock.",
        json_schema_extra={"x-show-if": {"until": "moment"}},
    )
    field: str | None = Field(
        None, title="Date field", json_schema_extra={"x-widget": "date_field", "x-show-if": {"until": "field"}}
    )
    shift: Literal["on", "before", "after"] = Field(
        "on", title="When", json_schema_extra=choices(SHIFTS, show_if={"until": "field"})
    )
    offset: Duration = Field(
        "1d",
        title="By so much",
        validate_default=True,
        json_schema_extra={"x-show-if": {"until": "field", "shift": ["before", "after"]}},
    )
    time: ClockTime | None = Field(
        None, title="At this time of day", json_schema_extra={"x-show-if": {"until": ["time", "field"]}}
    )
    days: Weekdays = Field(
        default_factory=lambda: list(DAYS),
        title="On",
        json_schema_extra={"x-widget": "weekdays", "x-show-if": {"until": "time"}},
    )
    zone: Zone = Field(
        "profile",
        title="Time zone",
        json_schema_extra=choices(ZONE_WORDS, show_if={"until": ["time", "field"]}),
    )


class Pause(BaseNode):
    """Everyone rests here; who has no date leaves by an output of its own at once."""

    code: ClassVar[str] = "pause"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "clock-pause"
    title: ClassVar[Text] = {"en": "Pause", "ru": "Пауза"}
    description: ClassVar[Text] = {
        "en": "Waits for a while or until a moment, then goes on.",
        "ru": "Ждёт заданное время или до момента и идёт дальше.",
    }
    settings: ClassVar[type[Settings]] = PauseSettings

    def ports(self, settings: PauseSettings) -> list[Port]:
        return [NEXT, NO_DATE] if settings.until == "field" else [NEXT]

    def check(self, settings: PauseSettings, around: Surroundings) -> list[Problem]:
        match settings.until:
            case "moment" if settings.moment is None:
                return [Problem("moment_missing", "Until which moment?", "moment")]
            case "time" if settings.time is None:
                return [Problem("time_missing", "Until which time of day?", "time")]
            case "time" if not settings.days:
                return [Problem("days_missing", "Choose a day at least.", "days")]
            case "field":
                return check_date_field(around.database, settings.field)
        return []

    def summary(self, settings: PauseSettings, language: Language, around: Surroundings) -> list[str]:
        russian = language == "ru"
        match settings.until:
            case "length":
                return [f"{'Ждать' if russian else 'Wait'} {settings.length}"]
            case "moment":
                return [f"{'До' if russian else 'Until'} {settings.moment}"]
            case "time":
                days = [weekday_words(settings.days, language)] if len(settings.days) < len(DAYS) else []
                return [f"{'До' if russian else 'Until'} {settings.time}", *days]
        title = field_title(around.database.field(str(settings.field)), language)
        when = "" if settings.shift == "on" else f" ({settings.offset} {SHIFTS[settings.shift][language]})"
        return [f"{'До даты' if russian else 'Until'} “{title}”{when}", *([settings.time] if settings.time else [])]

    def takes_time(self, settings: PauseSettings) -> bool:
        """A moment that is over takes none, nor does a time of day at which one arrives."""
        return settings.until == "length"

    def reads(self, node: NodeContext) -> frozenset[str]:
        found = set()
        if node.settings.until == "field":
            found.add(f"profile.{node.database.field(node.settings.field).column}")
        if node.settings.until in ("field", "time") and node.settings.zone == "profile":
            found.add(f"profile.{node.database.field('_tz').column}")
        return frozenset(found)

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings = node.settings
        match settings.until:
            case "length":
                stage.rest(node.node_id, flow, f"f.at + {stage.bind(to_timedelta(settings.length), 'interval')}")
                return {}
            case "moment":
                moment = f"sojourn_moment({stage.bind(settings.moment, 'timestamp')}, {ACCOUNT_ZONE})"
                stage.rest(node.node_id, flow, f"greatest(f.at, {moment})")
                return {}
        zone, name = zone_sql(node.database, settings.zone), f"n{node.node_id}"
        if settings.until == "time":
            time, days = stage.bind(settings.time, "time"), stage.bind(settings.days, "smallint[]")
            moment = f"sojourn_next_time(f.at, {zone}, {time}, {days})"
            join = profile_join(node.database) if settings.zone == "profile" else ""
            asked = stage.derive(name, flow, f"{moment} AS due", join)
            stage.rest(node.node_id, asked, "f.due")
            return {}
        known = node.database.field(settings.field)
        value = f"p.{quoted(known.column)}"
        local = f"{value}::timestamp" if known.sql_type == "date" else f"({value} AT TIME ZONE {zone})"
        if settings.shift != "on":
            sign = "-" if settings.shift == "before" else "+"
            local = f"({local} {sign} {stage.bind(to_timedelta(settings.offset), 'interval')})"
        if settings.time:
            local = f"(({local})::date + {stage.bind(settings.time, 'time')})"
        asked = stage.derive(name, flow, f"sojourn_moment({local}, {zone}) AS due", profile_join(node.database))
        stage.rest(node.node_id, asked.only("due IS NOT NULL"), "greatest(f.at, f.due)")
        return {NO_DATE.id: asked.only("due IS NULL").visited(node.node_id, 1)}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return {"next": flow.visited(node.node_id, 0)}
