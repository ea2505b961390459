"""Rows of one chunk after the check: columns of cells as they are copied, with the keys and the subscriptions of each row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sojourn.profiles.matching import Key
from sojourn.profiles.reading_rows import Rejection, csv_record

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
        kept = [row for row in range(len(self.rows)) if row not in bad]
        return Checked(
            [self.keys[row] for row in kept],
            [[column[row] for row in kept] for column in self.columns],
            [self.lines[row] for row in kept],
            [self.rows[row] for row in kept],
            self.sources,
            self.rejections,
            self.done_bytes,
            self.part,
            self.file,
            None if self.subscriptions is None else [self.subscriptions[row] for row in kept],
            self.left_out,
        )

    def rejection(self, row: int, name: str | None, code: str, reason: str) -> Rejection:
        """Row number `row` as refused."""
        return rejected(self.rows[row], self.lines[row], self.file, name, code, reason, self.sources)


def rejected(
    cells: Sequence[str], line: int, file: int, name: str | None, code: str, reason: str, sources: Mapping[str, str]
) -> Rejection:
    """A row that was read, as refused for the field `name`."""
    column = sources.get(name) if name else None
    return Rejection(line, name, reason, csv_record(cells), code, column, whole=True, file=file)
