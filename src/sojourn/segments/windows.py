"""The window of time that behaviour rules share: ever, the last days, or a period; and how often something must have happened in it."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from sojourn.segments.rule import ROW, Language, Rule, RuleContext, Text, TimeNeed

Times = Literal["at_least", "at_most", "never"]
TITLES: dict[str, Text] = {
    "happened": {"en": "How often", "ru": "Как часто"},
    "times": {"en": "Times", "ru": "Раз"},
    "within_days": {"en": "In the last days", "ru": "За последние дни"},
    "since": {"en": "From day", "ru": "С дня"},
    "until": {"en": "To day", "ru": "По день"},
}
WORDS: dict[str, dict[str, Text]] = {
    "happened": {
        "at_least": {"en": "at least", "ru": "не менее"},
        "at_most": {"en": "at most", "ru": "не более"},
        "never": {"en": "never", "ru": "ни разу"},
    }
}


class WindowRule(Rule):
    """A rule over what happened, with its window. The last days are a rolling window of 24 hours each; a period has whole days of the account."""

    happened: Times = "at_least"
    times: int = Field(1, ge=1, le=100_000)
    within_days: int | None = Field(None, ge=1, le=36_500)
    since: date | None = None
    until: date | None = None
    advanced: ClassVar[frozenset[str]] = frozenset({"since", "until"})

    @model_validator(mode="after")
    def _one_window(self) -> WindowRule:
        if self.within_days is not None and (self.since or self.until):
            raise ValueError("Give the last days or a period, not both")
        if self.since and self.until and self.since > self.until:
            raise ValueError("The period ends before it begins")
        return self

    @property
    def time_need(self) -> TimeNeed:
        return "moment" if self.within_days is not None else "none"

    def window(self, context: RuleContext, moment: str, bound: str | None = None) -> list[str]:
        """Conditions over the column `moment`; `bound` is a column that is never earlier, by which partitions are left out."""
        conditions = []
        if self.within_days is not None:
            start = f"{context.at} - {context.bind(self.within_days * 24, 'int')} * interval '1 hour'"
            conditions += [f"{moment} > {start}", f"{moment} <= {context.at}"]
            if bound:
                conditions.append(f"{bound} > {start}")
        if self.since is not None:
            start = f"({context.bind(self.since, 'date')}::timestamp AT TIME ZONE {context.zone})"
            conditions.append(f"{moment} >= {start}")
            if bound:
                conditions.append(f"{bound} >= {start}")
        if self.until is not None:
            conditions.append(
                f"{moment} < (({context.bind(self.until, 'date')} + 1)::timestamp AT TIME ZONE {context.zone})"
            )
        return conditions

    def counted(self, context: RuleContext, source: str, conditions: list[str], alias: str) -> str:
        """The predicate: so many rows of `source` (with lane and profile_id) under the conditions belong to the profile."""
        own = f"{alias}.lane = {context.lane} AND {alias}.profile_id = {context.profile_id}"
        where = " AND ".join([own, *conditions])
        if self.happened == "never" or (self.happened == "at_least" and self.times == 1):
            negation = "NOT " if self.happened == "never" else ""
            return f"{negation}EXISTS (SELECT FROM {source} {alias} WHERE {where})"
        sign, number = (">=", self.times) if self.happened == "at_least" else (">", self.times)
        negation = "" if self.happened == "at_least" else "NOT "
        wanted = context.bind(number, "bigint")
        if context.mode == ROW:
            return f"{negation}((SELECT count(*) FROM {source} {alias} WHERE {where}) {sign} {wanted})"
        # Everybody at once: counted in one go, not once for each profile.
        inner = " AND ".join(conditions) or "true"
        grouped = f"SELECT {alias}.lane, {alias}.profile_id FROM {source} {alias} WHERE {inner} GROUP BY 1, 2 HAVING count(*) {sign} {wanted}"
        return f"{negation}EXISTS (SELECT FROM ({grouped}) g WHERE g.lane = {context.lane} AND g.profile_id = {context.profile_id})"

    def window_text(self, language: Language) -> str:
        """How often and when, in words."""
        often = WORDS["happened"][self.happened][language]
        if self.happened != "never":
            often = "" if (self.happened, self.times) == ("at_least", 1) else f"{often} {self.times}"
        days = {"en": "in the last {} days", "ru": "за последние {} дн."}[language]
        when = days.format(self.within_days) if self.within_days is not None else ""
        if self.since or self.until:
            when = f"{self.since or '…'} – {self.until or '…'}"
        return " ".join(part for part in (often, when) if part)
