"""Start nodes that wait for happenings: a profile or a subscription changes, a message is opened, a goal is reached, a segment is entered."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from sojourn.events import EventKind
from sojourn.kernel.errors import Problem, SojournError
from sojourn.profiles.statuses import CHANGE_SUBSCRIBED, CHANGE_SUBSCRIPTION, STATUS_WORDS
from sojourn.scenarios.awaited import EVENTS
from sojourn.scenarios.node_type import Language, Settings, Surroundings, Text, choices
from sojourn.scenarios.nodes.start import StartNode, StartSettings
from sojourn.segments.field_titles import field_title
from sojourn.segments.rules.subscription import CHANNEL_TEXTS, CHANNELS, ChannelWord

_ANY: Text = {"en": "any", "ru": "любое"}
_SOURCES: dict[str, int] = {"manual": 1, "file": 2, "api": 3, "form": 4, "popup": 5, "scenario": 6, "recipient": 7}
_SOURCE_WORDS: dict[str, Text] = {
    "any": _ANY, "manual": {"en": "by hand", "ru": "вручную"}, "file": {"en": "by a file", "ru": "из файла"}, "api": {"en": "by API", "ru": "по API"},
    "form": {"en": "by a form", "ru": "формой"}, "popup": {"en": "by a pop-up", "ru": "всплывающей формой"}, "scenario": {"en": "by another scenario", "ru": "другим сценарием"},
    "recipient": {"en": "by the recipient", "ru": "получателем"},
}  # fmt: skip
Source = Literal["any", "manual", "file", "api", "form", "popup", "scenario", "recipient"]


class ProfileUpdatedSettings(StartSettings):
    """Which change."""

    field: str | None = Field(
        None,
        title="Field",
        description="Any field, if none is chosen.",
        json_schema_extra={"x-widget": "profile_field"},
    )
    old: str | None = Field(None, title="Old value", max_length=500)
    new: str | None = Field(None, title="New value", max_length=500)
    source: Source = Field("any", title="Changed", json_schema_extra=choices(_SOURCE_WORDS))


class ProfileUpdated(StartNode):
    """A field of a known profile changes, whoever changes it but this scenario. The values are in `api.old` and `api.new`."""

    code: ClassVar[str] = "start_profile_updated"
    trigger: ClassVar[str | None] = "profile_updated"
    icon: ClassVar[str] = "user-edit"
    title: ClassVar[Text] = {"en": "Profile updated", "ru": "Профиль обновлён"}
    description: ClassVar[Text] = {
        "en": "Captures profiles one of whose fields changes.",
        "ru": "Захватывает профили, у которых изменилось поле.",
    }
    settings: ClassVar[type[Settings]] = ProfileUpdatedSettings

    def check(self, settings: ProfileUpdatedSettings, around: Surroundings) -> list[Problem]:
        problems = super().check(settings, around)
        if settings.field is None:
            if settings.old is not None or settings.new is not None:
                problems.append(Problem("field_missing", "Values are those of a field: choose it.", "field"))
            return problems
        try:
            around.database.field(settings.field)
        except SojournError as error:
            problems.append(Problem(error.code, error.message, "field"))
        return problems

    def summary(self, settings: ProfileUpdatedSettings, language: Language, around: Surroundings) -> list[str]:
        lines = super().summary(settings, language, around)
        if settings.field is None:
            return lines
        title = field_title(around.database.field(settings.field), language)
        values = f": {settings.old or '…'} → {settings.new or '…'}" if settings.old or settings.new else ""
        return [title + values, *lines[1:]]

    def listens(self, settings: ProfileUpdatedSettings) -> dict[str, Any]:
        return {
            "fields": [settings.field] if settings.field else [],
            "causes": [] if settings.source == "any" else [_SOURCES[settings.source]],
            **({"from": settings.old} if settings.old is not None else {}),
            **({"to": settings.new} if settings.new is not None else {}),
        }


_CHANGES: dict[str, Text] = {
    "any": {"en": "added or its status changed", "ru": "добавлена или изменился статус"},
    "added": {"en": "added", "ru": "добавлена"},
    "status": {"en": "its status changed", "ru": "изменился статус"},
}
_STATUSES: dict[str, Text] = {
    "any": {"en": "any", "ru": "любой"}, "subscribed": {"en": "subscribed", "ru": "подписан"}, "unsubscribed": {"en": "unsubscribed", "ru": "отписан"},
    "complained": {"en": "complained", "ru": "пожаловался"}, "hardbounced": {"en": "hard bounced", "ru": "недоступен"}, "unconfirmed": {"en": "unconfirmed", "ru": "не подтверждён"},
    "suspended": {"en": "suspended", "ru": "приостановлен"}, "invalid": {"en": "invalid", "ru": "недействителен"},
}  # fmt: skip
assert set(_STATUSES) == {"any", *STATUS_WORDS}
_CHANNEL_WORDS: dict[str, Text] = {"any": {"en": "any", "ru": "любой"}, **CHANNEL_TEXTS}


class SubscriptionChangedSettings(StartSettings):
    """Which subscription, and what happened to it."""

    change: Literal["any", "added", "status"] = Field("any", title="Subscription", json_schema_extra=choices(_CHANGES))
    resource: int | str | None = Field(
        None, title="Resource", description="Any, if none is chosen.", json_schema_extra={"x-source": "resource"}
    )
    channel: ChannelWord | Literal["any"] = Field("any", title="Channel", json_schema_extra=choices(_CHANNEL_WORDS))
    status: Literal[
        "any", "subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid"
    ] = Field("any", title="Status now", json_schema_extra=choices(_STATUSES))


class SubscriptionChanged(StartNode):
    """A subscription appears, or its status changes."""

    code: ClassVar[str] = "start_subscription"
    trigger: ClassVar[str | None] = "subscription_changed"
    icon: ClassVar[str] = "bell"
    title: ClassVar[Text] = {"en": "Subscription changed", "ru": "Подписка изменилась"}
    description: ClassVar[Text] = {
        "en": "Captures profiles whose subscription is added or changes its status.",
        "ru": "Захватывает профили, у которых добавилась подписка или изменился её статус.",
    }
    settings: ClassVar[type[Settings]] = SubscriptionChangedSettings

    def summary(self, settings: SubscriptionChangedSettings, language: Language, around: Surroundings) -> list[str]:
        lines = super().summary(settings, language, around)
        resource = around.lookup.name_of("resource", settings.resource) if settings.resource is not None else ""
        parts = [
            resource,
            *([settings.channel] if settings.channel != "any" else []),
            _CHANGES[settings.change][language],
        ]
        if settings.status != "any":
            parts.append(f"→ {_STATUSES[settings.status][language]}")
        return [", ".join(part for part in parts if part), *lines[1:]]

    def listens(self, settings: SubscriptionChangedSettings) -> dict[str, Any]:
        kinds = {"any": [], "added": [CHANGE_SUBSCRIBED], "status": [CHANGE_SUBSCRIPTION]}
        return {
            "kinds": kinds[settings.change],
            "resources": [settings.resource] if settings.resource is not None else [],
            "channels": [CHANNELS[settings.channel]] if settings.channel != "any" else [],
            "statuses": [settings.status] if settings.status != "any" else [],
        }


class MessageEventSettings(StartSettings):
    """Which event of which message."""

    event: Literal[
        "opened", "clicked", "sent", "delivered", "confirmed", "unsubscribed", "undelivered", "soft_bounce", "hard_bounce", "complained", "web_version"
    ] = Field("opened", title="Event", json_schema_extra=choices({word: text for word, (_, text) in EVENTS.items()}))  # fmt: skip
    template: int | str | None = Field(
        None, title="Template", description="Any, if none is chosen.", json_schema_extra={"x-source": "template"}
    )
    scenario: int | str | None = Field(
        None,
        title="Sent by the scenario",
        description="Any, if none is chosen.",
        json_schema_extra={"x-source": "scenario"},
    )
    link: str | None = Field(
        None,
        title="Link",
        description="The address as it stands in the letter; any, if it is empty.",
        max_length=2000,
        json_schema_extra={"x-show-if": {"event": "clicked"}},
    )


class MessageEvent(StartNode):
    """Something happens to a message that another scenario sent."""

    code: ClassVar[str] = "start_message_event"
    trigger: ClassVar[str | None] = "event"
    icon: ClassVar[str] = "mail"
    title: ClassVar[Text] = {"en": "Message event", "ru": "Событие сообщения"}
    description: ClassVar[Text] = {
        "en": "Captures profiles who open, click, unsubscribe or cannot be reached.",
        "ru": "Захватывает профили, которые открыли, перешли, отписались или недоступны.",
    }
    settings: ClassVar[type[Settings]] = MessageEventSettings

    def summary(self, settings: MessageEventSettings, language: Language, around: Surroundings) -> list[str]:
        lines = super().summary(settings, language, around)
        template = f" “{around.lookup.name_of('template', settings.template)}”" if settings.template is not None else ""
        return [EVENTS[settings.event][1][language] + template, *lines[1:]]

    def listens(self, settings: MessageEventSettings) -> dict[str, Any]:
        return {
            "kinds": [int(EVENTS[settings.event][0])],
            "templates": [settings.template] if settings.template is not None else [],
            "scenarios": [settings.scenario] if settings.scenario is not None else [],
            **({"link": settings.link} if settings.link and settings.event == "clicked" else {}),
        }


class GoalReachedSettings(StartSettings):
    """Which goal."""

    goal: str = Field("", title="Goal", description="A name such as purchase.", max_length=100)
    least: float | None = Field(None, title="Value at least")


class GoalReached(StartNode):
    """A goal is recorded for the profile, by a step of another scenario or from outside."""

    code: ClassVar[str] = "start_goal"
    trigger: ClassVar[str | None] = "event"
    icon: ClassVar[str] = "target-arrow"
    title: ClassVar[Text] = {"en": "Goal reached", "ru": "Цель достигнута"}
    description: ClassVar[Text] = {
        "en": "Captures profiles who reach a goal.",
        "ru": "Захватывает профили, достигшие цели.",
    }
    settings: ClassVar[type[Settings]] = GoalReachedSettings

    def check(self, settings: GoalReachedSettings, around: Surroundings) -> list[Problem]:
        missing = [] if settings.goal.strip() else [Problem("goal_missing", "The goal has no name.", "goal")]
        return super().check(settings, around) + missing

    def summary(self, settings: GoalReachedSettings, language: Language, around: Surroundings) -> list[str]:
        least = f" ≥ {settings.least:g}" if settings.least is not None else ""
        return [settings.goal + least, *super().summary(settings, language, around)[1:]]

    def listens(self, settings: GoalReachedSettings) -> dict[str, Any]:
        least = {"least": settings.least} if settings.least is not None else {}
        return {"kinds": [int(EventKind.GOAL)], "goal": settings.goal.strip(), **least}


_MOVES: dict[str, Text] = {"entered": {"en": "enters", "ru": "входит"}, "left": {"en": "leaves", "ru": "выходит"}}


class SegmentMoveSettings(StartSettings):
    """Which segment, and which way."""

    move: Literal["entered", "left"] = Field(
        "entered", title="The profile", json_schema_extra=choices(_MOVES, widget="segmented")
    )
    segment: int | str = Field(title="Static or updatable segment", json_schema_extra={"x-source": "segment"})


class SegmentMove(StartNode):
    """A profile enters or leaves a static or updatable segment. Whoever is in it already is not captured."""

    code: ClassVar[str] = "start_segment"
    trigger: ClassVar[str | None] = "segment"
    icon: ClassVar[str] = "users"
    title: ClassVar[Text] = {"en": "Segment entered or left", "ru": "Вход в сегмент или выход"}
    description: ClassVar[Text] = {
        "en": "Captures profiles who enter or leave a segment.",
        "ru": "Захватывает профили, которые вошли в сегмент или вышли из него.",
    }
    settings: ClassVar[type[Settings]] = SegmentMoveSettings

    def check(self, settings: SegmentMoveSettings, around: Surroundings) -> list[Problem]:
        problems = super().check(settings, around)
        kind, database_id, _ = around.lookup.segment_kind(settings.segment)
        if kind == "dynamic":
            problems.append(
                Problem(
                    "segment_dynamic",
                    "Nobody enters a dynamic segment: choose a static or an updatable one.",
                    "segment",
                )
            )
        if database_id != around.database.id:
            problems.append(Problem("other_database", "This segment is one of another database.", "segment"))
        return problems

    def summary(self, settings: SegmentMoveSettings, language: Language, around: Surroundings) -> list[str]:
        words = {"entered": {"en": "Enters", "ru": "Входит в"}, "left": {"en": "Leaves", "ru": "Выходит из"}}
        name = around.lookup.name_of("segment", settings.segment)
        return [f"{words[settings.move][language]} “{name}”", *super().summary(settings, language, around)[1:]]

    def listens(self, settings: SegmentMoveSettings) -> dict[str, Any]:
        return {"segments": [settings.segment], "entered": settings.move == "entered"}
