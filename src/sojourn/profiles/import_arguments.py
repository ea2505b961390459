"""What an import is to do, in the form in which it is sent and kept as JSON."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sojourn.profiles.import_options import FileOptions, SubscribeAll, Subscribing, Target
from sojourn.profiles.matching import Matching
from sojourn.profiles.records import Mode, Options
from sojourn.profiles.resources import channel_number
from sojourn.profiles.statuses import CAUSE_FILE, STATUS_NUMBERS

_SOME_MOMENT = datetime(2001, 12, 23, 14, 25, 36)  # noqa: DTZ001


def _known_status(word: str | None) -> str | None:
    if word is not None and word not in STATUS_NUMBERS:
        raise ValueError(f"A status is one of {', '.join(STATUS_NUMBERS)}")
    return word


def _known_format(date_format: str | None) -> str | None:
    if date_format:
        try:
            datetime.strptime(_SOME_MOMENT.strftime(date_format), date_format)  # noqa: DTZ007
        except (ValueError, re.error):
            raise ValueError("This is not the format of a date, such as %d.%m.%Y") from None
    return date_format or None


DateFormat = Annotated[str, Field(max_length=100)]
Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Decimal = Literal[".", ","]


class ColumnTarget(BaseModel):
    """Where a column goes and how its cells are read; see `import_options.Target`. `date_format` is that of `strptime`."""

    model_config = ConfigDict(extra="forbid")

    field: str
    date_format: DateFormat | None = None
    phone_region: Region | None = None
    decimal: Decimal | None = None
    separator: str = ","
    add: bool = False
    clear_empty: bool = False

    _format = field_validator("date_format")(_known_format)

    def target(self) -> Target:
        """As the import itself wants it."""
        return Target(**self.model_dump())


class ImportSubscription(BaseModel):
    """How every row subscribes. `column`: where the contact stands; None: the e-mail or the first phone of the row.

    `status` is a word; None: subscribed if new, else as it is. `cats`: None leaves the categories.
    """

    model_config = ConfigDict(extra="forbid")

    resource_id: int
    channel: int
    column: str | None = None
    status: str | None = None
    priority: Annotated[int, Field(ge=0, le=32_767)] | None = None
    cats: Annotated[list[str], Field(max_length=100)] | None = None

    _status = field_validator("status")(_known_status)

    @field_validator("channel", mode="before")
    @classmethod
    def _channel(cls, given: Any) -> Any:
        return channel_number(given) if isinstance(given, str) else given

    def subscribing(self) -> Subscribing:
        """As the import itself wants it."""
        status = None if self.status is None else STATUS_NUMBERS[self.status]
        cats = None if self.cats is None else tuple(self.cats)
        return Subscribing(self.resource_id, self.channel, self.column, status, self.priority, cats)


class ImportOptions(BaseModel):
    """How rows become profiles, whatever they are read from. What is None is detected, or as the common rules say.

    `mapping`: column → field, or how it is read in detail; targets that are no fields: `profile_id`, `_provider` and `_subscription_id` (keys
    of the matching by push), `_subscriptions` (a JSON list). `constants`: field → text that every row brings. `resource_id` with `channels` and
    `status` is the short form of `subscriptions`. Segments are static ones of the database.
    """

    model_config = ConfigDict(extra="forbid")

    mapping: Annotated[dict[str, str | ColumnTarget], Field(max_length=1_000)] | None = None
    constants: Annotated[dict[str, str], Field(max_length=200)] = {}
    mode: Mode = "create_update"
    matching: Matching = "email"
    field_name: str | None = None
    date_format: DateFormat | None = None
    phone_region: Region | None = None
    decimal: Decimal | None = None
    clear_empty: list[str] = []
    subscriptions: Annotated[list[ImportSubscription], Field(max_length=20)] = []
    resource_id: int | None = None
    channels: list[int] = [1]
    status: str | None = None
    skip_invalid_subscriptions: bool = False
    skip_triggers: bool = False
    add_to_segments: Annotated[list[int], Field(max_length=20)] = []
    remove_from_segments: Annotated[list[int], Field(max_length=20)] = []

    _status = field_validator("status")(_known_status)
    _format = field_validator("date_format")(_known_format)

    def options(self, task_id: int | None) -> FileOptions:
        """As the import itself wants them."""
        return FileOptions(
            options=Options(
                mode=self.mode, matching=self.matching, field_name=self.field_name, cause=CAUSE_FILE, cause_id=task_id,
                skip_triggers=self.skip_triggers, skip_invalid_subscriptions=self.skip_invalid_subscriptions, source="file",
                add_to_segments=tuple(self.add_to_segments), remove_from_segments=tuple(self.remove_from_segments),
            ),
            mapping=None if self.mapping is None else {
                column: to if isinstance(to, str) else to.target() for column, to in self.mapping.items()
            },
            constants=self.constants, date_format=self.date_format, phone_region=self.phone_region, decimal=self.decimal,
            clear_empty=frozenset(self.clear_empty), subscribe=self._subscribe(),
            subscriptions=tuple(item.subscribing() for item in self.subscriptions), task_id=task_id,
        )  # fmt: skip

    def _subscribe(self) -> SubscribeAll | None:
        if self.resource_id is None:
            return None
        return SubscribeAll(
            self.resource_id, tuple(self.channels), STATUS_NUMBERS[self.status] if self.status else None
        )


class FileArgument(BaseModel):
    """A file in the store: its key and the name it had."""

    model_config = ConfigDict(extra="forbid")

    key: str
    name: Annotated[str, Field(max_length=200)] = ""


class ReadingArguments(BaseModel):
    """How files are read. What is None is detected."""

    model_config = ConfigDict(extra="forbid")

    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    has_header: bool = True
    sheet: str | None = None


class ImportArguments(ImportOptions, ReadingArguments):
    """The `arguments` of the task of an import. `file` is the short form of `files`; `by`: who began it."""

    database_id: int
    file: str | None = None
    files: Annotated[list[FileArgument], Field(max_length=100)] = []
    test_run: bool = False
    by: str | None = None

    def all_files(self) -> list[FileArgument]:
        """The files, in their order."""
        return [FileArgument(key=self.file), *self.files] if self.file else self.files
