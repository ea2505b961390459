"""From a planned message to the mail server, and what the ledger says afterwards."""

from __future__ import annotations

import email
import email.policy

import pytest

from sojourn.delivery import sandbox
from sojourn.delivery.codes import Reason, State
from sojourn.kernel.errors import NotFound
from sojourn.profiles import set_global_status, unsubscribe

SENT, SOFT, HARD, UNDELIVERED = 1, 8, 9, 7


def drive(worker) -> None:
    while worker.step():
        pass


def test_a_planned_letter_reaches_the_mail_server_and_the_ledger_knows(world, hire, mail):
    ada = world.profile("Ада", 12)
    [passage] = world.plan(ada)
    drive(hire(smtp_url=mail.url))
    [(sender, recipient, content)] = mail.letters
    assert (sender, recipient) == ("news@shop.test", f"p{ada}@example.com")
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert letter["Subject"] == "Hello Ада"
    assert letter["From"] == "Shop <news@shop.test>"
    assert letter["Message-ID"].startswith(f"<{ada & 63}.{passage}.2@")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Ада has 12 points." in letter.get_body(("html",)).get_content()
    assert "http://sojourn.test/c/" in letter.get_body(("html",)).get_content()
    row = world.message(passage)
    assert (row["state"], row["attempts"], row["template_version"]) == (State.ACCEPTED, 1, 1)
    assert row["handed_at"] == world.clock.now()
    assert row["answer"] == "250 taken"
    assert world.events(passage) == [SENT]
    assert world.counters() == {1: 1}
    assert world.count("dispatch") == world.count("dispatch_claim") == world.count("answer_inbox") == 0


def test_the_event_carries_the_dimensions_of_reports(world, hire, mail):
    [passage] = world.plan(world.profile())
    drive(hire(smtp_url=mail.url))
    row = world.connection.execute(
        "SELECT scenario_id, node_id, template_id, resource_id, channel, hop, occurred_at, recorded_at FROM event WHERE passage_id = %s",
        (passage,),
    ).fetchone()
    now = world.clock.now()
    assert row == (1, 4, world.letter, world.resource.id, 1, 2, now, now)


def test_who_unsubscribes_after_planning_gets_nothing(world, hire, mail):
    ada, ben = world.profile(), world.profile("Ben")
    passages = world.plan(ada, ben)
    world.connection.execute("UPDATE subscription SET status = 0")
    lane, subscription = world.connection.execute(
        "SELECT lane, id FROM subscription WHERE profile_id = %s AND channel = 1", (ada,)
    ).fetchone()
    unsubscribe(world.connection, world.clock, lane, subscription)
    drive(hire(smtp_url=mail.url))
    assert [recipient for _, recipient, _ in mail.letters] == [f"p{ben}@example.com"]
    row = world.message(passages[0])
    assert (row["state"], row["reason"]) == (State.NOT_SENT, Reason.STATUS_FORBIDS)
    assert world.events(passages[0]) == []
    assert world.counters() == {1: 1, 2: 1}


def test_a_global_status_forbids_too(world, hire, mail):
    ada = world.profile()
    [passage] = world.plan(ada)
    set_global_status(world.connection, world.clock, world.database.id, ada, 2, cause=1)
    drive(hire(smtp_url=mail.url))
    assert (mail.letters, world.message(passage)["reason"]) == ([], Reason.STATUS_FORBIDS)


def test_a_deleted_subscription_and_a_deleted_profile_are_told_apart(world, hire, mail):
    ada, ben = world.profile(), world.profile()
    passages = world.plan(ada, ben)
    world.connection.execute("DELETE FROM subscription WHERE profile_id = %s", (ada,))
    world.connection.execute(f"DELETE FROM {world.database.table} WHERE id = %s", (ben,))
    drive(hire(smtp_url=mail.url))
    assert [world.message(passage)["reason"] for passage in passages] == [Reason.NO_SUBSCRIPTION, Reason.PROFILE_GONE]
    assert not mail.letters


def test_a_message_that_was_cancelled_stays_cancelled(world, hire, mail):
    [passage] = world.plan(world.profile())
    world.connection.execute("UPDATE message SET state = 5")
    drive(hire(smtp_url=mail.url))
    assert (mail.letters, world.message(passage)["state"]) == ([], State.CANCELLED)
    assert world.count("dispatch") == world.count("dispatch_claim") == 0


@pytest.mark.parametrize(("flags", "state"), [(0, State.NOT_SENT), (1, State.ACCEPTED)])
def test_only_a_confirmation_letter_reaches_an_unconfirmed_contact(world, hire, mail, flags, state):
    [passage] = world.plan(world.profile(status=4), flags=flags)
    drive(hire(smtp_url=mail.url))
    assert world.message(passage)["state"] == state
    if mail.letters:
        assert b"List-Unsubscribe" not in mail.letters[0][2]


def test_a_passage_that_waits_gets_its_answer_whatever_it_is(world, hire, mail):
    world.plan(world.profile(), world.profile(status=1), flags=2)
    drive(hire(smtp_url=mail.url))
    assert world.count("answer_inbox") == 2


def test_a_letter_that_cannot_be_rendered_is_not_sent_and_says_why(world, hire, mail):
    passages = world.plan(world.profile(points=0), world.profile(points=2))
    world.connection.execute("UPDATE template_version SET subject = '{{ 6 | divided_by: profile.points }}'")
    drive(hire(smtp_url=mail.url))
    bad, good = (world.message(passage) for passage in passages)
    assert (bad["state"], bad["reason"], bad["attempts"]) == (State.NOT_SENT, Reason.RENDER_ERROR, 0)
    assert "subject" in bad["answer"]
    assert good["state"] == State.ACCEPTED


def test_an_address_that_would_smuggle_headers_is_refused(world, hire, mail):
    [passage] = world.plan(world.profile(contact="a@example.com>\r\nRCPT TO:<b@example.com"))
    drive(hire(smtp_url=mail.url))
    assert (mail.letters, world.message(passage)["reason"]) == ([], Reason.RENDER_ERROR)


def test_a_missing_template_is_a_reason(world, hire, mail):
    [passage] = world.plan(world.profile(), template=4711)
    drive(hire(smtp_url=mail.url))
    assert world.message(passage)["reason"] == Reason.NO_TEMPLATE


def test_a_temporary_refusal_is_tried_again_with_growing_pauses_until_its_day_is_over(world, hire, mail):
    mail.script.recipient = lambda address: "450 4.2.2 mailbox busy"
    [passage] = world.plan(world.profile())
    worker = hire(smtp_url=mail.url)
    for number, minutes in enumerate((1, 5, 15, 60, 120, 240, 480, 480), 1):
        drive(worker)
        row = world.message(passage)
        assert (row["state"], row["attempts"], row["answer"]) == (State.PLANNED, number, "450 4.2.2 mailbox busy")
        [due] = world.connection.execute("SELECT not_before - %s FROM dispatch", (world.clock.now(),)).fetchone()
        assert due.total_seconds() == minutes * 60
        world.later(minutes=minutes)
    drive(worker)
    row = world.message(passage)
    assert (row["state"], row["reason"], row["attempts"]) == (State.REJECTED, Reason.LIFETIME_OVER, 9)
    assert world.events(passage) == [SOFT] * 8 + [UNDELIVERED]
    assert world.count("dispatch") == 0


def test_a_letter_goes_out_when_the_second_attempt_is_taken(world, hire, mail):
    mail.script.letter = lambda content: "451 4.3.0 later"
    [passage] = world.plan(world.profile())
    worker = hire(smtp_url=mail.url)
    drive(worker)
    mail.script.letter = lambda content: None
    drive(worker)
    assert not mail.letters
    world.later(minutes=1)
    drive(worker)
    assert world.message(passage)["state"] == State.ACCEPTED
    assert world.message(passage)["attempts"] == 2
    assert list(mail.ids.values()) == [1]


def test_a_recipient_that_does_not_exist_is_a_hard_bounce_and_stops_the_subscription(world, hire, mail):
    ada = world.profile()
    mail.script.recipient = lambda address: "550 5.1.1 user unknown" if address == f"p{ada}@example.com" else None
    passages = world.plan(ada, world.profile())
    drive(hire(smtp_url=mail.url))
    row = world.message(passages[0])
    assert (row["state"], row["reason"], row["answer"]) == (
        State.REJECTED,
        Reason.RECIPIENT_REFUSED,
        "550 5.1.1 user unknown",
    )
    assert world.events(passages[0]) == [HARD]
    statuses = dict(
        world.connection.execute("SELECT profile_id, effective FROM subscription WHERE channel = 1").fetchall()
    )
    assert statuses[ada] == 3
    assert world.message(passages[1])["state"] == State.ACCEPTED


def test_a_refusal_for_policy_says_nothing_about_the_address(world, hire, mail):
    mail.script.letter = lambda content: "554 5.7.1 looks like spam"
    [passage] = world.plan(world.profile())
    drive(hire(smtp_url=mail.url))
    assert (world.message(passage)["state"], world.events(passage)) == (State.REJECTED, [SOFT])
    assert world.connection.execute("SELECT DISTINCT effective FROM subscription").fetchall() == [(0,)]


def test_a_refused_sender_pauses_and_loses_nothing(world, hire, mail):
    mail.script.sender = lambda address: "553 5.7.1 not your address"
    passages = world.plan(*(world.profile() for _ in range(5)))
    drive(hire(smtp_url=mail.url))
    assert {(world.message(p)["state"], world.message(p)["attempts"]) for p in passages} == {(State.PLANNED, 0)}
    assert world.connection.execute("SELECT min(not_before) > %s FROM dispatch", (world.clock.now(),)).fetchone() == (
        True,
    )
    mail.script.sender = lambda address: None
    world.later(minutes=2)
    drive(hire(smtp_url=mail.url))
    assert len(mail.letters) == 5


def test_a_server_that_is_away_pauses_and_loses_nothing(world, hire, mail):
    passages = world.plan(*(world.profile() for _ in range(3)))
    worker = hire(smtp_url="smtp://127.0.0.1:1?starttls=never")
    worker.step()
    assert worker._email.pause() > 0
    assert worker.step() == 0
    assert {(world.message(p)["state"], world.message(p)["attempts"]) for p in passages} == {(State.PLANNED, 0)}
    world.later(minutes=2)
    drive(hire(smtp_url=mail.url))
    assert len(mail.letters) == 3


def test_a_letter_whose_answer_is_lost_is_in_doubt_and_never_offered_again(world, hire, mail):
    mail.script.letter = lambda content: "take and close"
    [passage] = world.plan(world.profile(), flags=2)
    worker = hire(smtp_url=mail.url)
    drive(worker)
    mail.script.letter = lambda content: None
    world.later(hours=30)
    drive(worker)
    assert world.message(passage)["state"] == State.IN_DOUBT
    assert len(mail.letters) == 1
    assert world.count("answer_inbox") == 1
    assert world.counters() == {3: 1}
    from sojourn.delivery import in_doubt

    [held] = in_doubt(world.connection)
    assert (held.passage_id, held.contact) == (passage, mail.letters[0][1])
    assert in_doubt(world.connection, held.key) == []


def test_without_a_mail_server_letters_lie_in_the_sandbox_mailbox(world, hire):
    ada, ben = world.profile("Ада"), world.profile("Ben")
    world.plan(ada, ben)
    drive(hire())
    newest, oldest = sandbox.list_messages(world.connection)
    assert {newest.recipient, oldest.recipient} == {f"p{ada}@example.com", f"p{ben}@example.com"}
    [found] = sandbox.list_messages(world.connection, search=f"p{ada}@")
    message = sandbox.get_message(world.connection, found.id)
    assert (message.subject, message.sender) == ("Hello Ада", "news@shop.test")
    assert "Ада has 7 points.".encode() in message.body_html
    assert "Ада has 7 points." in message.body_text
    assert message.headers["To"] == f"p{ada}@example.com"
    assert message.headers["List-Unsubscribe"].startswith("<http://sojourn.test/u/")
    assert sandbox.list_messages(world.connection, after=oldest.id) == []
    assert sandbox.list_messages(world.connection, search="100%") == []
    assert world.counters() == {1: 2}
    with pytest.raises(NotFound):
        sandbox.get_message(world.connection, 4711)


def test_text_messages_lie_there_too(world, hire):
    ada = world.profile("Ада")
    [passage] = world.plan(ada, channel=2)
    drive(hire())
    [found] = sandbox.list_messages(world.connection, channel=2)
    assert (found.recipient, found.preview, found.subject) == (f"+1555{ada:07d}", "Hi Ада", None)
    assert world.message(passage)["state"] == State.ACCEPTED


def test_a_claim_is_no_larger_than_the_room_and_the_rest_waits(world, hire, mail):
    from sojourn.delivery.claiming import claim
    from sojourn.delivery.codes import Channel

    world.plan_many(640)
    worker = hire(smtp_url=mail.url)
    taken = claim(world.connection, world.clock, worker.worker_id, Channel.EMAIL, 37)
    assert taken.taken == len(taken.messages) == 37
    assert world.connection.execute("SELECT sum(cardinality(passage_ids)) FROM dispatch").fetchone() == (603,)
    assert world.connection.execute("SELECT sum(cardinality(passage_ids)) FROM dispatch_claim").fetchone() == (37,)


def test_urgent_messages_go_first(world, hire, mail):
    ada, ben = world.profile(), world.profile()
    world.plan(ada)
    world.plan(ben)
    world.connection.execute("UPDATE dispatch SET priority = 1 WHERE lane = %s", (ben & 63,))
    drive(hire(smtp_url=mail.url, smtp_connections=1))
    assert [recipient for _, recipient, _ in mail.letters] == [f"p{ben}@example.com", f"p{ada}@example.com"]


def test_several_workers_share_the_work_and_nothing_goes_twice(world, hire, mail):
    world.plan_many(1500)
    workers = [hire(smtp_url=mail.url) for _ in range(3)]
    while any([worker.step() for worker in workers]):
        pass
    assert len(mail.ids) == 1500
    assert set(mail.ids.values()) == {1}
    assert world.connection.execute("SELECT state, count(*) FROM message GROUP BY state").fetchall() == [(2, 1500)]
    assert world.count("event") == 1500


def test_a_worker_that_stops_gives_back_what_it_did_not_offer(world, hire, mail):
    world.plan_many(300)
    worker = hire(smtp_url=mail.url)
    mail.script.letter = lambda content: worker._stop.set()
    worker.step()
    worker.finish()
    sent = world.connection.execute("SELECT count(*) FROM message WHERE state = 2").fetchone()[0]
    assert 0 < sent < 200
    assert len(mail.letters) == sent
    assert world.connection.execute("SELECT sum(cardinality(passage_ids)) FROM dispatch").fetchone() == (300 - sent,)
    assert world.count("hand_over_worker") == world.count("dispatch_claim") == 0
    assert not list((world.settings.data / "journal").iterdir())
