"""Workers that are killed at random moments, and databases that go away: no letter twice, none lost, doubts listed and few."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from sojourn.delivery import in_doubt
from sojourn.delivery.codes import State
from sojourn.kernel.database import connect
from tests.delivery.test_hand_over import drive

PROGRAM = """
import sys, threading, signal
from sojourn.kernel import Settings, SystemClock
from sojourn.delivery.worker import run_worker
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
home, database, smtp = sys.argv[1:]
run_worker(Settings(home=home, database_url=database, smtp_url=smtp, smtp_connections=2), SystemClock(), stop)
"""
CONNECTIONS = 2


class Workers:
    def __init__(self, settings, mail) -> None:
        self._arguments = [sys.executable, "-c", PROGRAM, str(settings.data), settings.database_url, mail.url]
        self.running: list[subprocess.Popen] = []

    def start(self) -> subprocess.Popen:
        process = subprocess.Popen(self._arguments)
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self.running.remove(process)


@pytest.fixture
def workers(settings, mail):
    workers = Workers(settings, mail)
    yield workers
    for process in workers.running:
        process.kill()
        process.wait(10)


def wait_for(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_workers_send_nothing_twice_and_lose_nothing(world, workers, mail, seed):
    chance, kills, count = random.Random(seed), 4, 2000
    in_hand: list[int] = []
    world.plan_many(count)
    for _ in range(kills):
        process = workers.start()
        wanted = len(mail.letters) + chance.randrange(1, count // (kills + 1))
        wait_for(lambda wanted=wanted: len(mail.letters) >= wanted)
        workers.kill(process)
        in_hand.append(world.connection.execute("SELECT count(*) FROM message WHERE state = 1").fetchone()[0])
    workers.start()
    left = "SELECT count(*) FROM message WHERE state IN (0, 1)"
    wait_for(lambda: world.connection.execute(left).fetchone() == (0,))
    stopped = workers.running[0]
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(30) == 0

    assert max(mail.ids.values()) == 1, "a letter went twice"
    states = {
        f"{lane}.{passage}.{hop}": state
        for lane, passage, hop, state in world.connection.execute("SELECT lane, passage_id, hop, state FROM message")
    }
    accepted = {key for key, state in states.items() if state == State.ACCEPTED}
    doubtful = {f"{d.lane}.{d.passage_id}.{d.hop}" for d in in_doubt(world.connection, limit=1000)}
    assert accepted | doubtful == states.keys(), "a message has neither arrived nor is it in doubt"
    assert accepted <= mail.ids.keys(), "the ledger says sent, the mail server never saw it"
    assert mail.ids.keys() <= accepted | doubtful
    assert len(doubtful) <= kills * CONNECTIONS
    assert any(in_hand), "no kill struck a worker with letters in its hands: the test has shown nothing"
    events = world.connection.execute(
        "SELECT count(*), count(DISTINCT passage_id) FROM event WHERE kind = 1"
    ).fetchone()
    assert events == (len(accepted), len(accepted))
    assert world.count("dispatch") == world.count("dispatch_claim") == world.count("hand_over_worker") == 0
    assert not list((world.settings.data / "journal").iterdir())


def test_a_running_worker_survives_the_loss_of_its_connections(world, workers, mail):
    chance = random.Random(3)
    world.plan_many(1000)
    process = workers.start()
    for _ in range(3):
        wanted = len(mail.letters) + chance.randrange(1, 200)
        wait_for(lambda wanted=wanted: len(mail.letters) >= wanted)
        world.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sojourn worker'"
        )
    wait_for(lambda: world.connection.execute("SELECT count(*) FROM message WHERE state IN (0, 1)").fetchone() == (0,))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert len(mail.ids) == 1000
    assert set(mail.ids.values()) == {1}
    assert in_doubt(world.connection) == []
    assert world.connection.execute("SELECT count(*) FROM event WHERE kind = 1").fetchone() == (1000,)
    assert world.count("dispatch") == world.count("dispatch_claim") == world.count("hand_over_worker") == 0


def test_a_worker_outlives_its_database_connection(world, hire, mail, database_url):
    """The connection dies in the middle of a batch; the letters in hand go on, and are recorded on the next connection."""
    world.plan_many(200)
    worker = hire(smtp_url=mail.url)
    cut = []

    def cut_once(content: bytes) -> None:
        if len(mail.letters) == 50 and not cut:
            cut.append(1)
            with connect(database_url, "test") as other:
                other.execute("SELECT pg_terminate_backend(%s)", (worker._connection.info.backend_pid,))

    mail.script.letter = cut_once
    with pytest.raises(psycopg.OperationalError):
        drive(worker)
    sent = len(mail.letters)
    assert sent > 50
    rescuer = hire(smtp_url=mail.url)
    rescuer.recover()  # it sees a free lock, but the journal is locked: the worker lives
    assert world.count("hand_over_worker") == 2
    with connect(database_url, "worker") as connection:
        worker.reconnect(connection)
        drive(worker)
        assert len(mail.letters) == 200
        assert set(mail.ids.values()) == {1}
        assert world.connection.execute("SELECT state, count(*) FROM message GROUP BY state").fetchall() == [(2, 200)]
        assert world.count("event") == 200
        worker.finish()


def test_a_claim_whose_commit_was_never_confirmed_is_given_back(world, hire, mail, database_url):
    from sojourn.delivery.claiming import claim
    from sojourn.delivery.codes import Channel

    world.plan_many(30)
    worker = hire(smtp_url=mail.url)
    claim(world.connection, world.clock, worker.worker_id, Channel.EMAIL, 10)  # the worker itself never learned of it
    with connect(database_url, "worker") as connection:
        worker._connection.close()
        worker.reconnect(connection)
        drive(worker)
    assert len(mail.ids) == 30


def dead(worker) -> Path:
    """The worker dies: its locks fall, its journal stays."""
    import fcntl

    worker._connection.close()
    journal = worker._registration.journal
    fcntl.flock(journal._file, fcntl.LOCK_UN)
    return journal.path


def take(worker, world, count: int = 4) -> list:
    from sojourn.delivery.claiming import claim
    from sojourn.delivery.codes import Channel

    return [m.key for m in claim(worker._connection, world.clock, worker.worker_id, Channel.EMAIL, count).messages]


def states(world) -> dict[int, int]:
    return dict(world.connection.execute("SELECT passage_id, state FROM message").fetchall())


def test_the_journal_of_a_dead_worker_tells_what_happened(world, hire, mail):
    from sojourn.channels.transport import Verdict

    passages = world.plan(*(world.profile() for _ in range(4)), flags=2)
    worker = hire(smtp_url=mail.url)
    keys = {key.passage_id: key for key in take(worker, world)}
    journal = worker._registration.journal
    for passage in passages[:3]:
        journal.offering(keys[passage])
    answered = world.clock.now()
    journal.answered(keys[passages[0]], Verdict.ACCEPTED, 250)
    journal.answered(keys[passages[1]], Verdict.REJECTED, 554)
    path = dead(worker)
    world.later(seconds=30)
    hire(smtp_url=mail.url).recover()
    assert states(world) == dict(
        zip(passages, (State.ACCEPTED, State.REJECTED, State.IN_DOUBT, State.PLANNED), strict=True)
    )
    assert world.message(passages[0])["handed_at"] == answered
    assert world.connection.execute("SELECT occurred_at, recorded_at FROM event WHERE kind = 1").fetchone() == (
        answered,
        world.clock.now(),
    )
    assert world.count("answer_inbox") == 3
    assert world.connection.execute("SELECT passage_ids FROM dispatch").fetchall() == [([passages[3]],)]
    assert not path.exists()


def test_a_torn_record_makes_the_journal_doubtful(world, hire, mail):
    passages = world.plan(*(world.profile() for _ in range(2)))
    worker = hire(smtp_url=mail.url)
    keys = take(worker, world)
    worker._registration.journal.offering(keys[0])
    with dead(worker).open("r+b") as file:
        file.seek(-3, os.SEEK_END)
        file.write(b"???")
    hire(smtp_url=mail.url).recover()
    assert set(states(world).values()) == {State.IN_DOUBT}
    assert len(passages) == 2


def test_after_a_restart_of_the_host_the_journal_is_not_trusted(world, hire, mail):
    world.plan(world.profile())
    worker = hire(smtp_url=mail.url)
    take(worker, world)
    with dead(worker).open("r+b") as file:
        file.seek(20)
        file.write(b"another boot")
    hire(smtp_url=mail.url).recover()
    assert set(states(world).values()) == {State.IN_DOUBT}


def test_a_lost_host_is_waited_for_and_then_its_batch_is_in_doubt(world, hire, mail):
    world.plan(world.profile())
    worker = hire(smtp_url=mail.url)
    take(worker, world)
    dead(worker).unlink()
    rescuer = hire(smtp_url=mail.url)
    rescuer.recover()
    assert set(states(world).values()) == {State.HANDING_OVER}
    world.later(minutes=16)
    rescuer.recover()
    assert set(states(world).values()) == {State.IN_DOUBT}


def test_a_living_worker_is_left_alone(world, hire, mail):
    world.plan(world.profile())
    worker = hire(smtp_url=mail.url)
    take(worker, world)
    world.later(days=2)
    hire(smtp_url=mail.url).recover()
    assert set(states(world).values()) == {State.HANDING_OVER}
