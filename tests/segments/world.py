"""The people of `people`, and what rules about them may refer to."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel.errors import NotFound
from sojourn.profiles import Database
from sojourn.segments.evaluation import Question, ask, everybody
from sojourn.segments.rule import SegmentDefinition
from tests.segments.people import NOW, Person

DYNAMIC: dict[int, dict[str, Any]] = {
    3: {"any": [{"rule": "field", "field": "points", "operator": "gt", "value": 0}, {"rule": "segment", "segment": 4}]},
    4: {"not": {"rule": "activity", "event": "clicked", "within_days": 30}},
}


class World:
    """The people, and what rules may refer to."""

    def __init__(self, connection: psycopg.Connection[Any], base: Database, people: list[Person]) -> None:
        self.connection, self.base, self.people = connection, base, people

    def segment(self, number: int) -> SegmentDefinition:
        if number in DYNAMIC:
            return SegmentDefinition(number, f"S{number}", "dynamic", self.base.id, DYNAMIC[number])
        return SegmentDefinition(number, f"S{number}", "updatable", self.base.id, None)

    def find(self, kind: str, reference: int | str) -> int:
        if isinstance(reference, int) and reference < 10:
            return reference
        raise NotFound("unknown_reference", "none")

    def name_of(self, kind: str, reference: int | str) -> str:
        return str(reference)

    def who(self, tree: dict[str, Any], mode: Any) -> set[int]:
        asked = ask(self.base, Question(tree), NOW, self, mode)
        statement = (
            everybody(self.base, asked, "p.id")
            if mode == "set"
            else f"SELECT p.id FROM {self.base.table} p WHERE {asked.truth}"
        )
        return {row[0] for row in self.connection.execute(statement, asked.values)}
