"""Profiles of one person become one, come apart again, and are split."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import psycopg
import pytest

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import VirtualClock, lane_of, public_id
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.profiles import (
    Database,
    Options,
    Record,
    Resource,
    SubscriptionInput,
    delete_profile,
    get_profile,
    import_records,
    of_profile,
    set_global_status,
    set_status,
    unsubscribe,
)
from sojourn.profiles.aliases import current_profile, current_subscription
from sojourn.profiles.history import history
from sojourn.profiles.merging import merge, merged_into, preview_merge, undo_merge
from sojourn.profiles.relations import Property, create_type, list_relations, modify, relate, unrelate
from sojourn.profiles.splitting import split_off
from sojourn.profiles.statuses import EMAIL, SMS, STATUS_NUMBERS, SUBSCRIBED, UNSUBSCRIBED
from sojourn.scenarios import Catalogue
from sojourn.segments.history_source import memberships_of
from sojourn.segments.membership import add_members
from sojourn.segments.store import SegmentDraft, create_segment
from tests.profiles.test_concurrency import together

Connection = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def rooms() -> None:
    connect_rooms()


class People:
    """Makes profiles, and tells what is known of them."""

    def __init__(self, connection: Connection, clock: VirtualClock, shop: Database, news: Resource) -> None:
        self.connection, self.clock, self.shop, self.news = connection, clock, shop, news

    def make(
        self, email: str | None = None, *, letters: str | None = None, status: str = "subscribed", **fields: Any
    ) -> int:
        subscriptions = [SubscriptionInput(self.news.id, "email", letters, status)] if letters else []
        given = fields | ({"email": email} if email else {})
        options = Options(matching="none")
        outcome = import_records(self.connection, self.clock, self.shop, [Record({}, given, subscriptions)], options)[0]
        assert outcome.profile_id, outcome
        return outcome.profile_id

    def merge(self, survivor: int, merged: int, **choices: Any) -> None:
        merge(self.connection, self.clock, self.shop, survivor, merged, choices, cause=1)

    def get(self, profile_id: int) -> dict[str, Any]:
        return get_profile(self.connection, self.shop, profile_id)

    def contacts(self, profile_id: int) -> list[tuple[str, int]]:
        return [(one.contact, one.status) for one in of_profile(self.connection, profile_id)]

    def check(self) -> None:
        """Identities are those of fields and subscriptions; one contact of each kind is preferred."""
        wanted: set[tuple[int, int, str]] = set()
        for number, email, phones, card, likes in self.connection.execute(
            f"SELECT id, email, phones, {self.column('card')}, {self.column('likes')} FROM {self.shop.table}"
        ).fetchall():
            wanted |= {(number, 1, email)} if email else set()
            wanted |= {(number, 2, phone) for phone in phones or []}
            wanted |= {(number, 6, f"{self.shop.field('card').id}:{card}")} if card else set()
            wanted |= {(number, 6, f"{self.shop.field('likes').id}:{one}") for one in likes or []}
        preferred: Counter[tuple[int, int, int]] = Counter()
        for number, channel, contact, chosen, resource in self.connection.execute(
            "SELECT profile_id, channel, contact, preferred, resource_id FROM subscription"
        ).fetchall():
            wanted.add((number, {EMAIL: 3, SMS: 4}[channel], contact))
            preferred[number, resource, channel] += chosen
        found = self.connection.execute("SELECT profile_id, kind, value FROM identity").fetchall()
        assert sorted(found) == sorted(wanted)
        assert set(preferred.values()) <= {1}
        assert self.connection.execute(
            "SELECT count(*) FROM subscription WHERE lane <> profile_id & 63"
        ).fetchone() == (0,)

    def column(self, name: str) -> str:
        return f'"{self.shop.field(name).column}"'


@pytest.fixture
def people(connection: Connection, clock: VirtualClock, shop: Database, news: Resource) -> People:
    return People(connection, clock, shop, news)


def test_the_survivor_keeps_its_values_and_gets_what_it_lacks(people: People) -> None:
    one = people.make("ann@a.test", _fname="Ann", likes=["jazz"], bonus=1, phones=["+12015550100"])
    two = people.make(
        "anne@b.test", _fname="Anne", _lname="Lee", likes=["rock", "jazz"], bonus=7, phones=["+12015550101"]
    )
    seen = preview_merge(people.connection, people.shop, one, two)
    assert [(d.field.name, d.settled) for d in seen.differences] == [
        ("email", "ann@a.test"), ("phones", ["+12015550100", "+12015550101"]), ("_fname", "Ann"), ("_lname", "Lee"), ("bonus", 1),
        ("likes", ["jazz", "rock"]),
    ]  # fmt: skip
    people.merge(one, two, bonus="merged", email="merged")
    found = people.get(one)
    assert (found["email"], found["_fname"], found["_lname"], found["bonus"], found["likes"]) == (
        "anne@b.test", "Ann", "Lee", 7, ["jazz", "rock"],
    )  # fmt: skip
    people.check()
    assert current_profile(people.connection, two) == one
    again = import_records(
        people.connection, people.clock, people.shop, [Record({"profile_id": public_id(two)}, {"bonus": 9})], Options(mode="update", matching="profile_id")
    )[0]  # fmt: skip
    assert (again.profile_id, people.get(one)["bonus"]) == (one, 9)


def test_a_refusal_holds_whichever_profile_it_stood_with(people: People) -> None:
    one = people.make("ann@a.test", letters="same@a.test")
    two = people.make("anne@b.test", letters="same@a.test", status="unsubscribed", _status="complained")
    people.merge(one, two)
    [kept] = of_profile(people.connection, one)
    assert (kept.status, kept.effective) == (UNSUBSCRIBED, STATUS_NUMBERS["complained"])
    people.check()


def test_links_of_letters_that_went_to_the_merged_profile_still_lead_somewhere(people: People) -> None:
    one = people.make("ann@a.test", letters="same@a.test")
    two = people.make("anne@b.test", letters="same@a.test")
    moved = people.make("ann3@a.test", letters="own@a.test")
    [joined], [own], [kept] = (of_profile(people.connection, number) for number in (two, moved, one))
    people.merge(one, two)
    people.merge(one, moved)
    assert current_subscription(people.connection, lane_of(two), joined.id) == (one, kept.id)
    assert current_subscription(people.connection, lane_of(moved), own.id) == (one, own.id)


def test_a_refusal_by_an_old_link_holds_through_chains_of_merges_and_their_undoing(people: People) -> None:
    connection, clock = people.connection, people.clock
    one, two, three = (people.make(f"{name}@a.test", letters="same@a.test") for name in ("a", "b", "c"))
    [first], [second], [third] = (of_profile(connection, number) for number in (one, two, three))
    people.merge(two, one)
    people.merge(three, two)
    assert current_subscription(connection, lane_of(one), first.id) == (three, third.id)
    assert unsubscribe(connection, clock, lane_of(one), first.id)
    assert people.contacts(three) == [("same@a.test", UNSUBSCRIBED)]
    undo_merge(connection, clock, people.shop, two, cause=1)
    assert people.contacts(two) == [("same@a.test", UNSUBSCRIBED)]
    assert current_subscription(connection, lane_of(two), second.id) == (two, second.id)
    new = split_off(connection, clock, people.shop, three, subscriptions=[third.id], cause=1)
    assert current_subscription(connection, lane_of(three), third.id) == (new, third.id)
    people.check()


def test_no_choice_takes_a_refusal_away(people: People) -> None:
    one, two = people.make("ann@a.test"), people.make("anne@b.test", _status="unsubscribed", _no_tracking=True)
    people.merge(one, two, _status="survivor", _no_tracking="survivor")
    assert (people.get(one)["_status"], people.get(one)["_no_tracking"]) == ("unsubscribed", True)
    set_global_status(people.connection, people.clock, people.shop.id, one, STATUS_NUMBERS["complained"], cause=7)
    undo_merge(people.connection, people.clock, people.shop, two, cause=1)
    assert [people.get(number)["_status"] for number in (one, two)] == ["complained", "complained"]
    assert [people.get(number)["_no_tracking"] for number in (one, two)] == [True, True]


def test_contacts_that_are_moved_to_another_profile_take_a_global_refusal_along(people: People) -> None:
    one = people.make("ann@a.test", letters="bob@b.test", _status="unsubscribed")
    two = people.make("bob@c.test")
    [letters] = of_profile(people.connection, one)
    split_off(people.connection, people.clock, people.shop, one, subscriptions=[letters.id], into=two, cause=1)
    assert people.contacts(two) == [("bob@b.test", UNSUBSCRIBED)]
    assert "_status" not in people.get(two)


def test_a_deleted_survivor_takes_those_with_it_that_were_merged_into_it(people: People) -> None:
    one, two = people.make("ann@a.test"), people.make("anne@b.test")
    people.merge(one, two)
    delete_profile(people.connection, people.clock, people.shop, one, cause=1)
    assert people.connection.execute("SELECT count(*) FROM profile_alias").fetchone() == (0,)
    assert people.connection.execute("SELECT DISTINCT kind FROM change").fetchall() == [(5,)]


def test_a_profile_is_found_by_a_subscription_of_another_channel(people: People) -> None:
    given = SubscriptionInput(people.news.id, "telegram", "4711")
    [made] = import_records(
        people.connection, people.clock, people.shop, [Record({}, {"bonus": 1}, [given])], Options(matching="none")
    )
    options = Options(mode="update", matching="custom_sub", field_name="telegram")
    record = Record({"field_value": " 4711 "}, {"bonus": 2})
    [found] = import_records(people.connection, people.clock, people.shop, [record], options)
    assert (found.profile_id, found.action) == (made.profile_id, "updated")
    with pytest.raises(SojournError, match="channel"):
        import_records(people.connection, people.clock, people.shop, [record], Options(matching="custom_sub"))


def test_imports_beside_merges_lose_nothing_and_make_nobody_twice(
    people: People, database_url: str, clock: VirtualClock, shop: Database
) -> None:
    pairs = [
        (
            people.make(f"a{number}@a.test", letters=f"l{number}@a.test", bonus=0),
            people.make(f"b{number}@a.test", bonus=0),
        )
        for number in range(20)
    ]
    plus = {"action": "incr", "value": 1}

    def work(mine: Connection, number: int) -> None:
        if number == 0:
            for one, two in pairs:
                merge(mine, clock, shop, one, two, cause=1)
        elif number == 1:
            for one, two in reversed(pairs):
                subscription = of_profile(mine, one)[0]
                assert unsubscribe(mine, clock, lane_of(one), subscription.id)
                assert current_profile(mine, two) in (one, two)
        else:
            keys = [public_id(two) for pair in pairs for two in pair]
            for _ in range(5):
                records = [Record({"profile_id": key}, {"bonus": plus}) for key in keys]
                options = Options(mode="update", matching="profile_id")
                assert {o.action for o in import_records(mine, clock, shop, records, options)} == {"updated"}

    together(database_url, 4, work)
    assert [people.contacts(one) for one, _ in pairs] == [[(f"l{number}@a.test", UNSUBSCRIBED)] for number in range(20)]
    assert people.connection.execute(f"SELECT count(*) FROM {shop.table}").fetchone() == (20,)
    people.check()


def test_an_undone_merge_gives_back_what_was_and_keeps_refusals_made_since(people: People) -> None:
    one = people.make("ann@a.test", letters="same@a.test", _fname="Ann")
    two = people.make("anne@b.test", letters="same@a.test", _lname="Lee", phones=["+12015550101"])
    people.merge(one, two)
    [kept] = of_profile(people.connection, one)
    set_status(people.connection, people.clock, lane_of(one), kept.id, UNSUBSCRIBED, cause=7)
    assert [(m.profile_id, m.undoable) for m in merged_into(people.connection, one)] == [(two, True)]
    assert undo_merge(people.connection, people.clock, people.shop, two, cause=1) == one
    assert "_lname" not in people.get(one) and "phones" not in people.get(one)
    assert (people.get(two)["email"], people.get(two)["_lname"]) == ("anne@b.test", "Lee")
    assert people.contacts(one) == people.contacts(two) == [("same@a.test", UNSUBSCRIBED)]
    people.check()
    with pytest.raises(SojournError, match="not merged"):
        undo_merge(people.connection, people.clock, people.shop, two, cause=1)


def test_what_was_changed_since_the_merge_stays_at_its_undoing(people: People) -> None:
    one, two = people.make("ann@a.test"), people.make("anne@b.test", _lname="Lee", bonus=3)
    people.merge(one, two)
    record = Record({"profile_id": one}, {"bonus": 4})
    import_records(
        people.connection, people.clock, people.shop, [record], Options(mode="update", matching="profile_id")
    )
    undo_merge(people.connection, people.clock, people.shop, two, cause=1)
    assert people.get(one)["bonus"] == 4 and "_lname" not in people.get(one)


def test_an_undoing_that_would_take_somebody_elses_address_is_refused_whole(people: People) -> None:
    one, two = people.make("ann@a.test"), people.make("anne@b.test")
    people.merge(one, two)
    people.make("anne@b.test")
    with pytest.raises(Conflict, match="e-mail"):
        undo_merge(people.connection, people.clock, people.shop, two, cause=1)
    assert current_profile(people.connection, two) == one
    people.check()


def test_static_segments_and_relations_come_along_and_go_back(people: People) -> None:
    connection, clock = people.connection, people.clock
    one, two, friend = people.make("ann@a.test"), people.make("anne@b.test"), people.make("bob@c.test")
    segment = create_segment(
        connection, clock, people.shop.id, "static", SegmentDraft(name="Friends"), Catalogue(connection)
    )
    add_members(connection, clock, segment.id, [two], cause=1)
    kind = create_type(
        connection, clock, "Gave to", people.shop.id, people.shop.id, [Property("times", "Times", "number")]
    )
    relate(connection, clock, kind, two, friend, {"times": 2})
    relate(connection, clock, kind, one, two, {"times": 1})
    people.merge(one, two)
    assert [row[0] for row in memberships_of(connection, lane_of(one), one)] == [segment.id]
    assert [(r.other, r.weights, r.direction) for r in list_relations(connection, one)] == [
        (friend, {"times": 2}, "from")
    ]
    undo_merge(connection, clock, people.shop, two, cause=1)
    assert memberships_of(connection, lane_of(one), one) == []
    assert [row[0] for row in memberships_of(connection, lane_of(two), two)] == [segment.id]
    assert {r.other for r in list_relations(connection, two)} == {friend, one}
    assert {r.other for r in list_relations(connection, one)} == {two}


def test_the_history_of_the_survivor_tells_of_both(people: People) -> None:
    one, two = people.make("ann@a.test"), people.make("anne@b.test", _lname="Lee")
    people.merge(one, two)
    told = history(people.connection, people.shop, one).happenings
    assert sorted(one.kind for one in told) == ["created", "created", "merged"]
    merged = next(one for one in told if one.kind == "merged")
    assert merged.detail["profile"] == public_id(two) and merged.detail["fields"]["_lname"]["new"] == "Lee"


def test_contacts_fields_and_phones_are_split_off(people: People) -> None:
    one = people.make(
        "ann@a.test", letters="bob@b.test", card="77", phones=["+12015550100", "+12015550101"], _status="unsubscribed"
    )
    [letters] = of_profile(people.connection, one)
    new = split_off(
        people.connection, people.clock, people.shop, one, fields=["card"], phones=["+12015550101"], subscriptions=[letters.id], cause=1
    )  # fmt: skip
    found = people.get(new)
    assert (found["card"], found["phones"], found["_status"]) == ("77", ["+12015550101"], "unsubscribed")
    assert people.get(one)["phones"] == ["+12015550100"] and "card" not in people.get(one)
    assert people.contacts(new) == [("bob@b.test", SUBSCRIBED)] and people.contacts(one) == []
    people.check()
    for wrong in (
        {},
        {"fields": ["none"]},
        {"phones": ["+1"]},
        {"subscriptions": [99]},
        {"fields": ["card"], "into": one},
    ):
        with pytest.raises(SojournError):
            split_off(people.connection, people.clock, people.shop, one, **wrong, cause=1)
    people.check()


def test_weights_are_added_replaced_and_checked(people: People) -> None:
    connection, clock = people.connection, people.clock
    one, two = people.make("ann@a.test"), people.make("anne@b.test")
    properties = [Property("times", "Times", "number"), Property("close", "Close", "boolean")]
    kind = create_type(connection, clock, "Knows", people.shop.id, people.shop.id, properties)
    assert modify(connection, clock, kind, one, two, {"times": 2, "close": True}) == {"times": 2, "close": True}
    assert modify(connection, clock, kind, one, two, {"times": -5}) == {"times": -3, "close": True}
    assert relate(connection, clock, kind, one, two, {"times": 1}) == {"times": 1}
    for wrong in ({"times": "3"}, {"times": True}, {"close": 1}, {"none": 1}, {"times": float("inf")}):
        with pytest.raises(SojournError):
            relate(connection, clock, kind, one, two, wrong)
    with pytest.raises(SojournError, match="itself"):
        relate(connection, clock, kind, one, one)
    assert unrelate(connection, kind, one, two) and not unrelate(connection, kind, one, two)


@pytest.mark.parametrize("seed", range(6))
def test_random_merges_and_splits_keep_every_rule(people: People, seed: int) -> None:
    chance = random.Random(seed)
    names = [f"p{number}@x.test" for number in range(6)]
    refused: set[str] = set()
    alive: set[int] = set()
    gone: set[int] = set()
    for number in range(8):
        contact, status = chance.choice(names), chance.choice(["subscribed", "unsubscribed", "unconfirmed"])
        if status == "unsubscribed":
            refused.add(contact)
        fields = {
            "phones": [f"+1201555010{number % 4}"],
            "likes": chance.sample(["a", "b", "c"], 2),
            "card": str(number % 3),
        }
        alive.add(people.make(f"own{number}@x.test", letters=contact, status=status, **fields))
    for _ in range(40):
        step = chance.random()
        try:
            if step < 0.5 and len(alive) > 1:
                survivor, merged = chance.sample(sorted(alive), 2)
                people.merge(
                    survivor,
                    merged,
                    card=chance.choice(["survivor", "merged"]),
                    email=chance.choice(["survivor", "merged"]),
                )
                alive.remove(merged)
                gone.add(merged)
            elif step < 0.75 and gone:
                back = chance.choice(sorted(gone))
                undo_merge(people.connection, people.clock, people.shop, back, cause=1)
                gone.remove(back)
                alive.add(back)
            else:
                whom = chance.choice(sorted(alive))
                own = [one.id for one in of_profile(people.connection, whom)]
                alive.add(
                    split_off(
                        people.connection,
                        people.clock,
                        people.shop,
                        whom,
                        fields=["card"],
                        subscriptions=own[:1],
                        cause=1,
                    )
                )
        except Conflict as conflict:
            assert conflict.code in ("cannot_undo", "email_taken")
        people.check()
        statuses: dict[str, set[int]] = {}
        for number in alive:
            for contact, held in people.contacts(number):
                statuses.setdefault(contact, set()).add(held)
        assert all(UNSUBSCRIBED in statuses[contact] for contact in refused)
        for number in gone:
            assert current_profile(people.connection, number) in alive
    emails = people.connection.execute(
        f"SELECT count(*), count(DISTINCT email) FROM {people.shop.table} WHERE email IS NOT NULL"
    )
    [(addresses, owners)] = emails.fetchall()
    assert addresses == owners
