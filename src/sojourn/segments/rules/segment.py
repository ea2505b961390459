"""Rule: the profile is, was or was never in another segment."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from sojourn.kernel.errors import NotFound, Problem, SojournError
from sojourn.profiles import Database
from sojourn.segments.rule import Group, Language, Lookup, Reads, RuleContext, Text, TimeNeed, Touch
from sojourn.segments.rules.sample import share_sql
from sojourn.segments.windows import TITLES, WORDS, WindowRule

Membership = Literal["in", "not_in", "entered", "past"]
_MEMBERSHIPS: dict[str, Text] = {
    "in": {"en": "is in", "ru": "состоит в"},
    "not_in": {"en": "is not in", "ru": "не состоит в"},
    "entered": {"en": "has entered", "ru": "входил в"},
    "past": {"en": "was once in, and is not now", "ru": "когда-то был, но сейчас не в"},
}


class SegmentRule(WindowRule):
    """`membership` of the profile in `segment`. *entered* counts entries in the window, *never* included; it needs a static or updatable segment."""

    code: ClassVar[str] = "segment"
    group: ClassVar[Group] = "entity"
    title: ClassVar[Text] = {"en": "Segment", "ru": "Сегмент"}
    description: ClassVar[Text] = {
        "en": "The profile is, was or was never in a segment.",
        "ru": "Профиль состоит, состоял или никогда не состоял в сегменте.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "segment": {"en": "Segment", "ru": "Сегмент"},
        "membership": {"en": "Membership", "ru": "Участие"},
        **TITLES,
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"membership": _MEMBERSHIPS, **WORDS}
    shown_if: ClassVar[dict[str, dict[str, str]]] = {
        name: {"membership": "entered"} for name in ("happened", "times", "within_days", "since", "until")
    }
    references: ClassVar[dict[str, str]] = {"segment": "segment"}
    rule: Literal["segment"] = "segment"
    segment: int | str
    membership: Membership = "in"

    @property
    def segments(self) -> tuple[int | str, ...]:
        return (self.segment,)

    @property
    def time_need(self) -> TimeNeed:
        return "moment" if self.membership == "entered" and self.within_days is not None else "none"

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"member"})

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        problems = super().check(database, lookup)
        definition = None if problems else _known(self.segment, lookup)
        if definition is None:
            return problems
        kind, database_id, limited = definition
        if database_id != database.id:
            return [Problem("other_database", "The segment is one of another database.", "segment")]
        if kind == "dynamic" and self.membership in ("entered", "past"):
            return [
                Problem(
                    "no_history",
                    "A dynamic segment keeps no history: only “is in” and “is not in” can be asked.",
                    "membership",
                )
            ]
        if kind == "dynamic" and limited:
            return [
                Problem(
                    "limited_segment",
                    "A dynamic segment with a limit cannot be asked for one profile: make it updatable.",
                    "segment",
                )
            ]
        return []

    def reads(self, database: Database) -> Reads:
        return frozenset({"member"})

    def sql(self, context: RuleContext) -> str:
        number = int(self.segment)
        definition = context.definitions.segment(number)
        if definition.database_id != context.database.id:
            raise SojournError(
                "other_database", f"The segment “{definition.name}” is one of another database.", "segment"
            )
        if definition.kind == "dynamic":
            inner = self._unfolded(context, number, definition.tree, definition.sample)
            return inner if self.membership == "in" else f"NOT coalesce({inner}, false)"
        own = f"m.lane = {context.lane} AND m.profile_id = {context.profile_id} AND m.segment_id = {context.bind(number, 'int')}"
        now = f"EXISTS (SELECT FROM segment_member m WHERE {own})"
        if self.membership in ("in", "not_in"):
            return now if self.membership == "in" else f"NOT {now}"
        entries = [f"h.segment_id = {context.bind(number, 'int')}", "h.entered"]
        if self.membership == "past":
            was = f"EXISTS (SELECT FROM segment_history h WHERE h.lane = {context.lane} AND h.profile_id = {context.profile_id} AND {' AND '.join(entries)})"
            return f"({was} AND NOT {now})"
        return self.counted(context, "segment_history", [*entries, *self.window(context, "h.at", "h.at")], "h")

    def _unfolded(self, context: RuleContext, number: int, tree: object, sample: object) -> str:
        from sojourn.segments.predicate import predicate

        if number in context.path:
            raise SojournError("segment_circle", "The segments refer to each other in a circle.", "segment")
        parts = []
        if isinstance(tree, dict) and tree:
            parts.append(predicate(tree, replace(context, path=(*context.path, number))).sql)
        if isinstance(sample, dict):
            parts.append(share_sql(context, sample.get("start", 0), sample.get("end", 100), sample.get("group", "")))
        return "(" + (" AND ".join(parts) or "true") + ")"

    def reads_in(self, context: RuleContext) -> Reads:
        from sojourn.segments.predicate import predicate

        number = int(self.segment)
        definition = context.definitions.segment(number)
        if definition.kind != "dynamic" or not definition.tree:
            return self.reads(context.database)
        if number in context.path:
            raise SojournError("segment_circle", "The segments refer to each other in a circle.", "segment")
        return predicate(definition.tree, replace(context, path=(*context.path, number))).reads

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        subject = {"en": "Profile", "ru": "Профиль"}[language]
        name = f"“{lookup.name_of('segment', self.segment)}”"
        if self.membership != "entered":
            return f"{subject} {_MEMBERSHIPS[self.membership][language]} {name}"
        if self.happened == "never":
            never = {"en": "has never entered", "ru": "никогда не входил в"}[language]
            return f"{subject} {never} {name} {self.window_text(language)}".strip()
        return f"{subject} {_MEMBERSHIPS['entered'][language]} {name} {self.window_text(language)}".strip()


def _known(reference: int | str, lookup: Lookup) -> tuple[str, int, bool] | None:
    """Kind, database and whether it has a limit, where the lookup knows segments."""
    describe = getattr(lookup, "segment_kind", None)
    if describe is None:
        return None
    try:
        found: tuple[str, int, bool] = describe(reference)
        return found
    except NotFound:
        return None
