"""Events that passages wait for, or end by: which ones, in words, and as SQL over the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sojourn.events import EventKind
from sojourn.kernel.errors import NotFound, Problem
from sojourn.kernel.statement import Bindings
from sojourn.scenarios.node_type import Surroundings, Text
from sojourn.scenarios.stage import LANE

MOST_EVENTS = 5
EVENTS: dict[str, tuple[EventKind, Text]] = {
    "opened": (EventKind.OPENED, {"en": "opened", "ru": "открыто"}),
    "clicked": (EventKind.CLICKED, {"en": "a link was clicked", "ru": "переход по ссылке"}),
    "sent": (EventKind.SENT, {"en": "sent", "ru": "отправлено"}),
    "delivered": (EventKind.DELIVERED, {"en": "delivered", "ru": "доставлено"}),
    "confirmed": (EventKind.CONFIRMED, {"en": "the subscription was confirmed", "ru": "подписка подтверждена"}),
    "unsubscribed": (EventKind.UNSUBSCRIBED, {"en": "unsubscribed", "ru": "отписка"}),
    "undelivered": (EventKind.UNDELIVERED, {"en": "not delivered", "ru": "не доставлено"}),
    "soft_bounce": (EventKind.SOFT_BOUNCE, {"en": "soft bounce", "ru": "временная недоставка"}),
    "hard_bounce": (EventKind.HARD_BOUNCE, {"en": "hard bounce", "ru": "постоянная недоставка"}),
    "complained": (EventKind.COMPLAINED, {"en": "complaint", "ru": "жалоба на спам"}),
    "web_version": (EventKind.WEB_VERSION, {"en": "web version opened", "ru": "открыта веб-версия"}),
}

Word = Literal[
    "opened", "clicked", "goal", "sent", "delivered", "confirmed", "unsubscribed", "undelivered", "soft_bounce", "hard_bounce", "complained", "web_version"
]  # fmt: skip
WORDS: dict[str, Text] = {
    **{word: text for word, (_, text) in EVENTS.items()},
    "goal": {"en": "goal reached", "ru": "достигнута цель"},
}
_ABOUT_MESSAGES = frozenset(EVENTS)


class Awaited(BaseModel):
    """One event. `goal`: its name; `template`, `link`: of the message. Events of messages count only for messages of this passage, unless
    `any_message`."""

    model_config = ConfigDict(extra="forbid")
    event: Word = "opened"
    template: int | str | None = None
    link: str | None = Field(None, max_length=2000)
    goal: str | None = Field(None, max_length=100)
    any_message: bool = False

    @property
    def kind(self) -> EventKind:
        """Its kind in the log."""
        return EventKind.GOAL if self.event == "goal" else EVENTS[self.event][0]

    @property
    def title(self) -> Text:
        """What an output or a list calls it."""
        if self.event == "goal" and self.goal:
            return {"en": self.goal, "ru": self.goal}
        return {language: text[:1].upper() + text[1:] for language, text in WORDS[self.event].items()}

    def condition(self, bindings: Bindings, who: str = "f") -> str:
        """SQL: an event `e` of the log is one of these for the passage `who`."""
        where = [f"e.lane = {LANE}", f"e.profile_id = {who}.profile_id", f"e.kind = {int(self.kind)}::smallint"]
        if self.event == "goal":
            where.append(f"e.data ->> 'goal' = {bindings.bind((self.goal or '').strip(), 'text')}")
            where.append(f"e.passage_id IS DISTINCT FROM {who}.passage_id")
        elif not self.any_message:
            where.append(f"e.passage_id = {who}.passage_id")
        if self.template is not None and self.event in _ABOUT_MESSAGES:
            where.append(f"e.template_id = {bindings.bind(self.template, 'int')}")
        if self.link and self.event == "clicked":
            where.append(f"e.data ->> 'url' = {bindings.bind(self.link, 'text')}")
        return " AND ".join(where)


def check_awaited(events: Sequence[Awaited], place: str, around: Surroundings) -> list[Problem]:
    """What is wrong with a list of events."""
    problems = []
    for number, one in enumerate(events):
        if one.event == "goal" and not (one.goal or "").strip():
            problems.append(Problem("goal_missing", "The goal has no name.", f"{place}.{number}.goal"))
        if one.template is not None:
            try:
                around.lookup.find("template", one.template)
            except NotFound as error:
                problems.append(Problem(error.code, error.message, f"{place}.{number}.template"))
    return problems
