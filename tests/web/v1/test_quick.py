"""Simple programs: one flat call; and a suppression list as a file."""

from __future__ import annotations

import hashlib

from sojourn.cli.task_kinds import register_all
from sojourn.kernel.tasks import perform


def test_a_flat_call_makes_a_person_and_subscribes_it(api):
    call = {
        "db_id": 1,
        "email": "ann@x.test",
        "phone": "+12015550100",
        "_fname": "Ann",
        "points": "7",
        "unknown": "x",
        "resource_id": 1,
    }
    assert api.done("profiles/quick_import", **call)["profile_id"]
    found = api.profile(1, "ann@x.test")
    assert (found["_fname"], found["points"], found["phones"]) == ("Ann", 7, ["+12015550100"])
    assert {one["channel"] for one in found["subscriptions"]} == {"email", "sms"}
    assert api.done("profiles/quick_import", db_id=1, email="ann@x.test", points=8)["profile_id"]
    assert api.profile(1, "ann@x.test")["points"] == 8
    assert api.failed("profiles/quick_import", db_id=1, email="nobody")[0] == 400
    assert api.failed("profiles/quick_import", db_id=1, email="b@x.test", resource_id=9)[0] == 400


def test_a_suppression_list_is_exported_as_digests(api, settings, clock, database_url):
    register_all(settings)
    made = api.done("suppresses/add", name="Rivals")["data"]["saved_id"]
    api.done("suppresses/emails_add", id=made, emails=["a@x.test"])
    api.done("suppresses/domains_add", id=made, domains=["y.test"])
    task = api.done("suppresses/export", id=made, type="emails")["data"]["task_id"]
    perform(database_url, clock, task)
    told = api.done("tasks/status", task_id=task)["data"]
    assert (told["status"], told["result"]["total"]) == ("completed", 1)
    file = api.client.get(told["result"]["urls"][0], params={"token": api.token})
    digest = hashlib.md5(b"a@x.test", usedforsecurity=False).hexdigest()
    assert file.text.splitlines() == ["kind,md5,reason", f"email,{digest},api"]
    assert api.client.get(told["result"]["urls"][0]).status_code == 401
    assert api.failed("suppresses/export", id=made, type="x")[0] == 400
    assert api.failed("suppresses/export", id=99)[0] == 404
