"""Whom a file makes and subscribes is found by the subscription too, also when the contact is no longer his own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock
from sojourn.profiles import (
    Database,
    FileOptions,
    Options,
    Record,
    Resource,
    SubscribeAll,
    create_resource,
    import_csv,
    import_records,
    list_profiles,
)

Connection = psycopg.Connection[Any]


@pytest.fixture
def ann(connection: Connection, clock: VirtualClock, shop: Database, news: Resource, tmp_path: Path) -> int:
    file = tmp_path / "people.csv"
    file.write_text("email,phones\nann@x.test,+12015550100\n")
    import_csv(connection, clock, shop, file, FileOptions(subscribe=SubscribeAll(news.id, (1, 2))))
    [row] = list_profiles(connection, shop)
    return int(row["id"])


def found(
    connection: Connection,
    clock: VirtualClock,
    shop: Database,
    matching: Any,
    resource_id: int | None = None,
    **keys: Any,
) -> int | None:
    options = Options(mode="update", matching=matching, resource_id=resource_id)
    return import_records(connection, clock, shop, [Record(keys, {"bonus": 1})], options)[0].profile_id


def test_he_is_found_by_each_way_and_narrowed_by_the_resource(connection, clock, shop, news, ann) -> None:
    other = create_resource(connection, clock, "Other").id
    kinds = connection.execute("SELECT array_agg(kind ORDER BY kind) FROM identity").fetchone()
    assert kinds == ([1, 2],)
    email, phone = {"email": "ann@x.test"}, {"phone": "+12015550100"}
    for matching, keys in (
        ("email_sub", email),
        ("email", email),
        ("phone_sub", phone),
        ("phone", phone),
        ("email_phone_sub", phone | {"email": "no@x.test"}),
    ):
        assert found(connection, clock, shop, matching, **keys) == ann, matching
    assert found(connection, clock, shop, "email_sub", news.id, **email) == ann
    assert found(connection, clock, shop, "email_sub", other, **email) is None
    assert found(connection, clock, shop, "phone_sub", other, **phone) is None


def test_who_owns_a_contact_without_a_subscription_is_not_found_by_one(connection, clock, shop, news) -> None:
    import_records(connection, clock, shop, [Record({"email": "bob@x.test"}, {"phones": ["+12015550101"]})], Options())
    assert found(connection, clock, shop, "email_sub", email="bob@x.test") is None
    assert found(connection, clock, shop, "phone_sub", phone="+12015550101") is None


def test_he_is_still_found_by_the_old_contact_after_he_got_new_ones(connection, clock, shop, news, ann) -> None:
    record = Record({"profile_id": ann}, {"email": "anne@x.test", "phones": ["+12015550199"]})
    import_records(connection, clock, shop, [record], Options(mode="update", matching="profile_id"))
    assert found(connection, clock, shop, "email_sub", email="ann@x.test") == ann
    assert found(connection, clock, shop, "phone_sub", phone="+12015550100") == ann
    assert found(connection, clock, shop, "email_sub", email="anne@x.test") is None
    assert found(connection, clock, shop, "email_profile", email="ann@x.test") is None
    back = Record({"profile_id": ann}, {"email": "ann@x.test", "phones": ["+12015550100"]})
    import_records(connection, clock, shop, [back], Options(mode="update", matching="profile_id"))
    assert found(connection, clock, shop, "email_sub", email="ann@x.test") == ann
    rows = connection.execute("SELECT kind, value FROM identity ORDER BY 1, 2").fetchall()
    assert rows == [(1, "ann@x.test"), (2, "+12015550100"), (3, "ann@x.test"), (4, "+12015550100")]
