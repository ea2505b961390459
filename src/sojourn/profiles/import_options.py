"""How rows of people are imported, whatever they are read from; and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sojourn.profiles.records import Options
from sojourn.profiles.statuses import CAUSE_FILE, EMAIL
from sojourn.profiles.values import Reading

PROFILE_ID = "profile_id"
PROVIDER, SUBSCRIPTION_ID, SUBSCRIPTIONS = "_provider", "_subscription_id", "_subscriptions"
"""Targets of columns that are no fields: keys of the matching by profile id and by push, and a JSON list of subscriptions."""
SPECIAL = frozenset({PROFILE_ID, PROVIDER, SUBSCRIPTION_ID, SUBSCRIPTIONS})


@dataclass(frozen=True, slots=True)
class Target:
    """Where a column goes, and how its cells are read. What is None is as for the whole import.

    `separator` parts the tags of a cell. `add`: tags are added to those that are there instead of taking their place. `clear_empty`: an empty
    cell clears the field; else it leaves what is there.
    """

    field: str
    date_format: str | None = None
    phone_region: str | None = None
    decimal: Literal[".", ","] | None = None
    separator: str = ","
    add: bool = False
    clear_empty: bool = False

    def reading(self, general: Reading) -> Reading:
        """How the cells of this column are read."""
        return Reading(
            self.date_format or general.date_format,
            self.phone_region or general.phone_region,
            self.decimal or general.decimal,
        )


@dataclass(frozen=True, slots=True)
class SubscribeAll:
    """Every row subscribes with its e-mail (channel 1) or its first phone (2). `status` None: subscribed if new, else as it is."""

    resource_id: int
    channels: tuple[int, ...] = (EMAIL,)
    status: int | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Subscribing:
    """Rows subscribe by the contact in `column`; None: by their e-mail, or their first phone. `cats`: categories, None leaves them."""

    resource_id: int
    channel: int
    column: str | None = None
    status: int | None = None
    priority: int | None = None
    cats: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How rows are read and applied. What is None is detected.

    `mapping`: column → field, or `Target`; columns that it does not name are ignored. `constants`: field → text that every row brings.
    `clear_empty`: fields that an empty cell clears; in all others it leaves what is there. `subscribe` and `subscriptions`: how rows subscribe.
    `test_run`: everything is checked and matched, nothing is written. `task_id`: the background task under which rejected rows are kept;
    `resume`: what an earlier run of that task applied is passed over, for sources that give the same chunks each time.
    `encoding`, `delimiter`, `quote`, `has_header` and `sheet` are for those who open files.
    """

    options: Options = field(default_factory=lambda: Options(cause=CAUSE_FILE, source="file"))
    mapping: Mapping[str, str | Target] | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    has_header: bool = True
    sheet: str | None = None
    date_format: str | None = None
    phone_region: str | None = None
    decimal: Literal[".", ","] | None = None
    clear_empty: frozenset[str] = frozenset()
    subscribe: SubscribeAll | None = None
    subscriptions: tuple[Subscribing, ...] = ()
    test_run: bool = False
    task_id: int | None = None
    resume: bool = False

    def all_subscriptions(self) -> tuple[Subscribing, ...]:
        """`subscribe` and `subscriptions` in one form."""
        given = self.subscribe
        if given is None:
            return self.subscriptions
        from_fields = (
            Subscribing(given.resource_id, channel, None, given.status, given.priority) for channel in given.channels
        )
        return (*from_fields, *self.subscriptions)

    @property
    def reading(self) -> Reading:
        """How cells are read where their column does not say otherwise."""
        return Reading(self.date_format, self.phone_region, self.decimal)


@dataclass(slots=True)
class Counts:
    """What became of rows. `skipped`: the mode left them alone, or they repeat a row when only new ones are wanted.

    Beside these, which add up to the total: `repeated` rows are about the person of an earlier row (told for the first million people),
    `several` found more than one profile and took the oldest, `left_out` counts invalid subscriptions of rows that were taken.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    repeated: int = 0
    several: int = 0
    left_out: int = 0


@dataclass(slots=True)
class Report(Counts):
    """What became of all rows. After the end by `cancelled` the rows counted are applied and stay."""

    total: int = 0
    cancelled: bool = False

    def add(self, counts: Counts) -> None:
        """Add the counts of a chunk."""
        for name in Counts.__slots__:
            setattr(self, name, getattr(self, name) + getattr(counts, name))
        self.total += counts.created + counts.updated + counts.unchanged + counts.skipped + counts.rejected
