"""Rule: the profile has a subscription in a given state."""

from __future__ import annotations

from typing import ClassVar, Literal

from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, Touch

State = Literal[
    "confirmed",
    "double_opt_in",
    "subscribed",
    "unsubscribed",
    "complained",
    "hardbounced",
    "unconfirmed",
    "suspended",
    "invalid",
]
ChannelWord = Literal["email", "sms", "push", "telegram", "whatsapp", "viber", "notify"]
CHANNELS: dict[str, int] = {"email": 1, "sms": 2, "push": 3, "telegram": 4, "whatsapp": 5, "viber": 6, "notify": 7}
_STATUS = {
    "subscribed": 0,
    "confirmed": 0,
    "unsubscribed": 1,
    "complained": 2,
    "hardbounced": 3,
    "unconfirmed": 4,
    "suspended": 5,
    "invalid": 6,
}
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"confirmed": "is confirmed", "double_opt_in": "was confirmed by the link", "subscribed": "is active", "unsubscribed": "is cancelled",
           "complained": "ended by a complaint", "hardbounced": "ended by a hard bounce", "unconfirmed": "waits for confirmation",
           "suspended": "is suspended", "invalid": "is invalid", "any": "any resource", "subject": "Subscription"},
    "ru": {"confirmed": "подтверждена", "double_opt_in": "подтверждена по ссылке", "subscribed": "активна", "unsubscribed": "отменена",
           "complained": "прекращена жалобой", "hardbounced": "прекращена из-за недоставки", "unconfirmed": "ждёт подтверждения",
           "suspended": "приостановлена", "invalid": "недействительна", "any": "любой ресурс", "subject": "Подписка"},
}  # fmt: skip


class SubscriptionRule(Rule):
    """`state` of a subscription to `resource` in `channel`; what is left out may be any.

    *confirmed* means that letters may go out: a subscription that needed no confirmation is confirmed too.
    """

    code: ClassVar[str] = "subscription"
    group: ClassVar[Group] = "subscription"
    title: ClassVar[Text] = {"en": "Subscription", "ru": "Подписка"}
    description: ClassVar[Text] = {"en": "A subscription in a given state.", "ru": "Подписка в заданном состоянии."}
    rule: Literal["subscription"] = "subscription"
    resource: int | str | None = None
    channel: ChannelWord | None = None
    state: State = "confirmed"
    references: ClassVar[dict[str, str]] = {"resource": "resource"}

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
        where.append(
            "s.confirmed_at IS NOT NULL"
            if self.state == "double_opt_in"
            else f"s.status = {context.bind(_STATUS[self.state], 'smallint')}"
        )
        return f"EXISTS (SELECT FROM subscription s WHERE {' AND '.join(where)})"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        words = _WORDS[language]
        resource = f"“{lookup.name_of('resource', self.resource)}”" if self.resource is not None else words["any"]
        channel = f", {self.channel}" if self.channel else ""
        return f"{words['subject']} ({resource}{channel}) {words[self.state]}"
