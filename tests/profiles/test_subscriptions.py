"""Subscriptions: added and changed by imports, confirmed, left, suspended; which of several contacts is preferred."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock, lane_of
from sojourn.kernel.errors import NotFound
from sojourn.profiles import (
    Database,
    Options,
    Outcome,
    Record,
    Resource,
    Subscription,
    SubscriptionInput,
    confirm,
    database_of,
    import_records,
    of_profile,
    resume_suspended,
    set_global_status,
    set_status,
    subscribe,
    unsubscribe,
)  # fmt: skip
from sojourn.profiles.statuses import (
    CAUSE_MANUAL,
    COMPLAINED,
    EMAIL,
    HARDBOUNCED,
    SMS,
    SUBSCRIBED,
    SUSPENDED,
    UNCONFIRMED,
    UNSUBSCRIBED,
)  # fmt: skip

Connection = psycopg.Connection[Any]


def bring(
    connection: Connection,
    clock: VirtualClock,
    shop: Database,
    *subscriptions: SubscriptionInput,
    email: str = "a@b.cd",
    **options: Any,
) -> Outcome:
    fields = options.pop("fields", {})
    return import_records(
        connection, clock, shop, [Record({"email": email}, fields, subscriptions)], Options(**options)
    )[0]


def only(connection: Connection, outcome: Outcome) -> Subscription:
    assert outcome.profile_id
    [found] = of_profile(connection, outcome.profile_id)
    return found


def history(connection: Connection, profile_id: int | None) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT kind, cause, old ->> 'status', new ->> 'status' FROM change WHERE profile_id = %s AND kind IN (3, 4) ORDER BY at, kind",
        (profile_id,),
    ).fetchall()


def test_a_new_subscription_is_subscribed_and_can_be_found_by(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    made = bring(
        connection,
        clock,
        shop,
        SubscriptionInput(
            news.id, "email", " Sub@B.cd", ip="10.1.1.1", url="https://x.test/", cats=["a"], custom={"device": "web"}
        ),
    )
    found = only(connection, made)
    assert (found.contact, found.status, found.effective, found.priority, found.preferred) == (
        "sub@b.cd",
        SUBSCRIBED,
        SUBSCRIBED,
        0,
        True,
    )
    assert (found.opt_in_ip, found.opt_in_url, found.cats, found.custom, found.opted_in_at) == (
        "10.1.1.1",
        "https://x.test/",
        ["a"],
        {"device": "web"},
        clock.now(),
    )
    assert history(connection, made.profile_id) == [(3, 3, None, "subscribed")]
    for options, keys in (
        ({"matching": "email_sub"}, {"email": "sub@b.cd"}),
        ({"matching": "email"}, {"email": "sub@b.cd"}),
        ({"matching": "email_phone_sub"}, {"email": "sub@b.cd"}),
    ):
        [again] = import_records(connection, clock, shop, [Record(keys)], Options(mode="update", **options))  # type: ignore[arg-type]
        assert again.profile_id == made.profile_id
        [narrow] = import_records(
            connection, clock, shop, [Record(keys)], Options(mode="update", resource_id=news.id + 1, **options)
        )  # type: ignore[arg-type]
        assert narrow.profile_id is None


def test_all_channels_take_their_contacts(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    made = bring(connection, clock, shop, SubscriptionInput(news.id, "email", "a@b.cd"), SubscriptionInput(news.id, SMS, "+79000000001"),
                 SubscriptionInput(news.id, "push", "android-firebase:t1"), SubscriptionInput(news.id, "telegram_bot", 77))  # fmt: skip
    assert made.profile_id and [s.channel for s in of_profile(connection, made.profile_id)] == [1, 2, 3, 4]
    for options, keys in (
        ({"matching": "phone_sub"}, {"phone": "+79000000001"}),
        ({"matching": "phone"}, {"phone": "+79000000001"}),
        ({"matching": "push_sub"}, {"provider": "android-firebase", "subscription_id": "t1"}),
    ):
        [found] = import_records(connection, clock, shop, [Record(keys)], Options(mode="update", **options))  # type: ignore[arg-type]
        assert found.profile_id == made.profile_id
    assert database_of(connection, made.profile_id) == shop.id


def test_the_same_again_changes_nothing_and_minus_one_leaves(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    made = bring(
        connection, clock, shop, SubscriptionInput(news.id, "email", "a@b.cd", status="unconfirmed", priority=3)
    )
    for status, priority in ((None, None), (-1, -1), ("-1", "-1"), (4, 3)):
        again = bring(
            connection, clock, shop, SubscriptionInput(news.id, "email", "a@b.cd", status=status, priority=priority)
        )
        assert again.action == "unchanged"
    assert (only(connection, made).status, only(connection, made).priority) == (UNCONFIRMED, 3)
    zero = bring(connection, clock, shop, SubscriptionInput(news.id, "email", "a@b.cd", status=0, priority=0))
    assert zero.action == "updated"
    assert (only(connection, made).status, only(connection, made).priority) == (SUBSCRIBED, 0)
    assert len(history(connection, made.profile_id)) == 2


def test_an_invalid_subscription_refuses_the_record_or_is_left_out(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    bad = [SubscriptionInput(news.id, "sms", "abc"), SubscriptionInput(99, "email", "a@b.cd"), SubscriptionInput(news.id, "viber", "+79000000001"), SubscriptionInput(news.id, "pigeon", "x"),
           SubscriptionInput(news.id, "email", "a@b.cd", status="maybe"), SubscriptionInput(None, 1, None)]  # fmt: skip
    for item in bad:
        refused = bring(connection, clock, shop, item)
        assert refused.action == "skipped" and refused.problem and refused.problem.place == "subscriptions.0"
    made = bring(
        connection, clock, shop, *bad, SubscriptionInput(news.id, "email", "a@b.cd"), skip_invalid_subscriptions=True
    )
    assert made.action == "created" and len(made.left_out) == len(bad)
    assert only(connection, made).contact == "a@b.cd"


def test_a_resource_of_other_databases_is_refused(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    from sojourn.profiles import create_database, create_resource

    other = create_resource(
        connection, clock, "Other", database_ids=[create_database(connection, clock, "Elsewhere").id]
    )
    refused = bring(connection, clock, shop, SubscriptionInput(other.id, "email", "a@b.cd"))
    assert refused.problem and refused.problem.code == "resource_not_offered"


def preferred(connection: Connection, profile_id: int) -> list[str]:
    return [s.contact for s in of_profile(connection, profile_id) if s.preferred]


def test_of_several_contacts_exactly_one_is_preferred(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    def contact(name: str, status: Any = None, priority: Any = None) -> SubscriptionInput:
        return SubscriptionInput(news.id, "email", f"{name}@b.cd", status=status, priority=priority)

    made = bring(
        connection,
        clock,
        shop,
        contact("one", priority=2),
        contact("two", priority=1),
        contact("three", "unsubscribed", 0),
        contact("four", "unconfirmed", 0),
    )
    assert made.profile_id and preferred(connection, made.profile_id) == ["two@b.cd"]
    bring(connection, clock, shop, contact("two", 1))
    assert preferred(connection, made.profile_id) == ["one@b.cd"]
    bring(connection, clock, shop, contact("one", 2), contact("five", 5, 9))
    assert preferred(connection, made.profile_id) == ["four@b.cd"]
    bring(connection, clock, shop, contact("five", 0))
    assert preferred(connection, made.profile_id) == ["five@b.cd"]
    bring(connection, clock, shop, contact("three", 0))
    assert preferred(connection, made.profile_id) == ["three@b.cd"]


def test_the_global_status_goes_above_all_and_gives_back_what_it_took(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    made = bring(
        connection,
        clock,
        shop,
        SubscriptionInput(news.id, "email", "a@b.cd"),
        SubscriptionInput(news.id, "sms", "+79000000001", status="unconfirmed"),
    )
    assert made.profile_id

    def seen() -> list[tuple[int, int]]:
        assert made.profile_id
        return [(s.status, s.effective) for s in of_profile(connection, made.profile_id)]

    assert set_global_status(connection, clock, shop.id, made.profile_id, UNSUBSCRIBED, cause=CAUSE_MANUAL)
    assert seen() == [(0, UNSUBSCRIBED), (4, UNSUBSCRIBED)]
    assert not set_global_status(connection, clock, shop.id, made.profile_id, UNSUBSCRIBED, cause=CAUSE_MANUAL)
    bring(connection, clock, shop, fields={"_status": "subscribed"})
    assert seen() == [(0, 0), (4, 4)]
    bring(connection, clock, shop, fields={"_status": 3})
    bring(connection, clock, shop, SubscriptionInput(news.id, "email", "new@b.cd"))
    assert seen() == [(0, HARDBOUNCED), (4, HARDBOUNCED), (0, HARDBOUNCED)]
    with pytest.raises(NotFound):
        set_global_status(connection, clock, shop.id, 2**40, UNSUBSCRIBED, cause=CAUSE_MANUAL)


def test_a_new_profile_with_a_forbidding_status_gets_subscriptions_that_obey_it(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    made = bring(
        connection, clock, shop, SubscriptionInput(news.id, "email", "a@b.cd"), fields={"_status": "unsubscribed"}
    )
    assert (only(connection, made).status, only(connection, made).effective) == (SUBSCRIBED, UNSUBSCRIBED)


def test_double_opt_in_confirms_once(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    made = bring(connection, clock, shop, SubscriptionInput(news.id, "email", "a@b.cd", status="unconfirmed"))
    waiting = only(connection, made)
    lane = lane_of(waiting.profile_id)
    moment = clock.advance(timedelta(hours=1))
    assert confirm(connection, clock, lane, waiting.id, ip="10.0.0.7")
    clock.advance(timedelta(hours=1))
    assert not confirm(connection, clock, lane, waiting.id, ip="10.0.0.8")
    found = only(connection, made)
    assert (found.status, found.effective, found.confirmed_at, found.confirm_ip) == (
        SUBSCRIBED,
        SUBSCRIBED,
        moment,
        "10.0.0.7",
    )
    assert history(connection, made.profile_id) == [(3, 3, None, "unconfirmed"), (4, 7, "unconfirmed", "subscribed")]
    with pytest.raises(NotFound):
        confirm(connection, clock, lane, waiting.id + 10_000)


def test_leaving_one_resource_leaves_the_other(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    from sojourn.profiles import create_resource

    sport = create_resource(connection, clock, "Sport")
    made = bring(
        connection,
        clock,
        shop,
        SubscriptionInput(news.id, "email", "a@b.cd"),
        SubscriptionInput(sport.id, "email", "a@b.cd"),
    )
    assert made.profile_id
    first, second = of_profile(connection, made.profile_id)
    lane = lane_of(made.profile_id)
    assert unsubscribe(connection, clock, lane, first.id) and not unsubscribe(connection, clock, lane, first.id)
    assert not confirm(connection, clock, lane, first.id)
    assert [s.status for s in of_profile(connection, made.profile_id)] == [UNSUBSCRIBED, SUBSCRIBED]
    set_status(connection, clock, lane, second.id, COMPLAINED, cause=CAUSE_MANUAL)
    assert not unsubscribe(connection, clock, lane, second.id)


def test_a_suspension_ends_by_itself(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    ends = {"a": 14, "b": 30, "c": None}
    made = {
        name: bring(connection, clock, shop, SubscriptionInput(news.id, "telegram", name), email=f"{name}@b.cd")
        for name in ends
    }
    for name, days in ends.items():
        found = only(connection, made[name])
        until = clock.now() + timedelta(days=days) if days else None
        assert set_status(
            connection, clock, lane_of(found.profile_id), found.id, SUSPENDED, suspended_until=until, cause=CAUSE_MANUAL
        )
    clock.advance(timedelta(days=13))
    assert resume_suspended(connection, clock) == 0
    clock.advance(timedelta(days=1))
    assert resume_suspended(connection, clock) == 1 and resume_suspended(connection, clock) == 0
    assert [(only(connection, o).status, only(connection, o).effective) for o in made.values()] == [
        (0, 0),
        (5, 5),
        (5, 5),
    ]


def test_subscribing_one_profile(connection: Connection, clock: VirtualClock, shop: Database, news: Resource) -> None:
    made = bring(connection, clock, shop)
    assert made.profile_id
    outcome = subscribe(
        connection,
        clock,
        shop,
        made.profile_id,
        SubscriptionInput(news.id, EMAIL, "a@b.cd", status="unconfirmed"),
        cause=CAUSE_MANUAL,
    )
    assert (outcome.action, only(connection, made).status) == ("updated", UNCONFIRMED)
    unknown = subscribe(connection, clock, shop, 2**50, SubscriptionInput(news.id, EMAIL, "a@b.cd"), cause=CAUSE_MANUAL)
    assert unknown.problem and unknown.problem.code == "profile_unknown"
