"""Rule: a share of all people, even, always the same, and disjoint from other shares of the same group."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, Touch


def share_sql(context: RuleContext, start: float, end: float, group: str) -> str:
    """SQL: the profile lies in the share from `start` to `end` percent of a group. Groups deal people anew, independent of each other."""
    place = f"mod(('x' || substr(md5({context.bind(group + ':', 'text')} || {context.profile_id}), 1, 8))::bit(32)::bigint, 10000)"
    low, high = context.bind(round(start * 100), "int"), context.bind(round(end * 100), "int")
    return f"({place} >= {low} AND {place} < {high})"


class SampleRule(Rule):
    """From `start` to `end` percent of all people, as the draw `name` deals them. 0–50 and 50–100 of one draw never overlap; two draws are independent."""

    code: ClassVar[str] = "sample"
    group: ClassVar[Group] = "profile"
    title: ClassVar[Text] = {"en": "Sample", "ru": "Выборка"}
    description: ClassVar[Text] = {
        "en": "An even share of all people, always the same ones.",
        "ru": "Равномерная доля всех людей, всегда одних и тех же.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "start": {"en": "From percent", "ru": "От процента"},
        "end": {"en": "To percent", "ru": "До процента"},
        "name": {"en": "Name of the draw", "ru": "Название жребия"},
    }
    advanced: ClassVar[frozenset[str]] = frozenset({"name"})
    rule: Literal["sample"] = "sample"
    start: float = Field(0, ge=0, le=100)
    end: float = Field(50, ge=0, le=100)
    name: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _in_order(self) -> SampleRule:
        if self.start >= self.end:
            raise ValueError("The share begins before it ends")
        return self

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"profile"})

    def reads(self, database: Database) -> Reads:
        return frozenset()

    def sql(self, context: RuleContext) -> str:
        return share_sql(context, self.start, self.end, self.name)

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        subject = {"en": "Sample", "ru": "Выборка"}[language]
        return f"{subject} {self.start:g}–{self.end:g} %" + (f" ({self.name})" if self.name else "")
