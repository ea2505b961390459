"""Reading, searching, paging and deleting profiles."""

from __future__ import annotations

from datetime import date
from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock, public_id
from sojourn.kernel.errors import NotFound
from sojourn.profiles import (
    Database,
    Options,
    Record,
    Resource,
    SubscriptionInput,
    delete_profile,
    get_profile,
    import_records,
    list_profiles,
    of_profile,
)
from sojourn.profiles.statuses import CAUSE_MANUAL

Connection = psycopg.Connection[Any]


def test_a_profile_shows_what_is_set_in_words_that_people_use(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    fields = {"_sex": "f", "_status": 1, "_bdate": "2000-01-02", "bonus": 0, "vip": False, "car": {"a": 1}}
    [made] = import_records(connection, clock, shop, [Record({"email": "a@b.cd"}, fields)], Options())
    assert made.profile_id
    now = clock.now()
    assert get_profile(connection, shop, made.profile_id) == {
        "id": made.profile_id, "created_at": now, "updated_at": now, "email": "a@b.cd", "_sex": "female", "_status": "unsubscribed", "_bdate": date(2000, 1, 2), "bonus": 0, "vip": False,
        "car": {"a": 1},
    }  # fmt: skip
    with pytest.raises(NotFound):
        get_profile(connection, shop, 2**40)


def test_profiles_are_paged_and_found_by_any_contact(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    records = [
        Record(
            {"email": f"{n}@b.cd"},
            {"phones": [f"+7900000000{n % 3}"], "card": f"C{n}"},
            [SubscriptionInput(news.id, "email", f"sub{n}@b.cd")],
        )
        for n in range(10)
    ]
    made = [o.profile_id or 0 for o in import_records(connection, clock, shop, records, Options())]
    first = list_profiles(connection, shop, limit=6)
    rest = list_profiles(connection, shop, after=first[-1]["id"], limit=6)
    assert [p["id"] for p in first + rest] == sorted(made)

    def found(text: str, **options: Any) -> list[int]:
        return [p["id"] for p in list_profiles(connection, shop, search=text, **options)]

    assert (
        found(" 3@B.cd ")
        == found("SUB3@b.cd")
        == found("card:C3")
        == found(public_id(made[3]))
        == found(str(made[3]))
        == [made[3]]
    )
    assert found("+7 900 000-00-01") == sorted(made[1::3])
    assert found("+79000000001", after=sorted(made[1::3])[0], limit=1) == [sorted(made[1::3])[1]]
    for text in ("nobody", "card:none", "bonus:1", "\x00", "9" * 30, "x" * 900, "%"):
        assert found(text) == []


def test_a_deleted_profile_is_gone_and_its_address_is_free(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    record = Record({"email": "a@b.cd"}, {"phones": ["+79000000001"]}, [SubscriptionInput(news.id, "email", "a@b.cd")])
    [made] = import_records(connection, clock, shop, [record], Options())
    assert made.profile_id
    delete_profile(connection, clock, shop, made.profile_id, cause=CAUSE_MANUAL)
    assert of_profile(connection, made.profile_id) == []
    assert connection.execute("SELECT count(*) FROM identity").fetchone() == (0,)
    assert connection.execute("SELECT kind FROM change WHERE profile_id = %s", (made.profile_id,)).fetchall() == [(5,)]
    [again] = import_records(connection, clock, shop, [record], Options())
    assert again.action == "created" and again.profile_id != made.profile_id
    with pytest.raises(NotFound):
        delete_profile(connection, clock, shop, made.profile_id, cause=CAUSE_MANUAL)
