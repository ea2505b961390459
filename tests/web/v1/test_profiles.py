"""Profiles through the integration API."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from sojourn.kernel import parse_public_id
from sojourn.profiles import import_records
from tests.web.v1.integration import OK, Integration

SUBSCRIPTIONS = [
    {
        "channel": "email",
        "email": "jim@example.com",
        "resource_id": "1",
        "custom_fields": {"_device_type": "web"},
        "cats": ["news"],
    },
    {"channel": "sms", "phone": "+79000000000", "resource_id": 1, "status": "unconfirmed", "priority": 3},
    {"channel": "push", "provider": "android-firebase", "subscription_id": "a81c", "resource_id": 1},
    {"channel": "telegram_bot", "resource_id": 1, "cc_data": {"id": 17}},
]


def test_the_example_of_the_documentation_is_imported_and_read(api: Integration) -> None:
    data = {
        "_fname": "Jim", "_lname": "Jones", "email": "jim@example.com", "phones": ["+79000000000"], "_bdate": "1990-02-22T21:00:00Z",
        "_regdate": "2019-03-14T22:00:00Z", "_regip": "94.231.119.122", "_tz": "Europe/Moscow", "_sex": 0, "points": "5", "subscriptions": SUBSCRIPTIONS,
    }  # fmt: skip
    told = api.done("profiles/import", db_id="1", matching="email", email="jim@example.com", detect_geo=True, data=data)
    assert told.keys() == {"profile_id"} and len(told["profile_id"]) == 24
    kept = api.profile(1, "JIM@example.com")
    assert kept["_id"] == told["profile_id"]
    assert (kept["_fname"], kept["phones"], kept["points"], kept["_sex"]) == ("Jim", ["+79000000000"], 5, "male")
    assert kept["_regdate"] == "2019-03-14T22:00:00.000Z"
    assert "_city" not in kept
    assert kept["subscriptions"] == [
        {"resource_id": 1, "channel": "email", "email": "jim@example.com", "priority": 0, "status": "subscribed", "cats": ["news"], "custom_fields": {"_device_type": "web"}},
        {"resource_id": 1, "channel": "sms", "phone": "+79000000000", "priority": 3, "status": "unconfirmed"},
        {"resource_id": 1, "channel": "push", "provider": "android-firebase", "subscription_id": "a81c", "priority": 0, "status": "subscribed"},
        {"resource_id": 1, "channel": "telegram_bot", "cc_data": {"id": "17"}, "priority": 0, "status": "subscribed"},
    ]  # fmt: skip


def test_import_creates_once_and_updates_then(api: Integration) -> None:
    first = api.done("profiles/import", db_id=1, email="a@example.com", data={"_fname": "Ann"})
    again = api.done("profiles/import", db_id=1, email="a@example.com", data={"_lname": "Lee"})
    assert first == again
    kept = api.profile(1, "a@example.com")
    assert (kept["_fname"], kept["_lname"]) == ("Ann", "Lee")


def test_the_key_is_looked_for_in_the_data_too(api: Integration) -> None:
    made = api.done("profiles/import", db_id=1, matching="phone", data={"phones": ["+7 900 123-45-67"]})
    assert api.done("profiles/import", db_id=1, matching="phone", phone="+79001234567", data={"_fname": "Bo"}) == made
    assert api.done("profiles/get", db_id=1, matching="phone", phone="+79001234567")["data"]["_fname"] == "Bo"


def test_a_profile_is_found_in_every_way(api: Integration) -> None:
    data = {
        "email": "w@example.com",
        "phones": ["+79001112233"],
        "card": "K-1",
        "labels": ["x"],
        "subscriptions": SUBSCRIPTIONS,
    }
    made = api.done("profiles/import", db_id=1, email="w@example.com", data=data)["profile_id"]
    ways: list[dict[str, Any]] = [
        {"matching": "email", "email": "jim@example.com"}, {"matching": "email_profile", "email": "w@example.com"},
        {"matching": "email_sub", "email": "jim@example.com"}, {"matching": "phone", "phone": "+79001112233"},
        {"matching": "phone_sub", "phone": "+79000000000"}, {"matching": "profile_id", "profile_id": made},
        {"matching": "push_sub", "provider": "android-firebase", "subscription_id": "a81c"},
        {"matching": "custom", "field_name": "card", "field_value": "K-1"}, {"matching": "email_phone", "phone": "+79001112233"},
        {"matching": "email", "email": "jim@example.com", "resource_id": 1},
    ]  # fmt: skip
    for way in ways:
        assert api.done("profiles/get", db_id=1, **way)["data"]["_id"] == made, way
    assert api.failed("profiles/get", db_id=1, email="jim@example.com", matching="email_profile") == (
        404,
        "profile not found",
    )
    assert api.failed("profiles/get", db_id=1, matching="custom", field_name="points", field_value=1)[0] == 400


def test_update_never_creates_and_add_never_changes(api: Integration) -> None:
    assert api.failed("profiles/update", db_id=1, email="new@example.com", data={"_fname": "X"}) == (
        404,
        "profile not found",
    )
    made = api.done("profiles/add", db_id=1, data={"email": "new@example.com", "_fname": "Old"})
    assert api.failed("profiles/add", db_id=1, data={"email": "new@example.com", "_fname": "New"})[0] == 400
    assert api.done("profiles/update", db_id=1, email="new@example.com", data={"points": 1}) == made
    assert api.profile(1, "new@example.com")["_fname"] == "Old"


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"email": "a@example.com", "data": {}}, 400, "db_id"),
        ({"db_id": "one", "email": "a@example.com", "data": {}}, 400, "db_id"),
        ({"db_id": 99, "email": "a@example.com", "data": {}}, 404, "99"),
        ({"db_id": 10**30, "email": "a@example.com", "data": {}}, 400, "db_id"),
        ({"db_id": 2**40, "email": "a@example.com", "data": {}}, 400, "database"),
        ({"db_id": 1, "email": "a@example.com"}, 400, "data"),
        ({"db_id": 1, "email": "a@example.com", "data": "text"}, 400, "data"),
        ({"db_id": 1, "data": {}}, 400, "email"),
        ({"db_id": 1, "email": "not an address", "data": {}}, 400, "email"),
        ({"db_id": 1, "email": "a@example.com", "matching": "aura", "data": {}}, 400, "matching"),
        ({"db_id": 1, "email": "a@example.com", "data": {"shoe": 44}}, 400, "shoe"),
        ({"db_id": 1, "email": "a@example.com", "data": {"points": "many"}}, 400, "points"),
        ({"db_id": 1, "email": "a@example.com", "data": {"_fname": "a\u0000b"}}, 400, "_fname"),
        ({"db_id": 1, "email": "a@example.com", "skip_triggers": "perhaps", "data": {}}, 400, "skip_triggers"),
        ({"db_id": 1, "email": "a@example.com", "data": {"subscriptions": "x"}}, 400, "subscriptions.0"),
        (
            {
                "db_id": 1,
                "email": "a@example.com",
                "data": {"subscriptions": [{"channel": "email", "resource_id": 9, "email": "a@b.cd"}]},
            },
            400,
            "subscriptions.0",
        ),
        ({"db_id": 1, "email": "a@example.com", "data": {}, "add_to_segments": ["x"]}, 400, "add_to_segments"),
        ({"db_id": 1, "matching": "profile_id", "profile_id": "xyz", "data": {}}, 400, "profile_id"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_half_done(
    api: Integration, connection: psycopg.Connection, body: dict[str, Any], code: int, word: str
) -> None:
    found, text = api.failed("profiles/import", **body)
    assert found == code or (code == 400 and found == 404 and word == "database")
    assert word in text
    row = connection.execute("SELECT count(*) FROM profile_1").fetchone()
    assert row == (0,)


def test_a_batch_answers_in_order_and_one_bad_element_stops_no_other(api: Integration) -> None:
    data = [
        {
            "email": "1@example.com",
            "_fname": "One",
            "subscriptions": [{"channel": "email", "resource_id": 1, "email": "1@example.com"}],
        },
        {"email": "2@example.com", "data": {"_fname": "Two"}},
        {"email": "nonsense", "_fname": "Three"},
        "no object",
        {"email": "5@example.com", "points": "x"},
        {"email": "1@example.com", "points": 4},
    ]
    told = api.done("profiles/import_batch", db_id=1, matching="email", data=data)
    assert told.keys() == {"result"}
    assert [item["error"] for item in told["result"]] == [0, 0, 400, 400, 400, 0]
    assert told["result"][0] == {**OK, "profile_id": told["result"][5]["profile_id"]}
    kept = api.profile(1, "1@example.com")
    assert (kept["_fname"], kept["points"], len(kept["subscriptions"])) == ("One", 4, 1)
    assert api.profile(1, "2@example.com")["_fname"] == "Two"
    assert api.call("profiles/importmulti", db_id=1, data=data) == api.call("profiles/import_batch", db_id=1, data=data)


def test_batches_of_additions_and_updates_keep_their_modes(api: Integration) -> None:
    api.done("profiles/import", db_id=1, email="old@example.com", data={"_fname": "Old"})
    data = [{"email": "old@example.com", "_fname": "Changed"}, {"email": "new@example.com", "_fname": "New"}]
    added = api.done("profiles/add_batch", db_id=1, data=data)["result"]
    assert [item["error"] for item in added] == [400, 0]
    data = [{"email": "old@example.com", "_fname": "Changed"}, {"email": "none@example.com", "_fname": "None"}]
    updated = api.done("profiles/update_batch", db_id=1, data=data)["result"]
    assert [item["error"] for item in updated] == [0, 404]
    assert api.profile(1, "old@example.com")["_fname"] == "Changed"


def test_a_batch_has_its_bounds(api: Integration) -> None:
    assert api.failed("profiles/import_batch", db_id=1, data=[{"email": "a@example.com"}] * 10_001)[0] == 400
    assert api.failed("profiles/import_batch", db_id=1)[0] == 400
    assert api.failed("profiles/import_batch", db_id=1, data="text")[0] == 400
    assert api.done("profiles/import_batch", db_id=1, data=[]) == {"result": []}


def test_functional_updates_work_through_the_api(api: Integration) -> None:
    api.done(
        "profiles/import",
        db_id=1,
        email="f@example.com",
        data={"points": 10, "labels": ["a"], "car": {"brand": "X"}, "_fname": "F"},
    )
    change = {
        "points": {"action": "incr", "value": -3}, "labels": {"action": "add", "value": ["b"]}, "_fname": {"action": "unset"},
        "car": {"action": "upsert", "value": 2020, "submatch": "made.year"},
    }  # fmt: skip
    api.done("profiles/update", db_id=1, email="f@example.com", data=change)
    kept = api.profile(1, "f@example.com")
    assert (kept["points"], sorted(kept["labels"]), kept["car"]) == (
        7,
        ["a", "b"],
        {"brand": "X", "made": {"year": 2020}},
    )
    assert "_fname" not in kept
    assert (
        api.failed("profiles/update", db_id=1, email="f@example.com", data={"_fname": {"action": "incr", "value": 1}})[
            0
        ]
        == 400
    )


def test_single_imports_at_the_same_time_are_written_together_and_lose_nothing(api: Integration) -> None:
    def increase(number: int) -> int:
        body = {
            "db_id": 1,
            "email": "sum@example.com" if number % 2 else f"p{number}@example.com",
            "data": {"points": {"action": "incr", "value": 1}},
        }
        return int(api.send("profiles/import", body).json()["error"])

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(increase, range(100))) == {0}
    assert api.profile(1, "sum@example.com")["points"] == 50


def test_among_imports_written_together_each_gets_its_own_answer(api: Integration) -> None:
    bodies: list[dict[str, Any]] = [
        {"db_id": 1, "email": f"g{number}@example.com", "data": {"points": number if number % 3 else "x"}}
        for number in range(30)
    ] + [{"db_id": 77, "email": "a@example.com", "data": {}}]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: api.send("profiles/import", body).json(), bodies))
    assert [answer["error"] for answer in answers] == [0 if number % 3 else 400 for number in range(30)] + [404]
    ids = [parse_public_id(answer["profile_id"]) for answer in answers if not answer["error"]]
    assert len(set(ids)) == 20
    for body, answer in zip(bodies, answers, strict=True):
        if not answer["error"]:
            assert api.profile(1, body["email"])["_id"] == answer["profile_id"]


def test_a_record_that_the_database_refuses_takes_no_others_with_it(
    api: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fussy(connection: Any, clock: Any, base: Any, records: Any, options: Any) -> Any:
        with connection.transaction():
            outcomes = import_records(connection, clock, base, records, options)
            if any(record.fields.get("_fname") == "bad" for record in records):
                raise psycopg.DataError("refused")
            return outcomes

    monkeypatch.setattr("sojourn.web.v1.single_imports.import_records", fussy)
    monkeypatch.setattr("sojourn.web.v1.single_imports.GATHERING", 0.1)  # so that they come together
    bodies = [
        {"db_id": 1, "email": f"n{number}@example.com", "data": {"_fname": "bad" if number == 3 else "good"}}
        for number in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda body: api.send("profiles/import", body).json()["error"], bodies))
    assert codes == [0, 0, 0, 400, 0, 0, 0, 0]
    assert api.failed("profiles/get", db_id=1, email="n3@example.com")[0] == 404
    assert api.profile(1, "n7@example.com")["_fname"] == "good"


def test_single_imports_go_on_when_the_database_was_started_anew(
    api: Integration, connection: psycopg.Connection
) -> None:
    api.done("profiles/import", db_id=1, email="before@example.com", data={})
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sojourn web%'"
    )
    time.sleep(0.3)
    api.done("profiles/import", db_id=1, email="after@example.com", data={})
    assert api.profile(1, "after@example.com")
