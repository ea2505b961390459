"""Rule: the profile is, was or was never in a scenario."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from sojourn.profiles import Database
from sojourn.segments import register_rule
from sojourn.segments.rule import Group, Language, Lookup, Reads, Rule, RuleContext, Text, TimeNeed, Touch

Participation = Literal["entered", "never_entered", "inside", "not_inside", "completed", "failed"]
_COMPLETED, _FAILED = 1, 3
_PARTICIPATIONS: dict[str, Text] = {
    "entered": {"en": "has entered", "ru": "входил в"},
    "never_entered": {"en": "has never entered", "ru": "никогда не входил в"},
    "inside": {"en": "is now in", "ru": "сейчас в"},
    "not_inside": {"en": "is not in now", "ru": "сейчас не в"},
    "completed": {"en": "has completed", "ru": "завершил"},
    "failed": {"en": "has left with an error", "ru": "вышел с ошибкой из"},
}


@register_rule
class ScenarioRule(Rule):
    """`participation` of the profile in `scenario`; *inside* at a certain node; *entered*, *completed* and *failed* in the last days."""

    code: ClassVar[str] = "scenario"
    group: ClassVar[Group] = "entity"
    title: ClassVar[Text] = {"en": "Scenario", "ru": "Сценарий"}
    description: ClassVar[Text] = {
        "en": "The profile is, was or was never in a scenario.",
        "ru": "Профиль находится, был или никогда не был в сценарии.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "scenario": {"en": "Scenario", "ru": "Сценарий"},
        "participation": {"en": "Participation", "ru": "Участие"},
        "at_node": {"en": "At the step number", "ru": "На шаге номер"},
        "within_days": {"en": "In the last days", "ru": "За последние дни"},
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"participation": _PARTICIPATIONS}
    advanced: ClassVar[frozenset[str]] = frozenset({"at_node", "within_days"})
    references: ClassVar[dict[str, str]] = {"scenario": "scenario"}
    rule: Literal["scenario"] = "scenario"
    scenario: int | str
    participation: Participation = "entered"
    at_node: int | None = Field(None, ge=0, le=2**31 - 1)
    within_days: int | None = Field(None, ge=1, le=36_500)

    @property
    def time_need(self) -> TimeNeed:
        return "moment" if self.within_days is not None else "none"

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"passage"})

    def reads(self, database: Database) -> Reads:
        return frozenset({"passage"})

    def sql(self, context: RuleContext) -> str:
        number = context.bind(self.scenario, "int")
        since = ""
        if self.within_days is not None:
            since = f"{context.at} - {context.bind(self.within_days * 24, 'int')} * interval '1 hour'"

        def rows(table: str, *conditions: str) -> str:
            own = f"x.lane = {context.lane} AND x.profile_id = {context.profile_id} AND x.scenario_id = {number}"
            return f"EXISTS (SELECT FROM {table} x WHERE {' AND '.join([own, *(c for c in conditions if c)])})"

        if self.participation in ("inside", "not_inside"):
            node = f"x.node_id = {context.bind(self.at_node, 'int')}" if self.at_node is not None else ""
            inside = rows("resting", node)
            return inside if self.participation == "inside" else f"NOT {inside}"
        if self.participation in ("completed", "failed"):
            reason = _COMPLETED if self.participation == "completed" else _FAILED
            return rows("passage_ended", f"x.reason = {reason}", f"x.ended_at > {since}" if since else "")
        recent = f"x.entered_at > {since}" if since else ""
        ways = [rows("resting", recent), rows("passage_ended", recent, f"x.ended_at > {since}" if since else "")]
        if not since:  # remembered for good where nobody may enter twice
            ways.append(rows("entered"))
        entered = "(" + " OR ".join(ways) + ")"
        return entered if self.participation == "entered" else f"NOT {entered}"

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        subject = {"en": "Profile", "ru": "Профиль"}[language]
        words = (
            f"{subject} {_PARTICIPATIONS[self.participation][language]} “{lookup.name_of('scenario', self.scenario)}”"
        )
        if self.at_node is not None:
            words += f", {self.titles['at_node'][language].lower()} {self.at_node}"
        if self.within_days is not None:
            words += f", {self.titles['within_days'][language].lower()}: {self.within_days}"
        return words
