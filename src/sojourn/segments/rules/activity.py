"""Rule: something happened with messages: sent, delivered, opened, clicked, …, so many times in a window. Reads the log of events."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from pydantic import Field

from sojourn.events import EventKind
from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, RuleContext, Text, Touch
from sojourn.segments.rules.subscription import CHANNEL_TEXTS, CHANNELS, ChannelWord
from sojourn.segments.windows import TITLES, WORDS, WindowRule

Happening = Literal[
    "sent", "delivered", "opened", "clicked", "confirmed", "unsubscribed", "complained", "hard_bounce", "soft_bounce", "undelivered", "web_version"
]  # fmt: skip
_KINDS = {word: int(EventKind[word.upper()]) for word in get_args(Happening)}
_HAPPENINGS: dict[str, Text] = {
    "sent": {"en": "sent", "ru": "отправлено"},
    "delivered": {"en": "delivered", "ru": "доставлено"},
    "opened": {"en": "opened", "ru": "открыто"},
    "clicked": {"en": "clicked", "ru": "переход по ссылке"},
    "confirmed": {"en": "subscription confirmed", "ru": "подписка подтверждена"},
    "unsubscribed": {"en": "unsubscribed", "ru": "отписка"},
    "complained": {"en": "complained", "ru": "жалоба на спам"},
    "hard_bounce": {"en": "hard bounce", "ru": "постоянная ошибка доставки"},
    "soft_bounce": {"en": "soft bounce", "ru": "временная ошибка доставки"},
    "undelivered": {"en": "not delivered", "ru": "не доставлено"},
    "web_version": {"en": "read in the browser", "ru": "прочитано в браузере"},
}


class ActivityRule(WindowRule):
    """`event` happened so often in the window, narrowed by channel, templates, scenarios, resource and link. Several templates or scenarios: any of them."""

    code: ClassVar[str] = "activity"
    group: ClassVar[Group] = "activity"
    title: ClassVar[Text] = {"en": "Activity", "ru": "Активность"}
    description: ClassVar[Text] = {
        "en": "Messages were sent, opened, clicked and so on, so many times in a window.",
        "ru": "Сообщения отправлены, открыты, были переходы и так далее — сколько раз и за какое время.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "event": {"en": "What happened", "ru": "Что произошло"},
        "channel": {"en": "Channel", "ru": "Канал"},
        "templates": {"en": "Templates", "ru": "Шаблоны"},
        "scenarios": {"en": "Scenarios", "ru": "Сценарии"},
        "resource": {"en": "Resource", "ru": "Ресурс"},
        "link": {"en": "Link", "ru": "Ссылка"},
        **TITLES,
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"event": _HAPPENINGS, "channel": CHANNEL_TEXTS, **WORDS}
    advanced: ClassVar[frozenset[str]] = WindowRule.advanced | {"scenarios", "resource", "link"}
    references: ClassVar[dict[str, str]] = {"templates": "template", "scenarios": "scenario", "resource": "resource"}
    rule: Literal["activity"] = "activity"
    event: Happening = "opened"
    channel: ChannelWord | None = None
    templates: list[int | str] = Field([], max_length=100)
    scenarios: list[int | str] = Field([], max_length=100)
    resource: int | str | None = None
    link: str | None = Field(None, max_length=2_000)

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"event"})

    def reads(self, database: Database) -> Reads:
        return frozenset({"event"})

    def sql(self, context: RuleContext) -> str:
        conditions = [f"e.kind = {_KINDS[self.event]}", *self.window(context, "e.occurred_at", "e.recorded_at")]
        if self.channel is not None:
            conditions.append(f"e.channel = {context.bind(CHANNELS[self.channel], 'smallint')}")
        if self.templates:
            conditions.append(f"e.template_id = ANY({context.bind(list(self.templates), 'int[]')})")
        if self.scenarios:
            conditions.append(f"e.scenario_id = ANY({context.bind(list(self.scenarios), 'int[]')})")
        if self.resource is not None:
            conditions.append(f"e.resource_id = {context.bind(self.resource, 'int')}")
        if self.link:
            conditions.append(f"e.data ->> 'url' = {context.bind(self.link, 'text')}")
        return self.counted(context, "event", conditions, "e")

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        subject = (
            CHANNEL_TEXTS[self.channel][language] if self.channel else {"en": "Messages", "ru": "Сообщения"}[language]
        )
        names = [f"“{lookup.name_of('template', one)}”" for one in self.templates]
        names += [f"“{lookup.name_of('scenario', one)}”" for one in self.scenarios]
        parts = [
            f"{subject}:",
            _HAPPENINGS[self.event][language],
            ", ".join(names),
            self.link or "",
            self.window_text(language),
        ]
        return " ".join(part for part in parts if part)
