"""Rule: a message was sent, opened or clicked.

*Sent* reads the ledger (planned, on its way, accepted, in doubt), so a loop sees a message at once; opens and clicks read the first
moments that the ledger keeps, a certain link the event log.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Scope, Text, Touch
from sojourn.segments.rules.subscription import CHANNEL_TEXTS, CHANNELS, ChannelWord

_SENT = "(0, 1, 2, 4)"
_CLICKED_EVENT = 4
_WORDS: dict[Language, dict[str, str]] = {
    "en": {"sent": "was sent", "opened": "was opened", "clicked": "was clicked", "any": "A message", "email": "An e-mail", "sms": "An SMS",
           "passage": "in this passage", "ever": "ever", "times": "at least {n} times"},
    "ru": {"sent": "отправлено", "opened": "открыто", "clicked": "есть переход", "any": "Сообщение", "email": "Письмо", "sms": "SMS",
           "passage": "в этом прохождении", "ever": "когда-либо", "times": "не менее {n} раз"},
}  # fmt: skip


class MessageRule(Rule):
    """`event` of a message, narrowed by channel, template, node of the scenario and link; counted at least `at_least` times."""

    code: ClassVar[str] = "message"
    group: ClassVar[Group] = "activity"
    for_scenarios: ClassVar[bool] = True
    title: ClassVar[Text] = {"en": "Message", "ru": "Сообщение"}
    description: ClassVar[Text] = {
        "en": "A message was sent, opened or clicked.",
        "ru": "Сообщение отправлено, открыто или по нему перешли.",
    }
    rule: Literal["message"] = "message"
    event: Literal["sent", "opened", "clicked"]
    channel: ChannelWord | None = None
    scope: Scope = "passage"
    node: int | None = Field(None, ge=0, le=2**31 - 1)
    template: int | str | None = None
    link: str | None = Field(None, description="The address of the link as it stands in the letter.")
    at_least: int = Field(1, ge=1, le=1000)
    titles: ClassVar[dict[str, Text]] = {
        "event": {"en": "What happened", "ru": "Что произошло"},
        "channel": {"en": "Channel", "ru": "Канал"},
        "scope": {"en": "When", "ru": "Когда"},
        "node": {"en": "Step", "ru": "Шаг"},
        "template": {"en": "Template", "ru": "Шаблон"},
        "link": {"en": "Link", "ru": "Ссылка"},
        "at_least": {"en": "At least times", "ru": "Не менее раз"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {
        "event": {word: {"en": _WORDS["en"][word], "ru": _WORDS["ru"][word]} for word in ("sent", "opened", "clicked")},
        "channel": CHANNEL_TEXTS,
        "scope": {word: {"en": _WORDS["en"][word], "ru": _WORDS["ru"][word]} for word in ("passage", "ever")},
    }
    widgets: ClassVar[dict[str, str]] = {"node": "node"}
    shown_if: ClassVar[dict[str, dict[str, str]]] = {"link": {"event": "clicked"}}
    advanced: ClassVar[frozenset[str]] = frozenset({"node", "link", "at_least"})
    references: ClassVar[dict[str, str]] = {"template": "template"}

    @property
    def needs_passage(self) -> bool:
        return self.scope == "passage" or self.node is not None

    @property
    def names_node(self) -> int | None:
        return self.node

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"passage", "event"})

    def reads(self, database: Database) -> Reads:
        return frozenset({"message", "event"} if self.event == "clicked" and self.link else {"message"})

    def sql(self, context: RuleContext) -> str:
        by_link = self.event == "clicked" and self.link is not None
        table, alias = ("event", "m") if by_link else ("message", "m")
        where = [f"{alias}.lane = {context.lane}"]
        if self.scope == "passage":
            where.append(f"{alias}.passage_id = {context.passage_id or 'NULL'}")
        elif not by_link:
            where.append(f"{alias}.passage_id IN ({_passages(context)})")
        if by_link:
            where.append(f"{alias}.profile_id = {context.profile_id}")
        if self.channel is not None:
            where.append(f"{alias}.channel = {context.bind(CHANNELS[self.channel], 'smallint')}")
        if self.node is not None:
            where.append(f"{alias}.node_id = {context.bind(self.node, 'int')}")
        if self.template is not None:
            where.append(f"{alias}.template_id = {context.bind(self.template, 'int')}")
        if by_link:
            where.append(
                f"{alias}.kind = {_CLICKED_EVENT} AND {alias}.data ->> 'url' = {context.bind(self.link, 'text')}"
            )
        elif self.event == "sent":
            where.append(f"{alias}.state IN {_SENT}")
        else:
            where.append(f"{alias}.{'opened_at' if self.event == 'opened' else 'clicked_at'} IS NOT NULL")
        condition = f"FROM {table} {alias} WHERE {' AND '.join(where)}"
        if self.at_least == 1:
            return f"EXISTS (SELECT {condition})"
        return f"(SELECT count(*) {condition}) >= {context.bind(self.at_least, 'int')}"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        words = _WORDS[language]
        subject = words.get(self.channel or "any", self.channel or "")
        template = f" “{lookup.name_of('template', self.template)}”" if self.template is not None else ""
        times = " " + words["times"].format(n=self.at_least) if self.at_least > 1 else ""
        link = f" ({self.link})" if self.link else ""
        return f"{subject}{template} {words[self.event]}{link}{times} {words[self.scope]}"


def _passages(context: RuleContext) -> str:
    """All passages of the profile: the ledger has no index by profile, since that would cost every message a microsecond."""
    same = f"x.lane = {context.lane} AND x.profile_id = {context.profile_id}"
    own = f"SELECT {context.passage_id} UNION ALL " if context.passage_id else ""
    return f"{own}SELECT x.passage_id FROM resting x WHERE {same} UNION ALL SELECT x.passage_id FROM passage_ended x WHERE {same}"
