"""Aliases: the id of a profile that was merged leads to its survivor, and so do links in letters that it got before."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel import lane_of


def current_profile(connection: psycopg.Connection[Any], profile_id: int) -> int:
    """The profile that an id stands for now: itself, or the one it was merged into."""
    row = connection.execute(
        "SELECT survivor_id FROM profile_alias WHERE lane = %s AND profile_id = %s", (lane_of(profile_id), profile_id)
    ).fetchone()
    return int(row[0]) if row else profile_id


def current_subscription(connection: psycopg.Connection[Any], profile_id: int, subscription_id: int) -> tuple[int, int]:
    """The profile and the subscription that a pair stands for now: subscriptions keep their number in a merge, unless the survivor had one
    of the same contact."""
    row = connection.execute(
        "SELECT survivor_id, snapshot -> 'joined' -> %s::text FROM profile_alias WHERE lane = %s AND profile_id = %s",
        (str(subscription_id), lane_of(profile_id), profile_id),
    ).fetchone()
    if row is None:
        return profile_id, subscription_id
    return int(row[0]), int(row[1]["into"]) if row[1] else subscription_id
