"""Resources: the publishers that people subscribe to, with their channels, databases and sender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles.consent import LONGEST_CONSENT
from sojourn.profiles.contacts import parse_email
from sojourn.profiles.resource_fields import READ, SubscriptionField, read_fields
from sojourn.profiles.statuses import CHANNEL_NUMBERS, CHANNEL_WORDS, EMAIL

_COLUMNS = f"id, name, description, channels, database_ids, url, from_name, from_email, reply_to, group_ids, consent, archived_at, {READ}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource. `channels` are numbers; no `database_ids` means: profiles of every database may subscribe.

    `consent`: what people read and agree to where they confirm. An archived one takes no new subscribers.
    """

    id: int
    name: str
    description: str
    channels: tuple[int, ...]
    database_ids: tuple[int, ...]
    url: str | None
    from_name: str | None
    from_email: str | None
    reply_to: str | None
    group_ids: tuple[int, ...]
    consent: str = ""
    archived_at: datetime | None = None
    fields: tuple[SubscriptionField, ...] = ()

    def serves(self, database_id: int) -> bool:
        """Whether profiles of a database may subscribe."""
        return self.archived_at is None and (not self.database_ids or database_id in self.database_ids)


def channel_number(channel: int | str) -> int:
    """The number of a channel given by number or word.

    Raises:
        SojournError: `unknown_channel`.
    """
    number = CHANNEL_NUMBERS.get(channel.strip().lower(), 0) if isinstance(channel, str) else channel
    if isinstance(number, bool) or number not in CHANNEL_WORDS:
        raise SojournError("unknown_channel", f"A channel is one of {', '.join(CHANNEL_WORDS.values())}.", "channel")
    return number


def create_resource(
    connection: psycopg.Connection[Any], clock: Clock, name: str, *, channels: Sequence[int | str] = (EMAIL,), database_ids: Sequence[int] = (),
    description: str = "", url: str | None = None, from_name: str | None = None, from_email: str | None = None, reply_to: str | None = None,
    group_ids: Sequence[int] = (), consent: str = "",
) -> Resource:  # fmt: skip
    """Make a resource.

    Raises:
        SojournError: `bad_name`, `unknown_channel`, `incorrect_email`. NotFound: `unknown_database`. Conflict: `resource_exists`.
    """
    values = _checked(
        connection, name=name, channels=channels, database_ids=database_ids, description=description, url=url, from_name=from_name,
        from_email=from_email, reply_to=reply_to, consent=consent,
    )  # fmt: skip
    try:
        row = connection.execute(
            "INSERT INTO resource (created_at, name, description, channels, database_ids, url, from_name, from_email, reply_to, consent, group_ids)"
            " VALUES (%(at)s, %(name)s, %(description)s, %(channels)s, %(database_ids)s, %(url)s, %(from_name)s, %(from_email)s, %(reply_to)s,"
            f" %(consent)s, %(groups)s) RETURNING {_COLUMNS}",
            {**values, "at": clock.now(), "groups": list(group_ids)},
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("resource_exists", f"There is a resource “{values['name']}” already.", "name") from None
    assert row
    return _resource(row)


def change_resource(
    connection: psycopg.Connection[Any], clock: Clock, resource_id: int, *, name: str, channels: Sequence[int | str], database_ids: Sequence[int],
    description: str = "", url: str | None = None, from_name: str | None = None, from_email: str | None = None, reply_to: str | None = None,
    consent: str = "",
) -> Resource:  # fmt: skip
    """Change a resource. A channel that has subscribers stays: their subscriptions would lead nowhere.

    Raises:
        SojournError: `bad_name`, `unknown_channel`, `incorrect_email`. NotFound: `unknown_resource`, `unknown_database`.
        Conflict: `resource_exists`, `channel_in_use`.
    """
    values = _checked(
        connection, name=name, channels=channels, database_ids=database_ids, description=description, url=url, from_name=from_name,
        from_email=from_email, reply_to=reply_to, consent=consent,
    )  # fmt: skip
    with connection.transaction():
        before = resource(connection, resource_id)
        for channel in sorted(set(before.channels) - set(values["channels"])):
            if connection.execute(_SUBSCRIBER, (resource_id, channel)).fetchone():
                raise Conflict(
                    "channel_in_use",
                    f"People are subscribed by {CHANNEL_WORDS[channel]}: the channel stays.",
                    "channels",
                )
        try:
            row = connection.execute(
                "UPDATE resource SET updated_at = %(at)s, name = %(name)s, description = %(description)s, channels = %(channels)s,"
                " database_ids = %(database_ids)s, url = %(url)s, from_name = %(from_name)s, from_email = %(from_email)s, reply_to = %(reply_to)s,"
                f" consent = %(consent)s WHERE id = %(id)s RETURNING {_COLUMNS}",
                {**values, "at": clock.now(), "id": resource_id},
            ).fetchone()
        except psycopg.errors.UniqueViolation:
            raise Conflict("resource_exists", f"There is a resource “{values['name']}” already.", "name") from None
    assert row
    return _resource(row)


_SUBSCRIBER = "SELECT 1 FROM subscription WHERE resource_id = %s AND channel = %s LIMIT 1"


def archive_resource(connection: psycopg.Connection[Any], clock: Clock, resource_id: int, archived: bool) -> Resource:
    """Put a resource away, or take it back: an archived one takes no new subscribers and is offered nowhere; what was sent keeps its name.

    Raises:
        NotFound: `unknown_resource`.
    """
    resource(connection, resource_id)
    row = connection.execute(
        f"UPDATE resource SET archived_at = CASE WHEN %(archived)s THEN coalesce(archived_at, %(at)s) END WHERE id = %(id)s RETURNING {_COLUMNS}",
        {"archived": archived, "at": clock.now(), "id": resource_id},
    ).fetchone()
    assert row
    return _resource(row)


def _checked(
    connection: psycopg.Connection[Any], *, name: str, channels: Sequence[int | str], database_ids: Sequence[int], description: str, url: str | None,
    from_name: str | None, from_email: str | None, reply_to: str | None, consent: str,
) -> dict[str, Any]:  # fmt: skip
    name = name.strip()
    if not 1 <= len(name) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    for place, address in (("from_email", from_email), ("reply_to", reply_to)):
        if address and not parse_email(address):
            raise SojournError("incorrect_email", "An e-mail address is needed.", place)
    if any(value and ("\r" in value or "\n" in value or "\x00" in value) for value in (from_name, url)):
        raise SojournError("bad_text", "A name or address of a sender is one line.", "from_name")
    if len(consent) > LONGEST_CONSENT or "\x00" in consent:
        raise SojournError("bad_text", f"The text has {LONGEST_CONSENT} characters at most.", "consent")
    numbers = sorted({channel_number(channel) for channel in channels})
    if not numbers:
        raise SojournError("unknown_channel", "A resource has one channel at least.", "channels")
    wanted = sorted(set(database_ids))
    known = connection.execute("SELECT count(*) FROM profile_database WHERE id = ANY(%s)", (wanted,)).fetchone()
    if known is None or known[0] != len(wanted):
        raise NotFound("unknown_database", "One of the profile databases does not exist.", "database_ids")
    return {
        "name": name, "channels": numbers, "database_ids": wanted, "description": description, "url": url or None, "from_name": from_name or None,
        "from_email": from_email or None, "reply_to": reply_to or None, "consent": consent.strip(),
    }  # fmt: skip


def _resource(row: tuple[Any, ...]) -> Resource:
    given, archived_at, fields = row[5:11], row[11], row[12]
    url, from_name, from_email, reply_to, groups, consent = given
    return Resource(
        row[0], row[1], row[2], tuple(row[3]), tuple(row[4]), url, from_name, from_email, reply_to, tuple(groups), consent, archived_at,
        read_fields(fields),
    )  # fmt: skip


def resource(connection: psycopg.Connection[Any], id_or_name: int | str) -> Resource:
    """One resource, by number or by name.

    Raises:
        NotFound: `unknown_resource`.
    """
    by_number = isinstance(id_or_name, int)
    fits = -(2**31) <= id_or_name < 2**31 if isinstance(id_or_name, int) else "\x00" not in id_or_name
    row = (
        connection.execute(
            f"SELECT {_COLUMNS} FROM resource WHERE {'id' if by_number else 'name'} = %s", (id_or_name,)
        ).fetchone()
        if fits
        else None
    )
    if row is None:
        raise NotFound("unknown_resource", f"There is no resource “{id_or_name}”.", "resource_id")
    return _resource(row)


def resources(connection: psycopg.Connection[Any], ids: Sequence[int]) -> dict[int, Resource]:
    """Those of the resources that exist, by number."""
    found = map(_resource, connection.execute(f"SELECT {_COLUMNS} FROM resource WHERE id = ANY(%s)", (list(ids),)))
    return {item.id: item for item in found}


def list_resources(
    connection: psycopg.Connection[Any],
    *,
    after: int = 0,
    limit: int = 100,
    database_id: int | None = None,
    archived: bool = False,
) -> list[Resource]:
    """Resources in the order of their numbers, after the number `after`, 1,000 at most; of one database if asked; or those put away."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM resource WHERE id > %(after)s AND (archived_at IS NOT NULL) = %(archived)s AND (%(database)s::int IS NULL OR database_ids = '{{}}' OR %(database)s::int = ANY(database_ids))"
        " ORDER BY id LIMIT %(limit)s",
        {"after": after, "database": database_id, "archived": archived, "limit": max(0, min(limit, 1_000))},
    )
    return [_resource(row) for row in rows]
