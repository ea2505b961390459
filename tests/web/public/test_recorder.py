"""The recorder writes in batches and loses nothing while it lives."""

import threading
import time

import psycopg
import pytest

from sojourn.delivery.receipts import Receipt
from sojourn.events import EventKind
from sojourn.web.public import Recorder
from sojourn.web.public import recorder as module
from tests.web.public.conftest import HOP, LANE, PASSAGE


@pytest.fixture
def recorder(database_url, clock, letter):
    recorder = Recorder(database_url, clock)
    yield recorder
    recorder.stop()


def opening(clock):
    return Receipt(EventKind.OPENED, LANE, PASSAGE, HOP, clock.now())


def count(connection):
    return connection.execute("SELECT count(*) FROM event").fetchone()[0]


def test_what_comes_together_is_written_together(recorder, connection, clock, monkeypatch):
    batches = []
    write = module.record_receipts
    monkeypatch.setattr(
        module, "record_receipts", lambda c, k, receipts: (batches.append(len(receipts)), write(c, k, receipts))
    )
    recorder.start()
    for future in [recorder.record(opening(clock)) for _ in range(200)]:
        future.result(5)
    assert count(connection) == 200 and len(batches) <= 3


def test_stopping_writes_what_waits(recorder, connection, clock):
    for _ in range(50):
        recorder.record(opening(clock))
    recorder.start()
    recorder.stop()
    assert count(connection) == 50


def test_receipts_wait_while_the_database_is_away(recorder, connection, clock, monkeypatch):
    away = threading.Event()
    away.set()
    write = module.record_receipts

    def moody(c, k, receipts):
        if away.is_set():
            c.close()
            raise psycopg.OperationalError("the server is away")
        return write(c, k, receipts)

    monkeypatch.setattr(module, "record_receipts", moody)
    recorder.start()
    future = recorder.record(opening(clock))
    time.sleep(0.3)
    assert not future.done()
    away.clear()
    future.result(5)
    assert count(connection) == 1


def test_a_receipt_that_cannot_be_written_takes_no_others_with_it(recorder, connection, clock):
    bad = recorder.record(Receipt(EventKind.CLICKED, LANE, PASSAGE, HOP, clock.now(), {"url": "\x00"}))
    good = recorder.record(opening(clock))
    recorder.start()
    good.result(5)
    with pytest.raises(psycopg.Error):
        bad.result(5)
    assert count(connection) == 1
