"""What a rule is: one small settings model with its check, its words and its SQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from sojourn.kernel.errors import NotFound, Problem
from sojourn.kernel.statement import Bindings
from sojourn.profiles import Database

Language = Literal["en", "ru"]
Scope = Literal["passage", "ever"]
Reads = frozenset[str]
"""What a rule reads, in the words of the scenario compiler: `profile.<column>`, `subscription`, `message`, `event`."""


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
class RuleContext:
    """The row a predicate is about: SQL expressions for lane, profile, passage and moment, and where values are bound."""

    bindings: Bindings
    database: Database
    lane: str
    profile_id: str
    passage_id: str | None
    at: str
    profile: str
    """Alias of the joined profile row; used only if `reads` names a profile column."""

    def bind(self, value: Any, cast: str) -> str:
        return self.bindings.bind(value, cast)


class Rule(BaseModel, ABC):
    """Base of all rules. `sql` gives a predicate that may be null; the tree makes it two-valued."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    references: ClassVar[dict[str, str]] = {}
    """Settings that name things: field of the model → kind of thing."""

    @property
    def names_node(self) -> int | None:
        """The node of the scenario that the rule speaks of, if it does."""
        return None

    def check(self, database: Database, lookup: Lookup) -> list[Problem]:
        """Everything that is wrong with the settings, in words; `place` is the setting."""
        problems = []
        for name, kind in self.references.items():
            value = getattr(self, name)
            if value is not None:
                try:
                    lookup.find(kind, value)
                except NotFound:
                    problems.append(
                        Problem("unknown_reference", f"There is no {kind.replace('_', ' ')} “{value}”.", name)
                    )
        return problems

    @abstractmethod
    def reads(self, database: Database) -> Reads:
        """What the rule reads of the database."""

    @abstractmethod
    def sql(self, context: RuleContext) -> str:
        """The predicate over the row of the context."""

    @abstractmethod
    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        """The rule in words."""
