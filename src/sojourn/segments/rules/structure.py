"""Rule: what a profile is made of: addresses, phones, subscriptions, relations, and how many."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, Touch
from sojourn.segments.rules.subscription import CHANNEL_TEXTS, CHANNELS, ChannelWord

Part = Literal["email", "phone", "subscription", "relation"]
Sign = Literal["at_least", "at_most", "exactly"]
_SIGNS = {"at_least": ">=", "at_most": "<=", "exactly": "="}
_PARTS: dict[str, Text] = {
    "email": {"en": "e-mail address", "ru": "e-mail"},
    "phone": {"en": "phones", "ru": "телефоны"},
    "subscription": {"en": "subscriptions", "ru": "подписки"},
    "relation": {"en": "relations", "ru": "связи"},
}
_SIGN_WORDS: dict[str, Text] = {
    "at_least": {"en": "at least", "ru": "не менее"},
    "at_most": {"en": "at most", "ru": "не более"},
    "exactly": {"en": "exactly", "ru": "ровно"},
}


class StructureRule(Rule):
    """The profile has so many of `part`; subscriptions narrowed by channel, relations by their type."""

    code: ClassVar[str] = "structure"
    group: ClassVar[Group] = "structure"
    title: ClassVar[Text] = {"en": "Number of contacts or relations", "ru": "Количество контактов или связей"}
    description: ClassVar[Text] = {
        "en": "How many addresses, phones, subscriptions or relations a profile has.",
        "ru": "Сколько у профиля адресов, телефонов, подписок или связей.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "part": {"en": "Part", "ru": "Что считать"},
        "channel": {"en": "Channel", "ru": "Канал"},
        "relation": {"en": "Relation", "ru": "Связь"},
        "sign": {"en": "How many", "ru": "Сколько"},
        "number": {"en": "Number", "ru": "Число"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"part": _PARTS, "sign": _SIGN_WORDS, "channel": CHANNEL_TEXTS}
    shown_if: ClassVar[dict[str, dict[str, str]]] = {
        "channel": {"part": "subscription"},
        "relation": {"part": "relation"},
    }
    references: ClassVar[dict[str, str]] = {"relation": "relation_type"}
    rule: Literal["structure"] = "structure"
    part: Part = "email"
    sign: Sign = "at_least"
    number: int = Field(1, ge=0, le=10_000)
    channel: ChannelWord | None = None
    relation: int | str | None = None

    def touched_by(self) -> frozenset[Touch]:
        return frozenset(
            {"subscription"}
            if self.part == "subscription"
            else {"relation"}
            if self.part == "relation"
            else {"profile"}
        )

    def reads(self, database: Database) -> Reads:
        if self.part == "subscription":
            return frozenset({"subscription"})
        if self.part == "relation":
            return frozenset({"relation"})
        return frozenset({"profile.email" if self.part == "email" else "profile.phones"})

    def sql(self, context: RuleContext) -> str:
        return f"{self._count(context)} {_SIGNS[self.sign]} {context.bind(self.number, 'bigint')}"

    def _count(self, context: RuleContext) -> str:
        if self.part == "email":
            return f"(CASE WHEN {context.profile}.email IS NULL THEN 0 ELSE 1 END)"
        if self.part == "phone":
            return f"coalesce(cardinality({context.profile}.phones), 0)"
        if self.part == "subscription":
            narrowed = f" AND s.channel = {context.bind(CHANNELS[self.channel], 'smallint')}" if self.channel else ""
            return f"(SELECT count(*) FROM subscription s WHERE s.lane = {context.lane} AND s.profile_id = {context.profile_id} AND s.deleted_at IS NULL{narrowed})"
        narrowed = f" AND r.type_id = {context.bind(self.relation, 'int')}" if self.relation is not None else ""
        of_a = f"SELECT count(*) FROM relation r WHERE r.lane = {context.lane} AND r.profile_a = {context.profile_id}{narrowed}"
        of_b = f"SELECT count(*) FROM relation r WHERE r.profile_b = {context.profile_id}{narrowed}"
        return f"(({of_a}) + ({of_b}))"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        narrowed = f" ({CHANNEL_TEXTS[self.channel][language]})" if self.channel else ""
        if self.relation is not None:
            narrowed = f" “{lookup.name_of('relation_type', self.relation)}”"
        return f"{_PARTS[self.part][language]}{narrowed}: {_SIGN_WORDS[self.sign][language]} {self.number}"
