"""What a recipient sees and changes of himself: the subscription that a message went to, its categories, and some fields of his profile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from sojourn.kernel import Clock, lane_of
from sojourn.kernel.errors import NotFound, Problem, SojournError
from sojourn.profiles.categories import Category, categories_of
from sojourn.profiles.databases import Database, database, database_of
from sojourn.profiles.fields import Field
from sojourn.profiles.importing import import_records
from sojourn.profiles.profile import get_profile
from sojourn.profiles.records import Options, Record
from sojourn.profiles.resources import list_resources
from sojourn.profiles.statuses import (
    CAUSE_RECIPIENT,
    COMPLAINED,
    EMAIL,
    STATUS_NUMBERS,
    SUBSCRIBED,
    SUSPENDED,
    UNCONFIRMED,
    UNSUBSCRIBED,
)
from sojourn.profiles.subscriptions import (
    Subscription,
    choose_categories,
    set_global_status,
    set_status,
    subscription,
    unsubscribe,
)

PAUSES = (14, 30, 60, 90)
"""Days for which a recipient can pause."""
_UNSHOWN = frozenset({"status", "object", "objects"})
_LISTS = frozenset({"phones", "tags"})
LONGEST_VALUE = 1_000


@dataclass(frozen=True, slots=True)
class OwnData:
    """What is shown. `fields`: those that the database opens, with their values as text; `globally`: the status over all subscriptions."""

    database: Database
    profile_id: int
    subscription: Subscription
    categories: tuple[Category, ...]
    fields: tuple[tuple[Field, str], ...]
    globally: int

    def gets(self, category: Category) -> bool:
        """Whether the subscription gets a category."""
        return self.subscription.cats is None or category.name in self.subscription.cats

    @property
    def may_resume(self) -> bool:
        """Whether the recipient himself can come back: not to an address that bounced, nor past a confirmation that is due."""
        return self.subscription.status in (UNSUBSCRIBED, SUSPENDED, COMPLAINED)

    @property
    def may_leave(self) -> bool:
        """Whether there is something to leave or to pause."""
        return self.subscription.status in (SUBSCRIBED, SUSPENDED, UNCONFIRMED)


def own_data(connection: psycopg.Connection[Any], profile_id: int, subscription_id: int) -> OwnData:
    """What belongs to a subscription of a profile.

    Raises:
        NotFound: the profile, or the subscription, is gone.
    """
    found = subscription(connection, lane_of(profile_id), subscription_id)
    if found.deleted_at is not None or found.profile_id != profile_id:
        raise NotFound("unknown_subscription", "There is no such subscription.", "subscription_id")
    base = database(connection, database_of(connection, profile_id))
    profile = get_profile(connection, base, profile_id)
    return OwnData(
        base, profile_id, found, tuple(one for one in categories_of(connection, found.resource_id) if not one.hidden),
        tuple((field, as_text(profile.get(field.name))) for field in open_fields(base)), STATUS_NUMBERS[profile.get("_status", "subscribed")],
    )  # fmt: skip


def open_fields(base: Database) -> list[Field]:
    """The fields that recipients see of themselves, in the order of the database's settings."""
    return [known for name in base.manager_fields if (known := base.fields.get(name)) and known.type not in _UNSHOWN]


def as_text(value: Any) -> str:
    """A value as it stands in a form."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case datetime() | date():
            return value.strftime("%Y-%m-%d")
        case float():
            return f"{value:.15g}"
    return str(value)


def change_own_data(
    connection: psycopg.Connection[Any], clock: Clock, known: OwnData, given: Mapping[str, str], chosen: Collection[str]
) -> Problem | None:
    """Take over what a recipient wrote into the form, and which categories he ticked; nothing changes if something does not fit.

    `given`: texts by field name, an empty one clears; names that are not open are left alone.
    """
    changed: dict[str, Any] = {}
    for field, before in known.fields:
        text = given.get(field.name, before).strip()
        if text == before:
            continue
        if len(text) > LONGEST_VALUE or "\x00" in text:
            return Problem("too_long", f"{LONGEST_VALUE} characters at most.", field.name)
        if not text and (field.required or field.type == "email"):
            return Problem("required_missing", "This is needed.", field.name)
        changed[field.name] = _given(field, text)
    with connection.transaction():
        if changed:
            options = Options(mode="update", matching="profile_id", cause=CAUSE_RECIPIENT, source="manual")
            outcome = import_records(
                connection, clock, known.database, [Record({"profile_id": known.profile_id}, changed)], options
            )[0]
            if outcome.problem:
                return outcome.problem
        if known.categories:
            _choose(connection, clock, known, set(chosen))
    return None


def _given(field: Field, text: str) -> Any:
    if not text:
        return None
    if field.type in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text == "yes" if field.type == "boolean" and text in ("yes", "no") else text


def _choose(connection: psycopg.Connection[Any], clock: Clock, known: OwnData, chosen: set[str]) -> None:
    """Categories that the recipient does not see stay as they are; who ticks all gets later ones too."""
    shown = {one.name for one in known.categories}
    had = known.subscription.cats
    wanted: set[str] | None = (chosen & shown) | (set(had) - shown if had is not None else set())
    if chosen >= shown and had is not None and set(had) >= _hidden(connection, known, shown):
        wanted = None
    elif had is None:
        if chosen >= shown:
            return
        wanted = (chosen & shown) | _hidden(connection, known, shown)
    choose_categories(
        connection, clock, lane_of(known.profile_id), known.subscription.id, wanted, cause=CAUSE_RECIPIENT
    )


def _hidden(connection: psycopg.Connection[Any], known: OwnData, shown: set[str]) -> set[str]:
    return {one.name for one in categories_of(connection, known.subscription.resource_id)} - shown


def pause(connection: psycopg.Connection[Any], clock: Clock, known: OwnData, days: int) -> bool:
    """Suspend the subscription for some days; it comes back by itself.

    Raises:
        SojournError: `bad_pause`.
    """
    if days not in PAUSES:
        raise SojournError("bad_pause", f"A pause has {', '.join(map(str, PAUSES))} days.", "days")
    if known.subscription.status not in (SUBSCRIBED, SUSPENDED):
        return False
    until = clock.now() + timedelta(days=days)
    return set_status(
        connection, clock, lane_of(known.profile_id), known.subscription.id, SUSPENDED, suspended_until=until, cause=CAUSE_RECIPIENT
    )  # fmt: skip


def resume(connection: psycopg.Connection[Any], clock: Clock, known: OwnData) -> bool:
    """Come back to the subscription, and out of having left everything."""
    if known.globally == UNSUBSCRIBED:
        set_global_status(connection, clock, known.database.id, known.profile_id, SUBSCRIBED, cause=CAUSE_RECIPIENT)
    if not known.may_resume:
        return False
    return set_status(
        connection, clock, lane_of(known.profile_id), known.subscription.id, SUBSCRIBED, cause=CAUSE_RECIPIENT
    )


def leave(connection: psycopg.Connection[Any], clock: Clock, known: OwnData) -> bool:
    """Leave this subscription."""
    return unsubscribe(connection, clock, lane_of(known.profile_id), known.subscription.id)


def leave_everything(connection: psycopg.Connection[Any], clock: Clock, known: OwnData) -> bool:
    """Leave everything: the global status forbids whatever subscriptions there are. A status that forbids more than that stays."""
    if known.globally not in (SUBSCRIBED, UNCONFIRMED, SUSPENDED):
        return False
    return set_global_status(
        connection, clock, known.database.id, known.profile_id, UNSUBSCRIBED, cause=CAUSE_RECIPIENT
    )


def sample(connection: psycopg.Connection[Any], clock: Clock, database_id: int) -> OwnData:
    """What somebody might see, for a look at the page: the first resource of the database, with invented data.

    Raises:
        NotFound: `unknown_database`.
    """
    base = database(connection, database_id)
    found = list_resources(connection, limit=1, database_id=base.id)
    chosen = found[0] if found else None
    shown = Subscription(
        0, 0, chosen.id if chosen else 0, chosen.name if chosen else base.name, EMAIL, "ann@example.com", SUBSCRIBED, SUBSCRIBED, 0, True, clock.now(),
        None, None, None, None, None, None, None, None, None, None,
    )  # fmt: skip
    categories = categories_of(connection, chosen.id) if chosen else []
    values = {"email": "ann@example.com", "_fname": "Ann", "_lname": "Smith", "phones": "+12015550100"}
    fields = tuple((field, values.get(field.name, "")) for field in open_fields(base))
    return OwnData(base, 0, shown, tuple(one for one in categories if not one.hidden), fields, SUBSCRIBED)
