"""Rule: the profile has a subscription in a given state."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, TimeNeed, Touch

State = Literal[
    "confirmed", "double_opt_in", "subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid", "any"
]  # fmt: skip
ChannelWord = Literal["email", "sms", "push", "telegram", "whatsapp", "viber", "notify"]
CHANNELS: dict[str, int] = {"email": 1, "sms": 2, "push": 3, "telegram": 4, "whatsapp": 5, "viber": 6, "notify": 7}
CHANNEL_TEXTS: dict[str, Text] = {
    "email": {"en": "E-mail", "ru": "E-mail"},
    "sms": {"en": "SMS", "ru": "SMS"},
    "push": {"en": "Push", "ru": "Push"},
    "telegram": {"en": "Telegram", "ru": "Telegram"},
    "whatsapp": {"en": "WhatsApp", "ru": "WhatsApp"},
    "viber": {"en": "Viber", "ru": "Viber"},
    "notify": {"en": "Notify", "ru": "Notify"},
}
_STATUS = {
    "subscribed": 0, "confirmed": 0, "unsubscribed": 1, "complained": 2, "hardbounced": 3, "unconfirmed": 4, "suspended": 5, "invalid": 6,
}  # fmt: skip
_STATES: dict[str, Text] = {
    "confirmed": {"en": "is confirmed", "ru": "подтверждена"},
    "double_opt_in": {"en": "was confirmed by the link", "ru": "подтверждена по ссылке"},
    "subscribed": {"en": "is active", "ru": "активна"},
    "unsubscribed": {"en": "is cancelled", "ru": "отменена"},
    "complained": {"en": "ended by a complaint", "ru": "прекращена жалобой"},
    "hardbounced": {"en": "ended by a hard bounce", "ru": "прекращена из-за недоставки"},
    "unconfirmed": {"en": "waits for confirmation", "ru": "ждёт подтверждения"},
    "suspended": {"en": "is suspended", "ru": "приостановлена"},
    "invalid": {"en": "is invalid", "ru": "недействительна"},
    "any": {"en": "exists", "ru": "есть"},
}


class SubscriptionRule(Rule):
    """`state` of a subscription to `resource` in `channel`; what is left out may be any. One subscription must fulfil everything.

    *confirmed* means that letters may go out: a subscription that needed no confirmation is confirmed too.
    """

    code: ClassVar[str] = "subscription"
    group: ClassVar[Group] = "subscription"
    title: ClassVar[Text] = {"en": "Subscription", "ru": "Подписка"}
    description: ClassVar[Text] = {
        "en": "A subscription in a given state.",
        "ru": "Подписка в заданном состоянии.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "resource": {"en": "Resource", "ru": "Ресурс"},
        "channel": {"en": "Channel", "ru": "Канал"},
        "state": {"en": "State", "ru": "Состояние"},
        "category": {"en": "Category", "ru": "Категория"},
        "priority": {"en": "Priority at most", "ru": "Приоритет не больше"},
        "added_within_days": {"en": "Added in the last days", "ru": "Добавлена за последние дни"},
        "contact": {"en": "Contact contains", "ru": "Контакт содержит"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"state": _STATES, "channel": CHANNEL_TEXTS}
    advanced: ClassVar[frozenset[str]] = frozenset({"category", "priority", "added_within_days", "contact"})
    references: ClassVar[dict[str, str]] = {"resource": "resource"}
    rule: Literal["subscription"] = "subscription"
    resource: int | str | None = None
    channel: ChannelWord | None = None
    state: State = "confirmed"
    category: str | None = Field(None, max_length=200)
    priority: int | None = Field(None, ge=0, le=32_767)
    added_within_days: int | None = Field(None, ge=1, le=36_500)
    contact: str | None = Field(None, max_length=500)

    @property
    def time_need(self) -> TimeNeed:
        return "moment" if self.added_within_days is not None else "none"

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"subscription"})

    def reads(self, database: Database) -> Reads:
        return frozenset({"subscription"})

    def sql(self, context: RuleContext) -> str:
        where = [f"s.lane = {context.lane}", f"s.profile_id = {context.profile_id}"]
        if self.resource is not None:
            where.append(f"s.resource_id = {context.bind(self.resource, 'int')}")
        if self.channel is not None:
            where.append(f"s.channel = {context.bind(CHANNELS[self.channel], 'smallint')}")
        if self.state == "double_opt_in":
            where.append("s.confirmed_at IS NOT NULL")
        elif self.state != "any":
            where.append(f"s.status = {context.bind(_STATUS[self.state], 'smallint')}")
        if self.category is not None:  # who chose no categories gets all of them
            where.append(f"(s.cats IS NULL OR s.cats @> ARRAY[{context.bind(self.category, 'text')}])")
        if self.priority is not None:
            where.append(f"s.priority <= {context.bind(self.priority, 'smallint')}")
        if self.added_within_days is not None:
            start = f"{context.at} - {context.bind(self.added_within_days * 24, 'int')} * interval '1 hour'"
            where.append(f"s.created_at > {start} AND s.created_at <= {context.at}")
        if self.contact:
            where.append(f"strpos(lower(s.contact), lower({context.bind(self.contact, 'text')})) > 0")
        if self.state in ("any", "invalid", "double_opt_in"):
            where.append("s.deleted_at IS NULL")
        return f"EXISTS (SELECT FROM subscription s WHERE {' AND '.join(where)})"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        anything = {"en": "any resource", "ru": "любой ресурс"}[language]
        resource = f"“{lookup.name_of('resource', self.resource)}”" if self.resource is not None else anything
        channel = f", {self.channel}" if self.channel else ""
        more = ""
        if self.category is not None:
            more += f", {self.titles['category'][language].lower()} “{self.category}”"
        if self.added_within_days is not None:
            more += f", {self.titles['added_within_days'][language].lower()}: {self.added_within_days}"
        if self.contact:
            more += f", {self.titles['contact'][language].lower()} “{self.contact}”"
        return f"{self.title[language]} ({resource}{channel}) {_STATES[self.state][language]}{more}"
