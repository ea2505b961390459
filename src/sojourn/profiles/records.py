"""What an import is told: records and options; and what it tells: outcomes. Raw values become values of fields here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sojourn.kernel import parse_public_id
from sojourn.kernel.errors import Problem, SojournError
from sojourn.profiles.change_sets import Source
from sojourn.profiles.consent import LONGEST_CONSENT
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.functional import Operation, read_operation
from sojourn.profiles.matching import Key, Matching, keys_of
from sojourn.profiles.resource_fields import read_own
from sojourn.profiles.resources import Resource
from sojourn.profiles.statuses import CAUSE_API, CHANNEL_NUMBERS, CHANNEL_WORDS, EMAIL, PUSH, SMS, VIBER, WHATSAPP
from sojourn.profiles.values import (
    IPV4,
    PARSERS,
    PLAIN,
    Misfit,
    Reading,
    email_value,
    integer_value,
    phone_value,
    status_value,
    storable,
    text_value,
)

Mode = Literal["create_update", "create", "update"]
MOST_SUBSCRIPTIONS = 100
"""Subscriptions that one record may carry."""


@dataclass(frozen=True, slots=True)
class SubscriptionInput:
    """A subscription as it was given, unchecked. `status` and `priority`: None or -1 leave what is there; a new one is subscribed, of priority 0.

    `contact`: an e-mail address, a phone number, `<provider>:<token>` for push, or the id of a chat.
    """

    resource_id: Any
    channel: Any
    contact: Any
    status: Any = None
    priority: Any = None
    cats: Any = None
    custom: Any = None
    opted_in_at: Any = None
    ip: Any = None
    url: Any = None
    consent: Any = None
    """The text that was shown, kept as proof."""


@dataclass(frozen=True, slots=True)
class Record:
    """One person as given. `keys`: what the matching needs (`email`, `phone`, `profile_id`, `provider`, `subscription_id`, `field_value`).

    `fields`: values by field name, plain or functional. A key that is missing is looked for among the fields.
    """

    keys: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    subscriptions: Sequence[SubscriptionInput] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How an import goes. `matching="none"` looks for nobody and creates; `field_name` belongs to `matching="custom"`.

    `resource_id` narrows the matching by subscriptions to one resource. `source` is the word that triggers know.
    """

    mode: Mode = "create_update"
    matching: Matching = "email"
    field_name: str | None = None
    resource_id: int | None = None
    cause: int = CAUSE_API
    cause_id: int | None = None
    skip_triggers: bool = False
    skip_invalid_subscriptions: bool = False
    source: Source = "api"
    reading: Reading = PLAIN
    add_to_segments: tuple[int, ...] = ()
    remove_from_segments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record.

    `skipped` with a problem `profile_exists` or `profile_unknown` is the mode's doing; with any other the record was refused.
    `several` says that more than one profile matched and the oldest was taken; `left_out` are subscriptions that were skipped as invalid.
    """

    profile_id: int | None
    action: Literal["created", "updated", "unchanged", "skipped"]
    problem: Problem | None = None
    several: bool = False
    left_out: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A checked subscription."""

    resource_id: int
    channel: int
    contact: str
    status: int | None
    priority: int | None
    cats: list[str] | None
    custom: dict[str, Any] | None
    opted_in_at: Any
    ip: str | None
    url: str | None
    consent: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked record."""

    key: Key
    operations: dict[str, Operation]
    subscriptions: tuple[SubscriptionRow, ...]
    left_out: tuple[Problem, ...]


_MOMENT = Field("date", "", "date", "", "timestamptz")
_TAGS = Field("cats", "", "tags", "", "text[]")


class Preparation:
    """Checks the records of one import."""

    def __init__(self, database: Database, options: Options, resources: Mapping[int, Resource]) -> None:
        self._database = database
        self._options = options
        self._resources = resources

    def prepare(self, record: Record) -> Prepared | Problem:
        """The checked record, or why it is refused."""
        options = self._options
        key = keys_of(self._database, options.matching, options.field_name, record.keys, record.fields, options.reading)
        if isinstance(key, Problem):
            return key
        operations: dict[str, Operation] = {}
        for name, value in record.fields.items():
            known = self._database.fields.get(name)
            if known is None:
                return Problem("unknown_field", f"The database “{self._database.name}” has no field “{name}”.", name)
            if known.type == "status" and value in (-1, "-1"):
                continue
            try:
                operation = read_operation(known, value, options.reading)
            except Misfit as misfit:
                return misfit.problem(name)
            if known.type == "email" and operation.action == "clear":
                continue  # an e-mail address is never taken away, only replaced
            operations[name] = operation
        subscriptions, left_out = self.subscriptions(record.subscriptions)
        if left_out and not options.skip_invalid_subscriptions:
            return left_out[0]
        return Prepared(key, operations, tuple(subscriptions), tuple(left_out))

    def subscriptions(self, given: Sequence[SubscriptionInput]) -> tuple[list[SubscriptionRow], list[Problem]]:
        """The checked subscriptions of a record, each contact of a resource once, and what is wrong with the others."""
        if len(given) > MOST_SUBSCRIPTIONS:
            return [], [
                Problem(
                    "too_many_subscriptions",
                    f"A record carries {MOST_SUBSCRIPTIONS} subscriptions at most.",
                    "subscriptions",
                )
            ]
        rows: dict[tuple[int, int, str], SubscriptionRow] = {}
        problems = []
        for number, item in enumerate(given):
            try:
                row = self._subscription(item)
            except Misfit as misfit:
                problems.append(misfit.problem(f"subscriptions.{number}"))
                continue
            rows.pop((row.resource_id, row.channel, row.contact), None)
            rows[row.resource_id, row.channel, row.contact] = row  # given twice: the last one counts
        return list(rows.values()), problems

    def _subscription(self, item: SubscriptionInput) -> SubscriptionRow:
        resource = self._resources.get(integer_value(item.resource_id))
        if resource is None:
            raise Misfit("unknown_resource", f"There is no resource “{item.resource_id}”.")
        channel = CHANNEL_NUMBERS.get(item.channel.strip().lower()) if isinstance(item.channel, str) else item.channel
        if isinstance(channel, bool) or channel not in CHANNEL_WORDS:
            raise Misfit("unknown_channel", f"A channel is one of {', '.join(CHANNEL_WORDS.values())}.")
        if channel not in resource.channels:
            raise Misfit(
                "channel_not_offered", f"The resource “{resource.name}” has no channel {CHANNEL_WORDS[channel]}."
            )
        if not resource.serves(self._database.id):
            raise Misfit(
                "resource_not_offered",
                f"Profiles of the database “{self._database.name}” may not subscribe to “{resource.name}”.",
            )
        status = None if item.status in (None, -1, "-1", "") else status_value(item.status)
        priority = None if item.priority in (None, -1, "-1", "") else integer_value(item.priority)
        if priority is not None and not 0 <= priority <= 32_767:
            raise Misfit("incorrect_priority", "A priority is a number from 0 to 32767.")
        return SubscriptionRow(
            resource.id, channel, contact_value(channel, item.contact, self._options.reading), status, priority, _cats(item.cats), _custom(resource, channel, item.custom),
            None if item.opted_in_at in (None, "") else PARSERS["date"](_MOMENT, item.opted_in_at, PLAIN), _ip(item.ip), _url(item.url),
            _consent(item.consent),
        )  # fmt: skip


def resource_ids(records: Sequence[Record]) -> set[int]:
    """The numbers of the resources that records speak of, as far as they are numbers."""
    found = set()
    for record in records:
        for item in record.subscriptions:
            try:
                found.add(integer_value(item.resource_id))
            except Misfit:
                continue
    return {number for number in found if -(2**31) <= number < 2**31}


def contact_value(channel: int, value: Any, reading: Reading = PLAIN) -> str:
    """The contact of a channel in the form in which it is stored.

    Raises:
        Misfit: it is none.
    """
    if channel == EMAIL:
        address = email_value(value)
        if address is None:
            raise Misfit("incorrect_email", "An e-mail address is needed.")
        return address
    if channel in (SMS, WHATSAPP, VIBER):
        return phone_value(value, reading)
    contact = text_value(value).strip() if value is not None else ""
    if not 1 <= len(contact) <= 500:
        raise Misfit("incorrect_contact", "A contact has 1 to 500 characters.")
    if channel == PUSH and ":" not in contact.strip(":"):
        raise Misfit("incorrect_contact", "A push contact is provider and subscription.")
    return contact


def _cats(value: Any) -> list[str] | None:
    return None if value is None else PARSERS["tags"](_TAGS, value, PLAIN)


def _custom(resource: Resource, channel: int, value: Any) -> dict[str, Any] | None:
    if value is not None and not (isinstance(value, dict) and storable(value)):
        raise Misfit("incorrect_object", "The fields of a subscription are an object.")
    return read_own(resource.fields, channel, value) if value is not None and resource.fields else value


def _ip(value: Any) -> str | None:
    if value in (None, ""):
        return None
    text = text_value(value).strip()
    if len(text) > 45 or not (
        IPV4.fullmatch(text) or (":" in text and all(c in "0123456789abcdefABCDEF:." for c in text))
    ):
        raise Misfit("incorrect_ip", "An IP address is needed.")
    return text


def _url(value: Any) -> str | None:
    return text_value(value)[:2_000] if value not in (None, "") else None


def _consent(value: Any) -> str | None:
    if value in (None, ""):
        return None
    return text_value(value).strip()[:LONGEST_CONSENT] or None


def profile_number(value: Any) -> int:
    """A profile id, given as a number or in its printed form.

    Raises:
        SojournError: `bad_profile_id`.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    if isinstance(value, str):
        return parse_public_id(value.strip())
    raise SojournError("bad_profile_id", "A profile id has 24 hexadecimal digits.", "profile_id")
