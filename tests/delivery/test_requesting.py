"""API requests of scenarios: what is sent, what an answer means, and what is refused."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import psycopg
import pytest

from sojourn.delivery import in_doubt, variables
from sojourn.delivery.codes import State
from sojourn.delivery.definitions import define_request
from sojourn.kernel import lane_of
from tests.delivery.test_killing import dead
from tests.delivery.web_server import settle

PLANNED, ANSWERED, FAILED, DOUBT = State.PLANNED, State.ACCEPTED, State.REJECTED, State.IN_DOUBT


@pytest.fixture
def ask(world):
    """Plans a request for a profile; tells its passage."""

    def plan(url: str, profile: int | None = None, **changes) -> int:
        profile = profile or world.profile()
        values = {
            "method": "POST", "url": url, "headers": {}, "body": "{}", "content_type": "application/json", "timeout_seconds": 5.0, "attempts": 3,
            "repeat_in_doubt": False, "save": {},
        } | changes  # fmt: skip
        definition = define_request(world.connection, **values)
        passage = world.connection.execute("SELECT nextval('passage_id_seq')").fetchone()[0]
        world.connection.execute(
            "INSERT INTO request (passage_id, profile_id, created_at, scenario_id, definition_id, node_id, hop, lane, state) VALUES (%s, %s, %s, 1, %s, 4, 2, %s, 0)",
            (passage, profile, world.clock.now(), definition, lane_of(profile)),
        )
        world.dispatch(lane_of(profile), [passage], 100, None)
        return passage

    return plan


@pytest.fixture
def read(world):
    def row(passage: int) -> dict:
        with world.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute("SELECT * FROM request WHERE passage_id = %s", (passage,)).fetchone()

    return row


@pytest.fixture
def worker(hire, web):
    return hire(private_hosts=[web.host])


def test_a_request_is_made_and_its_answer_kept(world, ask, read, web, worker):
    ada = world.profile('Ada "the first" О’Нил', 7)
    web.answer = lambda asked: (201, json.dumps({"order": {"id": 17, "items": [{"sku": "a"}, {"sku": "b"}]}}).encode())
    passage = ask(
        web.url + "/call/{{ profile.first_name }}?points={{ profile.points }}",
        ada,
        headers={"X-Who": "{{ profile.id }}"},
        body='{"name": "{{ profile.first_name }}", "points": {{ profile.points }}}',
        save={"order": "$.order.id", "last": "order.items[-1].sku", "missing": "$.nothing[3].there"},
    )
    settle(worker)
    [asked] = web.asked
    assert asked.method == "POST"
    assert asked.path == "/call/Ada%20%22the%20first%22%20%D0%9E%E2%80%99%D0%9D%D0%B8%D0%BB?points=7"
    assert json.loads(asked.body) == {"name": 'Ada "the first" О’Нил', "points": 7}
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["idempotency-key"] == f"{ada & 63}-{passage}-2"
    assert asked.headers["x-who"] == f"{ada:024x}"
    row = read(passage)
    assert (row["state"], row["status"], row["attempts"]) == (ANSWERED, 201, 1)
    assert row["saved"] == {"order": 17, "last": "b", "missing": None}
    assert row["answer"].startswith('{"order"')
    assert row["handed_at"] == row["answered_at"] == world.clock.now()
    assert world.connection.execute("SELECT kind, data, node_id FROM event").fetchall() == [(12, {"status": 201}, 4)]
    assert world.connection.execute("SELECT passage_id, profile_id, hop, lane FROM answer_inbox").fetchall() == [
        (passage, ada, 2, ada & 63)
    ]
    assert world.count("dispatch") == world.count("dispatch_claim") == 0


def test_a_failure_is_an_answer_too(world, ask, read, web, worker):
    web.answer = lambda asked: (404, b"no such customer")
    passage = ask(web.url)
    settle(worker)
    row = read(passage)
    assert (row["state"], row["status"], row["answer"], len(web.asked)) == (FAILED, 404, "no such customer", 1)
    assert world.count("answer_inbox") == 1


def test_redirects_are_not_followed(ask, read, web, worker):
    web.answer, web.headers = lambda asked: (302, b""), {"Location": web.url + "/elsewhere"}
    passage = ask(web.url)
    settle(worker)
    assert (read(passage)["state"], read(passage)["status"], len(web.asked)) == (FAILED, 302, 1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_is_asked_again_with_the_same_key_and_growing_pauses(
    world, ask, read, web, worker, status
):
    web.answer = lambda asked: (status, b"busy")
    passage = ask(web.url)
    for attempts, pause in ((1, 5), (2, 15)):
        settle(worker)
        row = read(passage)
        assert (row["state"], row["attempts"]) == (PLANNED, attempts)
        assert row["next_attempt_at"] == world.clock.now() + timedelta(seconds=pause)
        assert world.count("answer_inbox") == 0
        world.later(seconds=pause)
    settle(worker)
    assert (read(passage)["state"], read(passage)["status"], read(passage)["attempts"]) == (FAILED, status, 3)
    assert len({asked.headers["idempotency-key"] for asked in web.asked}) == 1
    assert (len(web.asked), world.count("answer_inbox")) == (3, 1)


def test_a_server_that_cannot_be_reached_is_tried_again(world, ask, read, hire):
    passage = ask("http://127.0.0.1:1/", attempts=2)
    worker = hire(private_hosts=["127.0.0.1"])
    settle(worker)
    assert (read(passage)["state"], read(passage)["attempts"]) == (PLANNED, 1)
    world.later(seconds=5)
    settle(worker)
    assert (read(passage)["state"], read(passage)["status"]) == (FAILED, None)


@pytest.mark.parametrize("way", ["slow", "drop"])
@pytest.mark.parametrize(
    ("changes", "state"), [({}, DOUBT), ({"repeat_in_doubt": True}, PLANNED), ({"method": "GET"}, PLANNED)]
)
def test_without_an_answer_a_request_is_held_or_repeated_as_its_node_says(
    world, ask, read, web, worker, way, changes, state
):
    web.answer = lambda asked: time.sleep(1) or "drop" if way == "slow" else "drop"
    passage = ask(web.url, timeout_seconds=0.2, **changes)
    settle(worker)
    assert read(passage)["state"] == state
    assert world.count("answer_inbox") == 0
    assert [d.passage_id for d in in_doubt(world.connection)] == ([passage] if state == DOUBT else [])


def test_a_slow_drip_of_an_answer_ends_at_the_time_out(world, ask, read, worker, web):
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def drip() -> None:
        line, _ = listener.accept()
        try:
            while True:
                line.sendall(b"H")
                time.sleep(0.05)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    worker._settings.private_hosts.append(f"127.0.0.1:{port}")
    passage = ask(f"http://127.0.0.1:{port}/", timeout_seconds=0.4)
    started = time.monotonic()
    settle(worker)
    listener.close()
    assert time.monotonic() - started < 5
    assert read(passage)["state"] in (DOUBT, PLANNED)


def test_a_huge_answer_is_cut(ask, read, web, worker):
    web.answer = lambda asked: (200, b"x" * 5_000_000)
    passage = ask(web.url, save={"a": "$.a"})
    settle(worker)
    row = read(passage)
    assert (row["state"], len(row["answer"]), row["saved"]) == (ANSWERED, 4096, {"a": None})


def test_what_the_database_cannot_hold_is_not_saved(ask, read, web, worker):
    web.answer = lambda asked: (200, b'{"nul": "a\\u0000b", "half": "\\ud800", "big": 1e999, "good": [1]}')
    passage = ask(web.url, save={"nul": "nul", "half": "half", "big": "big", "good": "good", "wrong": "$..*"})
    settle(worker)
    assert read(passage)["saved"] == {"nul": None, "half": None, "big": None, "good": [1], "wrong": None}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://127.1:{port}/", "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0:{port}/",
        "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://[::]:{port}/", "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http://[fd00::1]/", "ftp://example.com/", "http:///x", "http://user@127.0.0.1:{port}/",
    ],
)  # fmt: skip
def test_private_networks_are_out_of_reach(ask, read, web, hire, url):
    passage = ask(url.replace("{port}", str(web.port)))
    settle(hire(private_hosts=["other.internal", f"127.0.0.1:{web.port + 1}"]))
    row = read(passage)
    assert (row["state"], row["status"], web.asked) == (FAILED, None, [])
    assert row["answer"]


def test_a_name_that_leads_into_a_private_network_is_refused_after_it_was_resolved(ask, read, web, hire, monkeypatch):
    """The address that was checked is the one that is connected to: the name is resolved once."""
    import asyncio

    looked_up = []

    async def resolve(self, host, port, **options):
        looked_up.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(looked_up) % 2 == 0 else "93.184.216.34", port))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", resolve)
    passages = [ask(f"http://rebinding.example:{web.port}/", timeout_seconds=0.5, attempts=1) for _ in range(2)]
    worker = hire()
    settle(worker)
    assert web.asked == []
    assert looked_up.count("rebinding.example") == 2
    assert sorted("private network" in read(passage)["answer"] for passage in passages) == [False, True]


def test_named_private_hosts_are_reachable(ask, read, web, hire):
    passages = [ask(web.url), ask(f"http://localhost:{web.port}/")]
    settle(hire(private_hosts=["127.0.0.1", f"LOCALHOST:{web.port}"]))
    assert [read(passage)["state"] for passage in passages] == [ANSWERED, ANSWERED]


def test_a_header_cannot_be_smuggled_in(world, ask, read, web, worker):
    passage = ask(web.url, world.profile("Ada\r\nX-Admin: yes"), headers={"X-Name": "{{ profile.first_name }}"})
    settle(worker)
    assert (read(passage)["state"], web.asked) == (FAILED, [])
    assert "X-Name" in read(passage)["answer"]
    assert world.count("answer_inbox") == 1


def test_form_bodies_are_percent_encoded(world, ask, web, worker):
    ask(
        web.url,
        world.profile("Ada & Ben=2"),
        body="name={{ profile.first_name }}",
        content_type="application/x-www-form-urlencoded",
    )
    settle(worker)
    assert web.asked[0].body == b"name=Ada%20%26%20Ben%3D2"


def test_registered_variables_are_asked_for_only_where_used(world, ask, web, worker, monkeypatch):
    monkeypatch.setattr(variables, "_loaders", {})
    asked = []

    def load(connection, keys):
        asked.append(keys)
        return [{"order": passage} for _, passage, _ in keys]

    variables.register("api", load)
    variables.register("promo", load)
    ada = world.profile()
    passage = ask(web.url, ada, body="{{ api.order }}")
    settle(worker)
    assert web.asked[0].body == str(passage).encode()
    assert asked == [[(ada & 63, passage, ada)]]


def test_the_request_of_a_deleted_profile_fails(world, ask, read, web, worker):
    ada = world.profile()
    passage = ask(web.url, ada)
    world.connection.execute(f"DELETE FROM {world.database.table}")
    settle(worker)
    assert (read(passage)["state"], web.asked) == (FAILED, [])


def test_a_cancelled_request_is_not_made(world, ask, read, web, worker):
    passage = ask(web.url)
    world.connection.execute("UPDATE request SET state = 5")
    settle(worker)
    assert (read(passage)["state"], web.asked) == (State.CANCELLED, [])


def test_many_requests_are_made_at_once(world, ask, read, web, worker):
    web.answer = lambda asked: time.sleep(0.1) or (200, b"{}")
    passages = [ask(web.url) for _ in range(100)]
    started = time.monotonic()
    settle(worker)
    assert time.monotonic() - started < 5
    assert {read(passage)["state"] for passage in passages} == {ANSWERED}
    assert len({asked.headers["idempotency-key"] for asked in web.asked}) == len(web.asked) == 100


@pytest.mark.parametrize(("repeat", "state"), [(False, DOUBT), (True, PLANNED)])
def test_a_request_in_flight_when_its_worker_dies_is_held_or_repeated(world, ask, read, web, hire, repeat, state):
    web.answer = lambda asked: time.sleep(1) or (200, b"{}")
    passage = ask(web.url, repeat_in_doubt=repeat)
    worker = hire(private_hosts=[web.host])
    worker.step()
    deadline = time.monotonic() + 5
    while not web.asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    dead(worker)
    hire(private_hosts=[web.host]).recover()
    assert read(passage)["state"] == state
    assert world.count("dispatch") == int(state == PLANNED)
    assert world.count("dispatch_claim") == 0
