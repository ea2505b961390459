"""Records become profiles: created once, updated where they differ, with identities and history."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from sojourn.kernel import SojournError, VirtualClock, public_id
from sojourn.profiles import Database, change_sets
from sojourn.profiles.importing import Options, Outcome, Record, import_records
from sojourn.profiles.values import Reading

Connection = psycopg.Connection[Any]


def bring(
    connection: Connection, clock: VirtualClock, shop: Database, *records: Record, **options: Any
) -> list[Outcome]:
    return import_records(connection, clock, shop, records, Options(**options))


def person(email: str, **fields: Any) -> Record:
    return Record({"email": email}, {"email": email} | fields)


def row(connection: Connection, shop: Database, profile_id: int | None, *names: str) -> tuple[Any, ...]:
    columns = ", ".join(shop.field(name).column for name in names)
    found = connection.execute(
        f"SELECT {columns} FROM {shop.table} WHERE lane = %s AND id = %s", ((profile_id or 0) & 63, profile_id)
    ).fetchone()
    assert found is not None
    return found


def changes(connection: Connection, profile_id: int | None) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT kind, old, new FROM change WHERE profile_id = %s ORDER BY at, kind", (profile_id,)
    ).fetchall()


def test_a_new_record_makes_a_profile_and_the_same_again_changes_nothing(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    record = person("Jim@Example.com ", _fname="Jim", phones=["+79000000000"], _bdate="1990-02-22", _sex="male", bonus=5, likes=["cats", "dogs"],
                    seen="2024-05-27T12:00:00Z", vip=True, level="gold", host="10.0.0.1", car={"make": "VAZ", "age": None}, orders=[{"id": 1}], weight=70.5, card="A-1")  # fmt: skip
    [first] = bring(connection, clock, shop, record)
    assert (first.action, first.problem) == ("created", None)
    assert row(connection, shop, first.profile_id, "email", "_fname", "phones", "_bdate", "_sex", "bonus", "likes", "seen", "vip", "level", "host", "car", "orders") == (
        "jim@example.com", "Jim", ["+79000000000"], date(1990, 2, 22), 0, 5, ["cats", "dogs"], datetime(2024, 5, 27, 12, tzinfo=UTC), True, "gold", "10.0.0.1",
        {"make": "VAZ", "age": None}, [{"id": 1}],
    )  # fmt: skip
    identities = connection.execute(
        "SELECT kind, value FROM identity WHERE profile_id = %s ORDER BY 1, 2", (first.profile_id,)
    ).fetchall()
    card, likes = shop.field("card").id, shop.field("likes").id
    assert identities == [
        (1, "jim@example.com"),
        (2, "+79000000000"),
        (6, f"{card}:A-1"),
        (6, f"{likes}:cats"),
        (6, f"{likes}:dogs"),
    ]
    [second] = bring(connection, clock, shop, record)
    assert (second.action, second.profile_id) == ("unchanged", first.profile_id)
    [(kind, old, new)] = changes(connection, first.profile_id)
    assert (kind, old, new["_fname"], new["car"]) == (1, None, "Jim", {"make": "VAZ", "age": None})


def test_only_what_differs_is_written_and_recorded(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    [made] = bring(connection, clock, shop, person("a@b.cd", _fname="Ann", bonus=1))
    [changed] = bring(connection, clock, shop, person("a@b.cd", _fname="Ann", bonus=2, _city="Omsk"), mode="update")
    assert (changed.action, changed.profile_id) == ("updated", made.profile_id)
    assert changes(connection, made.profile_id)[1] == (2, {"bonus": 1, "_city": None}, {"bonus": 2, "_city": "Omsk"})
    assert row(connection, shop, made.profile_id, "_fname", "bonus", "_city") == ("Ann", 2, "Omsk")


def test_modes_create_only_and_update_only(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    [unknown] = bring(connection, clock, shop, person("a@b.cd"), mode="update")
    assert unknown.action == "skipped" and unknown.problem and unknown.problem.code == "profile_unknown"
    [made] = bring(connection, clock, shop, person("a@b.cd", bonus=1), mode="create")
    [known] = bring(connection, clock, shop, person("a@b.cd", bonus=2), mode="create")
    assert (made.action, known.action, known.profile_id) == ("created", "skipped", made.profile_id)
    assert known.problem and known.problem.code == "profile_exists"
    assert row(connection, shop, made.profile_id, "bonus") == (1,)


def test_one_bad_record_stops_no_other_and_order_is_kept(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    outcomes = bring(
        connection,
        clock,
        shop,
        person("a@b.cd"),
        person("nobody"),
        person("b@b.cd", bonus="many"),
        person("c@b.cd", nothing=1),
        person("d@b.cd"),
    )
    assert [o.action for o in outcomes] == ["created", "skipped", "skipped", "skipped", "created"]
    assert [o.problem.code for o in outcomes if o.problem] == ["incorrect_email", "incorrect_number", "unknown_field"]
    assert [o.problem.place for o in outcomes if o.problem] == ["email", "bonus", "nothing"]


def test_records_of_one_person_are_applied_one_after_the_other(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    plus = {"action": "incr", "value": 10}
    outcomes = bring(
        connection,
        clock,
        shop,
        person("a@b.cd", bonus=1),
        person("a@b.cd", bonus=plus),
        person("b@b.cd"),
        person("A@b.cd", bonus=plus, _fname="Ann"),
    )
    assert [o.action for o in outcomes] == ["created", "updated", "created", "updated"]
    assert len({o.profile_id for o in outcomes}) == 2
    assert row(connection, shop, outcomes[0].profile_id, "bonus", "_fname") == (21, "Ann")


def test_two_keys_of_one_profile_in_one_call_do_not_get_lost(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    [made] = bring(
        connection,
        clock,
        shop,
        Record({"email": "a@b.cd"}, {"phones": ["+79000000001"], "bonus": 0}),
        matching="email_phone",
    )
    plus = {"action": "incr", "value": 1}
    records = [
        Record({"email": "a@b.cd"}, {"bonus": plus}),
        Record({"phone": "+79000000001"}, {"bonus": plus}),
        Record({"phone": "+79000000001"}, {"bonus": plus}),
    ]
    outcomes = bring(connection, clock, shop, *records, matching="email_phone")
    assert {o.profile_id for o in outcomes} == {made.profile_id}
    assert row(connection, shop, made.profile_id, "bonus") == (3,)


def test_null_clears_and_absent_leaves(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    [made] = bring(
        connection, clock, shop, person("a@b.cd", _fname="Ann", card="A-1", bonus=3, phones=["+79000000001"])
    )
    bring(
        connection,
        clock,
        shop,
        Record({"email": "a@b.cd"}, {"_fname": None, "card": None, "email": None, "phones": [], "_status": -1}),
    )
    assert row(connection, shop, made.profile_id, "email", "_fname", "card", "bonus", "phones") == (
        "a@b.cd",
        None,
        None,
        3,
        None,
    )
    assert connection.execute("SELECT kind FROM identity WHERE profile_id = %s", (made.profile_id,)).fetchall() == [
        (1,)
    ]


def test_an_email_moves_and_a_taken_one_is_refused(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    [first, second] = bring(connection, clock, shop, person("a@b.cd"), person("b@b.cd"))
    [moved] = bring(connection, clock, shop, Record({"email": "a@b.cd"}, {"email": "new@b.cd"}))
    assert moved.action == "updated"
    [taken, fine] = bring(
        connection, clock, shop, Record({"email": "b@b.cd"}, {"email": "new@b.cd", "bonus": 1}), person("c@b.cd")
    )
    assert (
        taken.action == "skipped" and taken.problem and taken.problem.code == "email_taken" and fine.action == "created"
    )
    assert row(connection, shop, second.profile_id, "email", "bonus") == ("b@b.cd", None)
    [freed] = bring(connection, clock, shop, person("a@b.cd"))
    assert freed.action == "created" and freed.profile_id != first.profile_id


def test_adding_looks_for_nobody_but_refuses_a_second_owner_of_an_address(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    outcomes = bring(
        connection,
        clock,
        shop,
        person("a@b.cd"),
        person("a@b.cd"),
        Record({}, {"_fname": "X"}),
        Record({}, {"_fname": "X"}),
        matching="none",
    )
    assert [o.action for o in outcomes] == ["created", "skipped", "created", "created"]
    assert outcomes[1].problem and outcomes[1].problem.code == "email_taken"


def test_the_placeholder_address_counts_as_none(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    [made] = bring(
        connection, clock, shop, Record({"phone": "+79000000001"}, {"email": "123@localhost"}), matching="phone"
    )
    assert row(connection, shop, made.profile_id, "email") == (None,)
    [refused] = bring(connection, clock, shop, person("123@localhost"))
    assert refused.problem and refused.problem.code == "matching_key_missing"


def test_a_required_field_is_asked_of_new_profiles_only(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    connection.execute("UPDATE profile_field SET required = true WHERE name = 'card'")
    from sojourn.profiles import database

    shop = database(connection, shop.id)
    [refused, made] = bring(connection, clock, shop, person("a@b.cd"), person("b@b.cd", card="B"))
    assert refused.problem and (refused.problem.code, refused.problem.place) == ("required_missing", "card")
    [changed] = bring(connection, clock, shop, person("b@b.cd", bonus=1))
    assert (made.action, changed.action) == ("created", "updated")


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"matching": "email"}, {"email": "A@b.cd"}), ({"matching": "email_profile"}, {"email": "a@b.cd"}), ({"matching": "phone"}, {"phone": "8 (900) 000-00-01"}),
        ({"matching": "email_phone"}, {"phone": "+79000000001"}), ({"matching": "custom", "field_name": "card"}, {"field_value": "A-1"}),
        ({"matching": "custom", "field_name": "likes"}, {"field_value": "dogs, cats"}),
    ],
)  # fmt: skip
def test_profiles_are_found_by_their_own_data(
    connection: Connection, clock: VirtualClock, shop: Database, options: dict[str, Any], keys: dict[str, Any]
) -> None:
    [made, _] = bring(
        connection,
        clock,
        shop,
        person("a@b.cd", phones=["+79000000001"], card="A-1", likes=["cats", "dogs"]),
        person("x@b.cd", likes=["cats"]),
    )
    [found] = bring(connection, clock, shop, Record(keys, {"bonus": 1}), reading=Reading(phone_region="RU"), **options)
    assert (found.action, found.profile_id) == ("updated", made.profile_id)


def test_profiles_are_found_by_their_number_in_both_forms_but_not_made_by_it(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    [made] = bring(connection, clock, shop, person("a@b.cd"))
    assert made.profile_id
    for value in (made.profile_id, public_id(made.profile_id)):
        [found] = bring(connection, clock, shop, Record({"profile_id": value}, {}), matching="profile_id")
        assert (found.action, found.profile_id) == ("unchanged", made.profile_id)
    [unknown, bad] = bring(
        connection,
        clock,
        shop,
        Record({"profile_id": 2**62}, {}),
        Record({"profile_id": "x"}, {}),
        matching="profile_id",
    )
    assert [o.problem.code for o in (unknown, bad) if o.problem] == ["profile_unknown", "bad_profile_id"]


def test_the_key_becomes_data_of_a_new_profile(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    for options, keys in (
        ({"matching": "phone"}, {"phone": "+79000000002"}),
        ({"matching": "custom", "field_name": "card"}, {"field_value": "Z"}),
        ({}, {"email": "z@b.cd"}),
    ):
        [first] = bring(connection, clock, shop, Record(keys, {"bonus": 1}), **options)
        [again] = bring(connection, clock, shop, Record(keys, {"bonus": 1}), **options)
        assert (first.action, again.action, again.profile_id) == ("created", "unchanged", first.profile_id)


def test_of_several_that_match_the_oldest_is_taken_and_told(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    made = bring(connection, clock, shop, *[person(f"{n}@b.cd", phones=["+79000000001"]) for n in range(3)])
    [found] = bring(connection, clock, shop, Record({"phone": "+79000000001"}, {"bonus": 1}), matching="phone")
    assert found.several and found.profile_id == min(o.profile_id for o in made if o.profile_id)


def test_a_matching_that_cannot_work_is_refused_as_a_whole(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    for options, code in (
        ({"matching": "custom", "field_name": "bonus"}, "field_not_matchable"),
        ({"matching": "custom", "field_name": "x"}, "unknown_field"),
        ({"matching": "face"}, "unknown_matching"),
    ):
        with pytest.raises(SojournError) as error:
            bring(connection, clock, shop, person("a@b.cd"), **options)
        assert error.value.code == code


def test_a_field_can_become_a_key_later(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    from sojourn.profiles import database, use_for_matching

    [made] = bring(connection, clock, shop, person("a@b.cd", bonus=77))
    use_for_matching(connection, clock, shop.id, "bonus")
    use_for_matching(connection, clock, shop.id, "bonus")
    [found] = bring(
        connection,
        clock,
        database(connection, shop.id),
        Record({"field_value": "77"}, {}),
        matching="custom",
        field_name="bonus",
    )
    assert found.profile_id == made.profile_id


class Watcher:
    """A hook that writes down what it sees."""

    def __init__(self, database_id: int, source: str) -> None:
        self.database_id, self.source, self.seen = database_id, source, list[list[tuple[int, int]]]()

    def wanted(self, connection: Connection, database_id: int, source: str) -> bool:
        return (database_id, source) == (self.database_id, self.source)

    def consume(self, connection: Connection, at: datetime, database_id: int, source: str) -> None:
        self.seen.append(
            connection.execute("SELECT profile_id, kind FROM change_set ORDER BY profile_id, kind").fetchall()
        )


def test_change_sets_tell_who_is_new_and_who_changed(
    connection: Connection, clock: VirtualClock, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_sets, "_hooks", [])
    watcher = Watcher(shop.id, "api")
    change_sets.register(watcher)
    a, b, _, c = bring(
        connection, clock, shop, person("a@b.cd"), person("b@b.cd"), person("a@b.cd", bonus=1), person("c@b.cd")
    )
    bring(connection, clock, shop, person("a@b.cd", bonus=1), person("b@b.cd", bonus=2))
    bring(connection, clock, shop, person("d@b.cd"), skip_triggers=True)
    bring(connection, clock, shop, person("e@b.cd"), source="file")
    assert watcher.seen == [
        sorted([(a.profile_id, 1), (a.profile_id, 2), (b.profile_id, 1), (c.profile_id, 1)]),
        [(b.profile_id, 2)],
    ]
