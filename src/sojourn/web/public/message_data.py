"""The data of one message, to render it or one of its links again."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from sojourn.kernel import Clock, lane_of, public_id
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.profiles.aliases import current_profile
from sojourn.profiles.databases import database, database_of
from sojourn.profiles.subscriptions import subscription
from sojourn.web.public.sent import SentMessage, subscription_of

_PROMO = """
SELECT c.code, a.expires_at FROM promo_assignment a JOIN promo_code c ON c.pool_id = a.pool_id AND c.no = a.no
 WHERE a.lane = %s AND a.passage_id = %s AND a.profile_id = %s AND a.hop <= %s ORDER BY a.hop DESC LIMIT 1
"""
_CONTENT = """
SELECT context FROM resting WHERE lane = %(lane)s AND profile_id = %(profile)s AND scenario_id = %(scenario)s AND passage_id = %(passage)s
UNION ALL
SELECT context FROM passage_ended WHERE lane = %(lane)s AND profile_id = %(profile)s AND passage_id = %(passage)s LIMIT 1
"""


def message_data(
    connection: psycopg.Connection[Any], clock: Clock, message: SentMessage, roots: Collection[str]
) -> dict[str, Any]:
    """The variables of a message, as far as `roots` names them. What is gone meanwhile, a profile for example, is empty."""
    data: dict[str, Any] = {"now": clock.now(), "resource": {"name": message.resource_name}}
    if "profile" in roots:
        data["profile"] = _profile(connection, message)
    if "subscription" in roots:
        data["subscription"] = {"contact": _contact(connection, message)}
    if "promo" in roots:
        row = connection.execute(_PROMO, (message.lane, message.passage_id, message.profile_id, message.hop)).fetchone()
        data["promo"] = {"code": row[0], "expires_at": row[1].isoformat() if row[1] else None} if row else {}
    if "api" in roots:
        values = {
            "lane": message.lane,
            "profile": message.profile_id,
            "scenario": message.scenario_id,
            "passage": message.passage_id,
        }
        row = connection.execute(_CONTENT, values).fetchone()
        data["api"] = (row[0] if row else None) or {}
    return data


def _contact(connection: psycopg.Connection[Any], message: SentMessage) -> str | None:
    with suppress(NotFound):
        profile_id, subscription_id = subscription_of(connection, message)
        return subscription(connection, lane_of(profile_id), subscription_id).contact
    return None


def _profile(connection: psycopg.Connection[Any], message: SentMessage) -> dict[str, Any]:
    profile_id = current_profile(connection, message.profile_id)
    try:
        owner = database(connection, database_of(connection, profile_id))
    except SojournError:
        return {}
    columns = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(sql.Identifier(f.column), sql.Identifier(f.name)) for f in owner.fields.values()
    )
    statement = sql.SQL("SELECT {} FROM {} WHERE lane = %s AND id = %s").format(columns, sql.Identifier(owner.table))
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement, (lane_of(profile_id), profile_id)).fetchone()
    if row is None:
        return {}
    return {**row, "id": public_id(profile_id), "first_name": row.get("_fname"), "last_name": row.get("_lname")}
