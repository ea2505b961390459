"""Rule: the profile has a subscription in a given state, or has none."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from sojourn.kernel.errors import Problem
from sojourn.profiles import Database
from sojourn.profiles.statuses import CHANGE_SUBSCRIPTION
from sojourn.segments.comparison import (
    CustomComparison,
    DateComparison,
    comparison_problem,
    comparison_text,
    time_need_of,
)
from sojourn.segments.json_values import found_at, is_path, read_as
from sojourn.segments.operators import OPERATORS, Operand, build
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
_PRESENCES: dict[str, Text] = {
    "some": {"en": "there is one", "ru": "есть такая"},
    "none": {"en": "there is none", "ru": "нет такой"},
}
_CHANGED = (
    "coalesce((SELECT max(c.at) FROM change c WHERE c.lane = s.lane AND c.profile_id = s.profile_id AND c.subject_id = s.id"
    f" AND c.kind = {CHANGE_SUBSCRIPTION}), s.created_at)"
)
_OR: Text = {"en": " or ", "ru": " или "}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class SubscriptionRule(Rule):
    """A subscription to `resource` in `channel` that is in one of the states `state`; what is left out may be any.

    One subscription must fulfil everything. With `presence: none` there must be no such subscription. *confirmed* means that letters may go out:
    a subscription that needed no confirmation is confirmed too. `added`, `confirmed` and `changed` compare the moments of its creation, its
    confirmation and the last change of its state (its creation where there was none), `custom` one of its own fields. Deleted subscriptions do not count.
    """

    code: ClassVar[str] = "subscription"
    group: ClassVar[Group] = "subscription"
    title: ClassVar[Text] = {"en": "Subscription", "ru": "Подписка"}
    description: ClassVar[Text] = {
        "en": "There is a subscription in a given state, or there is none.",
        "ru": "Есть подписка в заданном состоянии, или такой нет.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "resource": {"en": "Resource", "ru": "Ресурс"},
        "channel": {"en": "Channel", "ru": "Канал"},
        "state": {"en": "State", "ru": "Состояние"},
        "presence": {"en": "Presence", "ru": "Наличие"},
        "category": {"en": "Category", "ru": "Категория"},
        "priority": {"en": "Priority at most", "ru": "Приоритет не больше"},
        "contact": {"en": "Contact contains", "ru": "Контакт содержит"},
        "added": {"en": "Added", "ru": "Добавлена"},
        "confirmed": {"en": "Confirmed", "ru": "Подтверждена"},
        "changed": {"en": "Changed", "ru": "Изменена"},
        "custom": {"en": "Own field", "ru": "Своё поле"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"state": _STATES, "channel": CHANNEL_TEXTS, "presence": _PRESENCES}
    widgets: ClassVar[dict[str, str]] = {
        "added": "date_comparison",
        "confirmed": "date_comparison",
        "changed": "date_comparison",
        "custom": "custom_comparison",
    }
    advanced: ClassVar[frozenset[str]] = frozenset(
        {"category", "priority", "contact", "added", "confirmed", "changed", "custom"}
    )
    references: ClassVar[dict[str, str]] = {"resource": "resource"}
    rule: Literal["subscription"] = "subscription"
    resource: int | str | None = None
    channel: ChannelWord | None = None
    state: Annotated[tuple[State, ...], BeforeValidator(_as_list)] = Field(("confirmed",), min_length=1, max_length=10)
    presence: Literal["some", "none"] = "some"
    category: str | None = Field(None, max_length=200)
    priority: int | None = Field(None, ge=0, le=32_767)
    contact: str | None = Field(None, max_length=500)
    added: DateComparison | None = None
    confirmed: DateComparison | None = None
    changed: DateComparison | None = None
    custom: CustomComparison | None = None

    @property
    def _moments(self) -> tuple[tuple[str, str, DateComparison], ...]:
        known = (
            ("added", "s.created_at", self.added),
            ("confirmed", "s.confirmed_at", self.confirmed),
            ("changed", _CHANGED, self.changed),
        )
        return tuple((name, column, given) for name, column, given in known if given is not None)

    @property
    def time_need(self) -> TimeNeed:
        compared = [given.operator for _, _, given in self._moments]
        compared += [self.custom.operator] if self.custom else []
        return "day" if any(time_need_of(operator) == "day" for operator in compared) else "none"

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"subscription"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        problems = super().check(database, lookup)
        for name, _, given in self._moments:
            problems += _within(name, comparison_problem(given.operator, given.field, given.value))
        if self.custom and (not is_path(self.custom.name) or "." in self.custom.name):
            problems.append(Problem("wrong_path", "The name of a field of subscriptions is needed.", "custom.name"))
        elif self.custom:
            problems += _within(
                "custom", comparison_problem(self.custom.operator, self.custom.field, self.custom.value)
            )
        return problems

    def reads(self, database: Database) -> Reads:
        return frozenset({"subscription"})

    def sql(self, context: RuleContext) -> str:
        where = [f"s.lane = {context.lane}", f"s.profile_id = {context.profile_id}"]
        if self.resource is not None:
            where.append(f"s.resource_id = {context.bind(self.resource, 'int')}")
        if self.channel is not None:
            where.append(f"s.channel = {context.bind(CHANNELS[self.channel], 'smallint')}")
        where += self._states(context)
        if self.category is not None:  # who chose no categories gets all of them
            where.append(f"(s.cats IS NULL OR s.cats @> ARRAY[{context.bind(self.category, 'text')}])")
        if self.priority is not None:
            where.append(f"s.priority <= {context.bind(self.priority, 'smallint')}")
        if self.contact:
            where.append(f"strpos(lower(s.contact), lower({context.bind(self.contact, 'text')})) > 0")
        for _, column, given in self._moments:
            where.append(build(given.operator, Operand(column, "timestamptz", given.field), given.value, context))
        if self.custom:
            where.append(_custom_sql(self.custom, context))
        if not {"any", "invalid", "double_opt_in"}.isdisjoint(self.state):  # deleted ones are `invalid` too
            where.append("s.deleted_at IS NULL")
        negation = "NOT " if self.presence == "none" else ""
        return f"{negation}EXISTS (SELECT FROM subscription s WHERE {' AND '.join(where)})"

    def _states(self, context: RuleContext) -> list[str]:
        if "any" in self.state:
            return []
        numbers = sorted({_STATUS[word] for word in self.state if word in _STATUS})
        ways = []
        if len(numbers) == 1:
            ways.append(f"s.status = {context.bind(numbers[0], 'smallint')}")
        elif numbers:
            ways.append(f"s.status = ANY({context.bind(numbers, 'smallint[]')})")
        if "double_opt_in" in self.state:
            ways.append("s.confirmed_at IS NOT NULL")
        return ways if len(ways) == 1 else [f"({' OR '.join(ways)})"]

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        anything = {"en": "any resource", "ru": "любой ресурс"}[language]
        resource = f"“{lookup.name_of('resource', self.resource)}”" if self.resource is not None else anything
        parts = [resource, *([self.channel] if self.channel else [])]
        for name in ("category", "priority", "contact"):
            if (given := getattr(self, name)) is not None:
                parts.append(f"{self.titles[name][language].lower()} “{given}”")
        for name, _, given in self._moments:
            parts.append(
                f"{self.titles[name][language].lower()} {comparison_text(given.operator, 'date', given.value, language)}"
            )
        if custom := self.custom:
            parts.append(f"{custom.name} {comparison_text(custom.operator, custom.type, custom.value, language)}")
        states = _OR[language].join(_STATES[word][language] for word in self.state)
        none = {"en": "No subscription", "ru": "Нет подписки"}[language]
        subject = none if self.presence == "none" else self.title[language]
        return f"{subject} ({', '.join(parts)}) {states}"


def _custom_sql(custom: CustomComparison, context: RuleContext) -> str:
    operand = Operand(read_as(custom.type, context), custom.field.sql_type, custom.field)
    opposite = OPERATORS[custom.operator].opposite_of
    fits = build(opposite or custom.operator, operand, custom.value, context)
    some = f"EXISTS (SELECT FROM {found_at('s.custom', custom.name, context)} WHERE {fits})"
    return f"NOT {some}" if opposite else some


def _within(name: str, problem: Problem | None) -> list[Problem]:
    return [Problem(problem.code, problem.message, f"{name}.{problem.place}")] if problem else []
