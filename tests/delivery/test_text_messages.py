"""Text messages through an HTTP gateway."""

from __future__ import annotations

import json
import time

import pytest

from sojourn.delivery.codes import Reason, State
from sojourn.kernel.settings import SmsGateway
from tests.delivery.web_server import settle

SMS = 2


def test_a_text_message_is_handed_to_the_gateway(world, hire, web):
    ada = world.profile('Ада "A"')
    [passage] = world.plan(ada, channel=SMS, flags=2)
    settle(hire(sms_url=web.url + "/send"))
    [asked] = web.asked
    assert (asked.method, asked.path) == ("POST", "/send")
    assert json.loads(asked.body) == {
        "to": f"+1555{ada:07d}",
        "text": 'Hi Ада "A"',
        "reference": f"{ada & 63}-{passage}-2",
    }
    row = world.message(passage)
    assert (row["state"], row["attempts"], row["template_version"]) == (State.ACCEPTED, 1, 1)
    assert world.events(passage) == [1]
    assert (world.count("answer_inbox"), world.count("sandbox_message")) == (1, 0)


def test_a_gateway_by_get_has_everything_in_its_address(world, hire, web):
    ada = world.profile("Ada & Ben")
    world.plan(ada, channel=SMS)
    gateway = SmsGateway(method="GET", headers={"Authorization": "Bearer x"}, body=None)
    settle(hire(sms_url=web.url + "/?to={phone}&text={text}&id={key}", sms=gateway))
    [asked] = web.asked
    assert asked.path.startswith(f"/?to=%2B1555{ada:07d}&text=Hi%20Ada%20%26%20Ben&id={ada & 63}-")
    assert asked.headers["authorization"] == "Bearer x"
    assert asked.body == b""


def test_a_form_gateway_gets_percent_encoded_values(world, hire, web):
    world.plan(world.profile("Ada & Ben"), channel=SMS)
    settle(hire(sms_url=web.url, sms=SmsGateway(body="text={text}", content_type="application/x-www-form-urlencoded")))
    assert web.asked[0].body == b"text=Hi%20Ada%20%26%20Ben"
    assert web.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_refusal_is_final(world, hire, web):
    web.answer = lambda asked: (400, b"bad number")
    [passage] = world.plan(world.profile(), channel=SMS)
    settle(hire(sms_url=web.url))
    row = world.message(passage)
    assert (row["state"], row["reason"]) == (State.REJECTED, Reason.RECIPIENT_REFUSED)
    assert world.events(passage) == [7]


@pytest.mark.parametrize("status", [429, 502])
def test_an_overloaded_gateway_is_tried_again_later(world, hire, web, status):
    web.answer = lambda asked: (status, b"")
    [passage] = world.plan(world.profile(), channel=SMS)
    worker = hire(sms_url=web.url)
    settle(worker)
    assert (world.message(passage)["state"], world.message(passage)["attempts"]) == (State.PLANNED, 1)
    web.answer = lambda asked: (200, b"")
    world.later(minutes=1)
    settle(worker)
    assert world.message(passage)["state"] == State.ACCEPTED
    assert len({asked.body for asked in web.asked}) == 1


def test_a_gateway_that_does_not_answer_leaves_the_message_in_doubt(world, hire, web):
    web.answer = lambda asked: time.sleep(0.6) or (200, b"")
    [passage] = world.plan(world.profile(), channel=SMS)
    settle(hire(sms_url=web.url, request_timeout=0.2))
    assert world.message(passage)["state"] == State.IN_DOUBT
    assert len(web.asked) == 1


def test_a_gateway_in_the_own_network_is_allowed_because_the_operator_chose_it(world, hire, web):
    world.plan(*(world.profile() for _ in range(30)), channel=SMS)
    settle(hire(sms_url=web.url, private_hosts=[]))
    assert len(web.asked) == 30
