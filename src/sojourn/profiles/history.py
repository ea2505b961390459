"""Everything that happened to one profile, newest first: each room offers a source of its happenings, a page takes the newest of all.

A page costs the same however long the history is: every source gives at most a page of rows, by an index of the profile.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, get_args

import psycopg

from sojourn.kernel import lane_of
from sojourn.kernel.errors import SojournError
from sojourn.profiles.aliases import with_merged
from sojourn.profiles.databases import Database
from sojourn.profiles.statuses import (
    CHANGE_CREATED,
    CHANGE_SUBSCRIBED,
    CHANGE_SUBSCRIPTION,
    CHANNEL_WORDS,
    STATUS_WORDS,
)

Connection = psycopg.Connection[Any]
Group = Literal["profile", "subscription", "message", "scenario", "segment", "loyalty", "other"]
GROUPS: tuple[Group, ...] = get_args(Group)
_CURSOR = re.compile(r"(\d{1,17})\.(\d{1,4})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_AT_ONCE = 1_000
"""Happenings of one moment that pages can step over."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: `kind` is a word of its group, `detail` what belongs to it, names and words in place of numbers."""

    at: datetime
    group: Group
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whose:
    """The profile whose history is read, and those that were merged into it."""

    database: Database
    ids: tuple[int, ...]

    @property
    def values(self) -> dict[str, Any]:
        """What statements bind: `lanes` and `ids`, side by side."""
        return {"ids": list(self.ids), "lanes": [lane_of(number) for number in self.ids]}


class Source(Protocol):
    """Gives happenings not after a moment, newest first and in an order that never changes, at most `limit`."""

    def __call__(
        self, connection: Connection, whose: Whose, groups: Sequence[Group], until: datetime, limit: int
    ) -> list[Happening]: ...


_sources: list[tuple[int, frozenset[Group], Source]] = []


def register_source(groups: Sequence[Group], source: Source, rank: int) -> None:
    """Let a room tell what happened to profiles; it is asked only if one of its groups is wanted.

    `rank`: of happenings at one moment those of a higher rank are taken for the later ones, as a letter follows the entry that sent it.
    """
    if all(known is not source for _, _, known in _sources):
        _sources.append((rank, frozenset(groups), source))
        _sources.sort(key=lambda one: one[0], reverse=True)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of a history; `next` leads to the following one, if there is one."""

    happenings: list[Happening]
    next: str | None


def history(
    connection: Connection, database: Database, profile_id: int, *, groups: Sequence[Group] = (), until: datetime | None = None,
    after: str | None = None, limit: int = 50,
) -> HistoryPage:  # fmt: skip
    """A page of what happened to a profile, newest first; `until`: nothing after that moment; `after`: the `next` of the page before.

    Raises:
        SojournError: `bad_page`.
    """
    latest, skip = _read_cursor(after) if after else (until or _EPOCH + timedelta(days=80_000), 0)
    wanted = tuple(groups) or GROUPS
    whose = Whose(database, with_merged(connection, profile_id))
    found: list[Happening] = []
    for _, offered, source in _sources:
        if offered & set(wanted):
            found += source(connection, whose, wanted, latest, limit + skip + 1)
    found = sorted((one for one in found if one.group in wanted), key=lambda one: one.at, reverse=True)[skip:]
    page = found[:limit]
    if len(found) <= limit or not page:
        return HistoryPage(page, None)
    last = page[-1].at
    shown = sum(one.at == last for one in page) + (skip if last == latest else 0)
    if shown > _MOST_AT_ONCE:
        return HistoryPage(page, f"{_microseconds(last) - 1}.0")
    return HistoryPage(page, f"{_microseconds(last)}.{shown}")


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _read_cursor(text: str) -> tuple[datetime, int]:
    mark = _CURSOR.fullmatch(text)
    if mark is None:
        raise SojournError("bad_page", "This is not the mark of a page.", "after")
    try:
        return _EPOCH + timedelta(microseconds=int(mark[1])), int(mark[2])
    except OverflowError:
        raise SojournError("bad_page", "This is not the mark of a page.", "after") from None


# ---------------------------------------------------------------------------------------------- changes of the profile

_KINDS: dict[int, tuple[Group, str]] = {
    1: ("profile", "created"), 2: ("profile", "updated"), 3: ("subscription", "added"), 4: ("subscription", "changed"), 5: ("profile", "deleted"),
    6: ("profile", "merged"), 7: ("profile", "split"),
}  # fmt: skip
_CAUSES = {1: "manual", 2: "file", 3: "api", 4: "form", 5: "popup", 6: "scenario", 7: "recipient", 8: "system"}
_CHANGES = f"""
WITH recorded AS MATERIALIZED (
  SELECT c.* FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id)
    CROSS JOIN LATERAL (SELECT c.*, c.ctid AS place FROM change c WHERE c.lane = x.lane AND c.profile_id = x.id AND c.at <= %(until)s AND c.kind = ANY(%(read)s)
                         ORDER BY c.at DESC, c.kind DESC, c.subject_id, c.ctid DESC LIMIT %(limit)s) c),
told AS (
  SELECT at, kind, cause, cause_id, subject_id, lane, old, new, place FROM recorded WHERE kind = ANY(%(kinds)s)
  UNION ALL
  -- Whom a file made and subscribed at one time has no row of its own for the subscription.
  SELECT m.at, {CHANGE_SUBSCRIBED}::smallint, m.cause, m.cause_id, u.id, u.lane, NULL, jsonb_build_object('status', coalesce(
           (SELECT f.old -> 'status' FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) y(lane, id) JOIN change f ON f.lane = y.lane AND f.profile_id = y.id
             WHERE f.subject_id = u.id AND f.kind = {CHANGE_SUBSCRIPTION} ORDER BY f.at LIMIT 1), to_jsonb(u.status))), NULL
    FROM (SELECT DISTINCT at, cause, cause_id FROM recorded WHERE kind = {CHANGE_CREATED} AND new IS NULL) m
    JOIN unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id) ON %(subscribed)s
    JOIN subscription u ON u.lane = x.lane AND u.profile_id = x.id AND u.created_at = m.at
   WHERE NOT EXISTS (SELECT FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) y(lane, id) JOIN change f ON f.lane = y.lane AND f.profile_id = y.id
                      WHERE f.subject_id = u.id AND f.kind = {CHANGE_SUBSCRIBED}))
SELECT c.at, c.kind, c.cause, c.cause_id, c.old, c.new, coalesce(u.contact, o.contact), coalesce(u.channel, o.channel), r.name,
       CASE c.cause WHEN 1 THEN (SELECT coalesce(nullif(a.name, ''), a.email) FROM access_user a WHERE a.id = c.cause_id)
                    WHEN 2 THEN (SELECT t.title FROM background_task t WHERE t.id = c.cause_id)
                    WHEN 6 THEN (SELECT s.name FROM scenario s WHERE s.id = c.cause_id) END
  FROM told c LEFT JOIN subscription u ON c.kind IN ({CHANGE_SUBSCRIBED}, {CHANGE_SUBSCRIPTION}) AND u.lane = c.lane AND u.id = c.subject_id
  LEFT JOIN LATERAL jsonb_to_record(CASE WHEN c.kind IN ({CHANGE_SUBSCRIBED}, {CHANGE_SUBSCRIPTION}) THEN c.new END) o(contact text, channel smallint, resource_id int) ON true
  LEFT JOIN resource r ON r.id = coalesce(u.resource_id, o.resource_id)
 ORDER BY c.at DESC, c.kind DESC, c.subject_id, c.place DESC LIMIT %(limit)s
"""


def changes(
    connection: Connection, whose: Whose, groups: Sequence[Group], until: datetime, limit: int
) -> list[Happening]:
    """Changes of fields and subscriptions, with what they were and what caused them."""
    kinds = [number for number, (group, _) in _KINDS.items() if group in groups]
    subscribed = CHANGE_SUBSCRIBED in kinds
    values = {
        "until": until, "limit": limit, "kinds": kinds, "subscribed": subscribed, "read": [*kinds, CHANGE_CREATED] if subscribed else kinds,
    }  # fmt: skip
    rows = connection.execute(_CHANGES, {**whose.values, **values})
    return [_change(whose.database, row) for row in rows]


def _change(database: Database, row: tuple[Any, ...]) -> Happening:
    at, number, cause, cause_id, old, new, contact, channel, resource, by = row
    group, kind = _KINDS[number]
    detail: dict[str, Any] = {"cause": _CAUSES.get(cause), "cause_id": cause_id, "by": by}
    if kind in ("merged", "split"):
        detail["profile"] = (old or {}).get("profile")
        old = {name: value for name, value in (old or {}).items() if name != "profile"}
    if group == "profile":
        names = {field.column: field.name for field in database.fields.values()}
        detail["fields"] = {
            name: {"old": _told(name, (old or {}).get(key)), "new": _told(name, (new or {}).get(key))}
            for key in sorted({*(old or {}), *(new or {})})
            if (name := names.get(key, key))
        }
    else:
        detail |= {"contact": contact, "channel": CHANNEL_WORDS.get(channel), "resource": resource}
        detail["old"], detail["new"] = _words(old), _words(new)
    return Happening(at, group, kind, detail)


def _told(name: str, value: Any) -> Any:
    return _status(value) if name == "_status" else value


def _status(value: Any) -> Any:
    return STATUS_WORDS[value] if isinstance(value, int) and 0 <= value < len(STATUS_WORDS) else value


def _words(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is recorded of a subscription, its status as a word."""
    if not isinstance(values, dict):
        return None
    return {key: _status(value) if key == "status" else value for key, value in values.items()}


register_source(("profile", "subscription"), changes, 0)

# ---------------------------------------------------------------------------------------------- events

_EVENT_KINDS: dict[int, tuple[Group, str]] = {
    1: ("message", "sent"), 2: ("message", "delivered"), 3: ("message", "opened"), 4: ("message", "clicked"), 5: ("subscription", "confirmed"),
    6: ("subscription", "unsubscribed"), 7: ("message", "undelivered"), 8: ("message", "soft_bounce"), 9: ("message", "hard_bounce"),
    10: ("message", "complained"), 11: ("message", "web_version"), 12: ("other", "request_answered"), 13: ("loyalty", "promo_code_assigned"), 14: ("other", "goal"),
}  # fmt: skip
# The index goes by kind before time: the newest of each kind, then the newest of those.
_EVENTS = """
SELECT e.recorded_at, e.kind, e.channel, t.name, s.name, s.id, r.name, e.data
  FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id), unnest(%(kinds)s::smallint[]) k,
  LATERAL (SELECT * FROM event e WHERE e.lane = x.lane AND e.profile_id = x.id AND e.kind = k AND e.recorded_at <= %(until)s
            ORDER BY e.recorded_at DESC, e.id DESC LIMIT %(limit)s) e
  LEFT JOIN template t ON t.id = e.template_id LEFT JOIN scenario s ON s.id = e.scenario_id LEFT JOIN resource r ON r.id = e.resource_id
 ORDER BY e.recorded_at DESC, e.id DESC LIMIT %(limit)s
"""


def events(
    connection: Connection, whose: Whose, groups: Sequence[Group], until: datetime, limit: int
) -> list[Happening]:
    """Messages and what people did with them, answers of requests, promo codes, goals."""
    kinds = [number for number, (group, _) in _EVENT_KINDS.items() if group in groups]
    rows = connection.execute(_EVENTS, {**whose.values, "until": until, "limit": limit, "kinds": kinds})
    return [
        Happening(
            row[0], *_EVENT_KINDS[row[1]],
            {
                "channel": CHANNEL_WORDS.get(row[2]), "template": row[3], "scenario": row[4], "scenario_id": row[5], "resource": row[6],
                **{key: value for key, value in (row[7] or {}).items() if key in ("url", "code", "status", "ip")},
            },
        )
        for row in rows
    ]  # fmt: skip


register_source(("message", "subscription", "loyalty", "other"), events, 3)

__all__ = ["GROUPS", "Group", "Happening", "HistoryPage", "Source", "Whose", "history", "register_source"]
