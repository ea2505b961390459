"""Rows of one chunk after the check: columns of cells as they are copied, with the keys and the subscriptions of each row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sojourn.profiles.matching import Key
from sojourn.profiles.reading_rows import Rejection, csv_record

_Value = TypeVar("_Value")
_FEW = 50

RowSubscriptions = dict[tuple[int, int, str], str]
"""(resource, channel, contact) → cells of COPY text from `resource_id` on, as `staging.SUBSCRIPTION_COLUMNS` order them."""


@dataclass(slots=True)
class Checked:
    """Rows as columns: the keys, and the fields of the import in their order as COPY cells.

    `part` is the number of the chunk; `sources` tells the column of a field. `subscriptions`: one for each row, None where they follow from
    the fields alone. `repeats`: rows whose person stood in an earlier chunk.
    """

    keys: list[Key]
    columns: list[list[str]]
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    sources: Mapping[str, str]
    rejections: list[Rejection]
    done_bytes: int
    part: int = 0
    file: int = 0
    subscriptions: list[RowSubscriptions] | None = None
    left_out: int = 0
    repeats: set[int] = field(default_factory=set)

    def without(self, bad: Collection[int]) -> Checked:
        """The same without some rows."""
        gone = sorted(bad, reverse=True)
        return Checked(
            _without(self.keys, gone),
            [_without(column, gone) for column in self.columns],
            _without(self.lines, gone),
            _without(self.rows, gone),
            self.sources,
            self.rejections,
            self.done_bytes,
            self.part,
            self.file,
            None if self.subscriptions is None else _without(self.subscriptions, gone),
            self.left_out,
        )

    def rejection(self, row: int, name: str | None, code: str, reason: str) -> Rejection:
        """Row number `row` as refused."""
        return rejected(self.rows[row], self.lines[row], self.file, name, code, reason, self.sources)


def _without(values: Sequence[_Value], gone: Sequence[int]) -> list[_Value]:
    """A copy without the places `gone`, which go down. Where these are few, all others move at once."""
    if len(gone) > _FEW:
        left_out = set(gone)
        return [value for place, value in enumerate(values) if place not in left_out]
    kept = list(values)
    for place in gone:
        del kept[place]
    return kept


def rejected(
    cells: Sequence[str], line: int, file: int, name: str | None, code: str, reason: str, sources: Mapping[str, str]
) -> Rejection:
    """A row that was read, as refused for the field `name`."""
    column = sources.get(name) if name else None
    return Rejection(line, name, reason, csv_record(cells), code, column, whole=True, file=file)
