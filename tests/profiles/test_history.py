"""What happened to people whom a file made: their subscriptions have no rows of their own, and are told all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from sojourn.kernel import VirtualClock, lane_of
from sojourn.profiles import (
    Database,
    FileOptions,
    Resource,
    SubscribeAll,
    import_csv,
    list_profiles,
    of_profile,
    set_status,
)
from sojourn.profiles.history import history


def told(connection: psycopg.Connection[Any], shop: Database, profile_id: int, **more: Any) -> list[tuple[str, Any]]:
    found = history(connection, shop, profile_id, **more).happenings
    return [(one.kind, (one.detail.get("new") or {}).get("status")) for one in found]


def test_a_subscription_by_a_file_is_told_with_the_status_it_began_with(
    connection: psycopg.Connection[Any], clock: VirtualClock, shop: Database, news: Resource, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\na@x.test\nb@x.test\n")
    import_csv(connection, clock, shop, file, FileOptions(subscribe=SubscribeAll(news.id)))
    assert connection.execute("SELECT count(*) FROM change WHERE kind = 3").fetchone() == (0,)
    ann, bob = (row["id"] for row in list_profiles(connection, shop))
    [subscription] = of_profile(connection, ann)
    set_status(connection, clock, lane_of(ann), subscription.id, 1, cause=1)
    assert sorted(told(connection, shop, ann)) == [
        ("added", "subscribed"),
        ("changed", "unsubscribed"),
        ("created", None),
    ]
    assert told(connection, shop, bob) == [("added", "subscribed"), ("created", None)]
    assert told(connection, shop, bob, groups=["subscription"]) == [("added", "subscribed")]
    assert told(connection, shop, bob, groups=["profile"]) == [("created", None)]
    first = history(connection, shop, bob, limit=1)
    rest = history(connection, shop, bob, limit=1, after=first.next)
    assert [one.kind for one in first.happenings + rest.happenings] == ["added", "created"] and rest.next is None
    [one] = [one for one in history(connection, shop, bob).happenings if one.kind == "added"]
    assert (one.detail["resource"], one.detail["contact"], one.detail["cause"]) == ("News", "b@x.test", "file")
