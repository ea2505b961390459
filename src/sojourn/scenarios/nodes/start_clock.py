"""Start nodes that begin by the clock: a segment at certain moments, and people one of whose dates has come."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.date_fields import SHIFTS, check_date_field
from sojourn.scenarios.node_type import Language, Settings, Surroundings, Text, choices
from sojourn.scenarios.nodes.start import StartNode, StartSettings
from sojourn.scenarios.times import DAYS, ClockTime, LocalMoment, Weekdays
from sojourn.scenarios.zones import weekday_words
from sojourn.segments.field_titles import field_title
from sojourn.triggers.clock import TRIGGER

_REPEATS: dict[str, Text] = {
    "once": {"en": "Once", "ru": "Один раз"},
    "daily": {"en": "Every day", "ru": "Каждый день"},
    "weekly": {"en": "On days of the week", "ru": "По дням недели"},
    "monthly": {"en": "On a day of the month", "ru": "В день месяца"},
}


class ScheduleSettings(StartSettings):
    """Whom, and when, by the account's clock."""

    segment: int | str = Field(title="Segment", json_schema_extra={"x-source": "segment"})
    repeat: Literal["once", "daily", "weekly", "monthly"] = Field(
        "daily", title="When", json_schema_extra=choices(_REPEATS)
    )
    moment: LocalMoment | None = Field(
        None, title="Moment", description="By the account's clock.", json_schema_extra={"x-show-if": {"repeat": "once"}}
    )
    time: ClockTime = Field(
        "10:00",
        title="At this time of day",
        validate_default=True,
        json_schema_extra={"x-show-if": {"repeat": ["daily", "weekly", "monthly"]}},
    )
    days: Weekdays = Field(
        default_factory=lambda: list(DAYS[:5]),
        title="On",
        json_schema_extra={"x-widget": "weekdays", "x-show-if": {"repeat": "weekly"}},
    )
    day: int = Field(
        1,
        title="Day of the month",
        description="A month that is too short has it at its end.",
        ge=1,
        le=31,
        json_schema_extra={"x-show-if": {"repeat": "monthly"}},
    )


class ScheduleStart(StartNode):
    """Everybody who is in the segment at the moment stands at the door; re-entry decides who gets in again."""

    code: ClassVar[str] = "start_schedule"
    trigger: ClassVar[str | None] = TRIGGER
    icon: ClassVar[str] = "calendar"
    title: ClassVar[Text] = {"en": "Schedule", "ru": "Расписание"}
    description: ClassVar[Text] = {
        "en": "Captures everybody of a segment, once or again and again.",
        "ru": "Захватывает всех из сегмента один раз или регулярно.",
    }
    settings: ClassVar[type[Settings]] = ScheduleSettings

    def check(self, settings: ScheduleSettings, around: Surroundings) -> list[Problem]:
        problems = super().check(settings, around)
        _, database_id, _ = around.lookup.segment_kind(settings.segment)
        if database_id != around.database.id:
            problems.append(Problem("other_database", "This segment is one of another database.", "segment"))
        if settings.repeat == "once" and settings.moment is None:
            problems.append(Problem("moment_missing", "At which moment?", "moment"))
        if settings.repeat == "weekly" and not settings.days:
            problems.append(Problem("days_missing", "Choose a day at least.", "days"))
        return problems

    def summary(self, settings: ScheduleSettings, language: Language, around: Surroundings) -> list[str]:
        name = f"“{around.lookup.name_of('segment', settings.segment)}”"
        when = f"{_REPEATS[settings.repeat][language]} {settings.time}"
        match settings.repeat:
            case "once":
                when = str(settings.moment)
            case "weekly":
                when = f"{weekday_words(settings.days, language)} {settings.time}"
            case "monthly":
                when = f"{settings.day}. {settings.time}"
        return [name, when]

    def listens(self, settings: ScheduleSettings) -> dict[str, Any]:
        if settings.repeat == "once":
            return {"once_local": settings.moment, "segment": settings.segment}
        schedule: dict[str, Any] = {"kind": settings.repeat, "at": settings.time}
        if settings.repeat == "weekly":
            schedule["weekdays"] = settings.days
        if settings.repeat == "monthly":
            schedule["day"] = settings.day
        return {"schedule": schedule, "segment": settings.segment}


_LEAPS: dict[str, Text] = {
    "feb28": {"en": "on 28 February", "ru": "28 февраля"},
    "mar1": {"en": "on 1 March", "ru": "1 марта"},
    "never": {"en": "not at all", "ru": "никогда"},
}


class DateStartSettings(StartSettings):
    """Which date, and how long before or after it."""

    field: str | None = Field(None, title="Date field", json_schema_extra={"x-widget": "date_field"})
    yearly: bool = Field(True, title="Every year", description="As a birthday; otherwise on the very date only.")
    shift: Literal["on", "before", "after"] = Field("on", title="When", json_schema_extra=choices(SHIFTS))
    offset_days: int = Field(
        1, title="Days", ge=1, le=3650, json_schema_extra={"x-show-if": {"shift": ["before", "after"]}}
    )
    time: ClockTime = Field("10:00", title="At this time of day", validate_default=True)
    leap: Literal["feb28", "mar1", "never"] = Field(
        "feb28",
        title="29 February in other years",
        json_schema_extra=choices(_LEAPS, show_if={"yearly": True}),
    )


class DateStart(StartNode):
    """People one of whose dates has come, by the account's calendar. A date starts a person once; a yearly one once a year."""

    code: ClassVar[str] = "start_date"
    trigger: ClassVar[str | None] = TRIGGER
    icon: ClassVar[str] = "gift"
    title: ClassVar[Text] = {"en": "Date of the profile", "ru": "Дата в профиле"}
    description: ClassVar[Text] = {
        "en": "Captures profiles on a birthday, or some days before or after a date.",
        "ru": "Захватывает профили в день рождения либо за несколько дней до или после даты.",
    }
    settings: ClassVar[type[Settings]] = DateStartSettings

    def check(self, settings: DateStartSettings, around: Surroundings) -> list[Problem]:
        return [*super().check(settings, around), *check_date_field(around.database, settings.field)]

    def summary(self, settings: DateStartSettings, language: Language, around: Surroundings) -> list[str]:
        title = field_title(around.database.field(str(settings.field)), language)
        days = {"en": "days", "ru": "дн."}[language]
        when = "" if settings.shift == "on" else f": {settings.offset_days} {days} {SHIFTS[settings.shift][language]}"
        yearly = {"en": "every year", "ru": "каждый год"}[language] if settings.yearly else ""
        return [title + when, ", ".join(part for part in (yearly, settings.time) if part)]

    def listens(self, settings: DateStartSettings) -> dict[str, Any]:
        sign = {"on": 0, "before": 1, "after": -1}[settings.shift]
        rule = {"field": settings.field, "days": sign * settings.offset_days, "yearly": settings.yearly,
                "leap": None if settings.leap == "never" else settings.leap}  # fmt: skip
        return {"schedule": {"kind": "daily", "at": settings.time}, "date": rule}
