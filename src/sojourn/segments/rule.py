"""What a rule is: one small settings model with its check, its words and its SQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from sojourn.events.touching import Touch as Touch
from sojourn.kernel.errors import NotFound, Problem
from sojourn.kernel.statement import Bindings
from sojourn.profiles import Database

Language = Literal["en", "ru"]
Text = Mapping[Language, str]
Scope = Literal["passage", "ever"]
Reads = frozenset[str]
"""What a rule reads, in the words of the scenario compiler: `profile.<column>`, `subscription`, `message`, `event`, …"""
Group = Literal["profile", "subscription", "activity", "entity", "external", "structure"]
TimeNeed = Literal["none", "day", "moment"]
"""How the answer of a rule changes without any happening: never, with the account's day, or at any moment."""


ACCOUNT_ZONE = "(SELECT a.time_zone FROM account a WHERE a.id = 1)"
"""SQL: the account's time zone, read once per statement."""
ROW, SET = "row", "set"


class Lookup(Protocol):
    """Finds things that settings name by id or by name."""

    def find(self, kind: str, reference: int | str) -> int:
        """The id of the thing.

        Raises:
            SojournError: there is none.
        """
        ...

    def name_of(self, kind: str, reference: int | str) -> str:
        """The name of the thing, or the reference itself if there is none."""
        ...


@dataclass(frozen=True)
class SegmentDefinition:
    """What a rule needs to know of another segment. `tree` has ids in place of names; it is None for static segments."""

    id: int
    name: str
    kind: Literal["static", "dynamic", "updatable"]
    database_id: int
    tree: dict[str, Any] | None
    sample: Mapping[str, Any] | None = None


class Definitions(Protocol):
    """What rules refer to and must know when they are compiled."""

    def segment(self, segment_id: int) -> SegmentDefinition:
        """A segment.

        Raises:
            NotFound: `unknown_segment`.
        """
        ...


class NoDefinitions:
    """Where no rule may refer to anything that must be read first."""

    def segment(self, segment_id: int) -> SegmentDefinition:
        raise NotFound("unknown_segment", f"There is no segment {segment_id}.", "segment")


@dataclass(frozen=True)
class RuleContext:
    """The row a predicate is about: SQL expressions for lane, profile, passage and moment, and where values are bound.

    `mode`: `row` when the statement asks about few given profiles (a stage of the engine: every rule is a probe of an index by lane and profile),
    `set` when it asks who of a whole database fits (a rule may give `profile IN (uncorrelated subquery)`). Both forms must mean the same.
    `path`: the dynamic segments that are being unfolded, outermost first, to find circles.
    """

    bindings: Bindings
    database: Database
    lane: str
    profile_id: str
    passage_id: str | None
    at: str
    profile: str
    """Alias of the joined profile row; used only if `reads` names a profile column."""
    zone: str = ACCOUNT_ZONE
    mode: Literal["row", "set"] = "row"
    definitions: Definitions = field(default_factory=NoDefinitions)
    path: tuple[int, ...] = ()
    content: str = "NULL::jsonb"
    """SQL: what came with the API call that started the passage."""

    def bind(self, value: Any, cast: str) -> str:
        return self.bindings.bind(value, cast)

    @property
    def today(self) -> str:
        """SQL: the account's calendar day at the moment of the row."""
        return f"({self.at} AT TIME ZONE {self.zone})::date"


class Rule(BaseModel, ABC):
    """Base of all rules. `sql` gives a predicate that may be null; the tree makes it two-valued."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: ClassVar[str]
    """The word in documents: `{"rule": code, …}`."""
    group: ClassVar[Group]
    title: ClassVar[Text]
    description: ClassVar[Text]
    titles: ClassVar[Mapping[str, Text]] = {}
    """Titles of the settings, by name."""
    words: ClassVar[Mapping[str, Mapping[str, Text]]] = {}
    """Words of the values of a setting that has a fixed choice: setting → value → text."""
    widgets: ClassVar[Mapping[str, str]] = {}
    """Settings that are not drawn by their type: name → `field`, `operator`, `value`, `path`, `node`, `column`, `date_comparison`, `text_comparison`, `custom_comparison`."""
    shown_if: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Settings that belong to a value of another one: name → {other: value}."""
    for_scenarios: ClassVar[bool] = False
    """Whether the rule is only offered inside of scenarios."""
    advanced: ClassVar[frozenset[str]] = frozenset()
    """Settings that are rarely needed, and shown when asked for."""
    references: ClassVar[dict[str, str]] = {}
    """Settings that name things, one or a list of them: field of the model → kind of thing."""

    @property
    def names_node(self) -> int | None:
        """The node of the scenario that the rule speaks of, if it does."""
        return None

    @property
    def needs_passage(self) -> bool:
        """Whether the rule only means something inside a scenario."""
        return False

    @property
    def time_need(self) -> TimeNeed:
        """How the answer changes by time alone."""
        return "none"

    @property
    def segments(self) -> tuple[int | str, ...]:
        """Segments that the rule refers to."""
        return ()

    @abstractmethod
    def touched_by(self) -> frozenset[Touch]:
        """Which happenings can change the answer."""

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        """Everything that is wrong with the settings, in words; `place` is the setting."""
        problems = []
        for name, kind in self.references.items():
            value = getattr(self, name)
            for one in value if isinstance(value, (list, tuple)) else [value]:
                if one is None:
                    continue
                try:
                    lookup.find(kind, one)
                except NotFound:
                    problems.append(
                        Problem("unknown_reference", f"There is no {kind.replace('_', ' ')} “{one}”.", name)
                    )
        return problems

    @abstractmethod
    def reads(self, database: Database) -> Reads:
        """What the rule reads of the database."""

    def reads_in(self, context: RuleContext) -> Reads:
        """The same where it follows from what the rule refers to."""
        return self.reads(context.database)

    @abstractmethod
    def sql(self, context: RuleContext) -> str:
        """The predicate over the row of the context."""

    @abstractmethod
    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        """The rule in words."""
