"""Receipts of messages: first moments in the ledger, every one in the log."""

import threading
from datetime import timedelta

import pytest

from sojourn.delivery.receipts import Receipt, record_receipts
from sojourn.events import EventKind
from sojourn.kernel.database import connect


@pytest.fixture
def messages(connection, clock):
    for passage in range(1, 41):
        connection.execute(
            """INSERT INTO message (passage_id, profile_id, created_at, scenario_id, template_id, template_version, node_id, hop, resource_id, lane, channel, state)
               VALUES (%s, 64, %s, 3, 5, 1, 4, 1, 6, 0, 1, 2)""",
            (passage, clock.now()),
        )


def moments(connection, passage=1):
    return connection.execute(
        "SELECT delivered_at, opened_at, clicked_at FROM message WHERE lane = 0 AND passage_id = %s", (passage,)
    ).fetchone()


def logged(connection):
    return connection.execute("SELECT kind, data FROM event ORDER BY id").fetchall()


def test_the_first_opening_counts_and_all_are_logged(connection, clock, messages):
    at = clock.now()
    record_receipts(
        connection,
        clock,
        [Receipt(EventKind.OPENED, 0, 1, 1, at + timedelta(hours=1)), Receipt(EventKind.OPENED, 0, 1, 1, at)],
    )
    record_receipts(connection, clock, [Receipt(EventKind.OPENED, 0, 1, 1, at + timedelta(days=1))])
    assert moments(connection) == (None, at, None)
    assert logged(connection) == [(3, None)] * 3
    assert connection.execute(
        "SELECT DISTINCT profile_id, scenario_id, node_id, template_id, resource_id, channel FROM event"
    ).fetchall() == [(64, 3, 4, 5, 6, 1)]


def test_a_click_implies_an_opening_once(connection, clock, messages):
    click = Receipt(EventKind.CLICKED, 0, 1, 1, clock.now(), {"link": 2})
    assert record_receipts(connection, clock, [click]) == 1
    record_receipts(connection, clock, [click])
    assert moments(connection) == (None, clock.now(), clock.now())
    assert logged(connection) == [(3, {"implied": True}), (4, {"link": 2}), (4, {"link": 2})]


def test_a_click_and_an_opening_that_come_together_are_two_events(connection, clock, messages):
    record_receipts(
        connection,
        clock,
        [Receipt(EventKind.CLICKED, 0, 1, 1, clock.now()), Receipt(EventKind.OPENED, 0, 1, 1, clock.now())],
    )
    assert sorted(kind for kind, _ in logged(connection)) == [3, 4]


def test_a_late_report_of_an_earlier_delivery_corrects_the_moment(connection, clock, messages):
    at = clock.now()
    record_receipts(connection, clock, [Receipt(EventKind.DELIVERED, 0, 1, 1, at)])
    record_receipts(connection, clock, [Receipt(EventKind.DELIVERED, 0, 1, 1, at - timedelta(minutes=5))])
    assert moments(connection)[0] == at - timedelta(minutes=5)


def test_receipts_of_unknown_messages_are_dropped(connection, clock, messages):
    assert (
        record_receipts(
            connection,
            clock,
            [Receipt(EventKind.OPENED, 0, 999, 1, clock.now()), Receipt(EventKind.OPENED, 0, 2, 1, clock.now())],
        )
        == 1
    )
    assert record_receipts(connection, clock, []) == 0


def test_recorders_with_the_same_messages_do_not_deadlock(connection, database_url, clock, messages):
    failures = []

    def record(order):
        try:
            with connect(database_url, "test") as own:
                for _ in range(10):
                    record_receipts(
                        own, clock, [Receipt(EventKind.CLICKED, 0, passage, 1, clock.now()) for passage in order]
                    )
        except Exception as error:
            failures.append(error)

    threads = [
        threading.Thread(target=record, args=(order,)) for order in (range(1, 41), range(40, 0, -1), range(1, 41))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert connection.execute(
        "SELECT count(*) FILTER (WHERE kind = 4), count(*) FILTER (WHERE kind = 3) FROM event"
    ).fetchone() == (1200, 40)
