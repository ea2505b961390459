"""Nothing leaves the house to a contact that stands in a suppression list, whenever it got there."""

from __future__ import annotations

from sojourn.delivery import results
from sojourn.delivery.codes import Reason, State
from sojourn.kernel.tokens import installation_key
from sojourn.profiles.keyed_digest import keyed_digest
from sojourn.profiles.suppression import add_entries, change_list, create_list, list_entries, md5_of


def drive(worker) -> None:
    while worker.step():
        pass


def test_who_is_suppressed_after_planning_gets_nothing_and_the_reason_is_told(world, hire, mail):
    people = [
        world.profile(contact=f"{name}@{domain}")
        for name, domain in (
            ("ada", "a.test"),
            ("bob", "b.test"),
            ("cy", "c.test"),
            ("dan", "d.test"),
            ("eve", "e.test"),
        )
    ]
    passages = world.plan(*people)
    glob = 1
    add_entries(world.connection, world.clock, glob, ["ADA@a.test", "b.test", "*@c.*"])
    world.connection.execute(
        "INSERT INTO suppression_entry (list_id, kind, added_at, reason, digest) VALUES (1, 5, now(), 6, %s)",
        (keyed_digest(installation_key(world.settings.data), "dan@d.test"),),
    )
    drive(hire(smtp_url=mail.url))
    assert [recipient for _, recipient, _ in mail.letters] == ["eve@e.test"]
    rows = [world.message(passage) for passage in passages]
    assert [(row["state"], row["reason"]) for row in rows[:4]] == [(State.NOT_SENT, Reason.SUPPRESSED)] * 4
    assert world.counters() == {1: 1, 2: 4}


def test_a_list_holds_for_the_databases_it_is_linked_with(world, hire, mail):
    own = create_list(world.connection, world.clock, "Competitors")
    add_entries(world.connection, world.clock, own.id, ["x@a.test"])
    world.plan(world.profile(contact="x@a.test"))
    drive(hire(smtp_url=mail.url))
    assert len(mail.letters) == 1
    change_list(world.connection, own.id, name="Competitors", description="", database_ids=[world.database.id])
    world.plan(world.profile(contact="y@a.test"), world.profile(contact="x2@a.test"))
    add_entries(world.connection, world.clock, own.id, ["x2@a.test"])
    drive(hire(smtp_url=mail.url))
    assert [recipient for _, recipient, _ in mail.letters] == ["x@a.test", "y@a.test"]


def test_a_phone_is_suppressed_too(world, hire):
    ada = world.profile()
    [passage] = world.plan(ada, channel=2)
    add_entries(world.connection, world.clock, 1, [f"+1555{ada:07d}"])
    world.connection.execute(
        "INSERT INTO suppression_entry (list_id, kind, added_at, reason, digest, value) VALUES (1, 2, now(), 1, %s, %s) ON CONFLICT DO NOTHING",
        (md5_of(f"+1555{ada:07d}"), f"+1555{ada:07d}"),
    )
    drive(hire())
    assert world.message(passage)["reason"] == Reason.SUPPRESSED


def test_a_dead_address_goes_into_the_global_list(world):
    ada = world.profile()
    lane, subscription = world.connection.execute(
        "SELECT lane, id FROM subscription WHERE profile_id = %s AND channel = 1", (ada,)
    ).fetchone()
    results._mark_bounced(world.connection, world.clock, lane, subscription)
    entries, _ = list_entries(world.connection, 1)
    assert [(entry.kind, entry.value, entry.reason) for entry in entries] == [
        ("email", f"p{ada}@example.com", "hard_bounce")
    ]
    assert world.connection.execute("SELECT status FROM subscription WHERE id = %s", (subscription,)).fetchone() == (3,)
