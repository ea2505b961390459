"""`subscribers/history_…`: what happened to one profile, or to all of a database, as events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from sojourn.events import EventKind
from sojourn.kernel import lane_of, public_id
from sojourn.kernel.errors import SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, database
from sojourn.profiles.statuses import CHANNEL_WORDS, TELEGRAM
from sojourn.web.profile_rows import find_profile
from sojourn.web.v1.answers import success
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.profile_input import import_options, keys_of_call

LARGEST = 1_000
_WORDS = {
    EventKind.SENT: "send", EventKind.OPENED: "open", EventKind.CLICKED: "click", EventKind.CONFIRMED: "confirmsub", EventKind.UNSUBSCRIBED: "unsub",
    EventKind.WEB_VERSION: "web_version_save",
}  # fmt: skip
_COLUMNS = """
SELECT e.id, e.profile_id, p.email, e.kind, e.channel, e.occurred_at, e.recorded_at, e.template_id, t.name AS template, e.scenario_id, s.name AS scenario, e.data
  FROM {source} e JOIN {table} p ON p.lane = e.lane AND p.id = e.profile_id LEFT JOIN template t ON t.id = e.template_id LEFT JOIN scenario s ON s.id = e.scenario_id
"""
_ONE = (
    _COLUMNS.replace("{source}", "event")
    + " WHERE e.lane = %(lane)s AND e.profile_id = %(profile)s AND e.occurred_at >= %(from)s AND e.occurred_at < %(to)s ORDER BY e.occurred_at DESC, e.id DESC LIMIT %(limit)s"
)
# Read in the order in which they were learned, so that a page is never missed by what comes in meanwhile.
_ALL = (
    _COLUMNS
    + " WHERE e.recorded_at >= %(from)s AND e.recorded_at < %(to)s AND (e.recorded_at, e.id) > (%(at)s, %(after)s) ORDER BY e.recorded_at, e.id LIMIT %(limit)s"
).replace("{source}", "event")


def history_get(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscribers/history_get`: the events of one profile, newest first."""
    base = database(call.connection, given.integer("list_id", "db_id"))
    profile_id = find_profile(call.connection, base, import_options(given, "update"), keys_of_call(given))
    start, end = _period(given)
    values = {"lane": lane_of(profile_id), "profile": profile_id, "from": start, "to": end, "limit": LARGEST}
    return success(data=[_told(row, base) for row in _rows(call, _ONE, base, values)])


def history_get_all(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`subscribers/history_get_all`: the events of a database in a period, page by page."""
    base = database(call.connection, given.integer("list_id", "db_id"))
    for name in ("date_from", "date_to"):
        if not given.text(name):
            raise SojournError("parameter_missing", f"The parameter {name} is needed.", name)
    start, end = _period(given)
    at, after = _pointer(given.text("from_id"))
    limit = max(1, min(given.integer("limit", default=LARGEST), LARGEST))
    values = {"from": start, "to": end, "at": at, "after": after, "limit": limit}
    rows = _rows(call, _ALL, base, values)
    pointer = f"{rows[-1]['id']:016x}.{rows[-1]['recorded_at'].isoformat()}" if rows else given.text("from_id")
    return success(data=[_told(row, base) for row in rows], next_from_id=pointer)


def _rows(call: V1Call, statement: str, base: Database, values: dict[str, Any]) -> list[dict[str, Any]]:
    with call.connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement.replace("{table}", quoted(base.table)), values).fetchall()


def _told(row: dict[str, Any], base: Database) -> dict[str, Any]:
    kind = EventKind(row["kind"])
    channel = "telegram_bot" if row["channel"] == TELEGRAM else CHANNEL_WORDS.get(row["channel"])
    return {
        "profile_id": public_id(row["profile_id"]), "email": row["email"], "list_id": base.id, "action": _WORDS.get(kind, kind.word), "count": 1,
        "datetime": row["occurred_at"].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"), "message_id": row["template_id"],
        "message_name": row["template"], "campaign_id": row["scenario_id"], "campaign_name": row["scenario"], "event_id": str(row["id"]), "channel": channel,
        "data": row["data"],
    }  # fmt: skip


def _period(given: Parameters) -> tuple[datetime, datetime]:
    """Whole days in UTC, the last one included."""
    start, end = _day(given, "date_from", date(1970, 1, 1)), _day(given, "date_to", date(9998, 12, 30))
    return datetime(*start.timetuple()[:3], tzinfo=UTC), datetime(*end.timetuple()[:3], tzinfo=UTC) + timedelta(days=1)


def _day(given: Parameters, name: str, default: date) -> date:
    text = given.text(name)
    try:
        return date.fromisoformat(text) if text else default
    except ValueError:
        raise SojournError("bad_parameter", f"The parameter {name} is a day such as 2026-01-31.", name) from None


def _pointer(text: str) -> tuple[datetime, int]:
    first = datetime(1970, 1, 1, tzinfo=UTC)
    if not text or text.startswith("0000000000000000."):
        return first, 0
    number, _, moment = text.partition(".")
    try:
        found = datetime.fromisoformat(moment)
        return found if found.tzinfo else found.replace(tzinfo=UTC), int(number, 16)
    except ValueError:
        raise SojournError(
            "bad_parameter", "The parameter from_id is the next_from_id of the answer before.", "from_id"
        ) from None
