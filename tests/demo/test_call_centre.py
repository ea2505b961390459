"""The call centre takes each task once, and is sometimes busy at first."""

from __future__ import annotations

import httpx

from demo.call_centre import CallCentre, CallCentreServer

TASK = {"name": "Ada Berg", "phone": "+12015550100", "email": "customer00001@example.com", "reason": "did not confirm"}


def post(address: str, key: str) -> httpx.Response:
    return httpx.post(address, json=TASK, headers={"Idempotency-Key": key}, timeout=5)


def test_the_same_key_is_the_same_task() -> None:
    with CallCentreServer(CallCentre(busy_first=0.0), 0) as server:
        first, second, other = (
            post(server.address, "1:2:3"),
            post(server.address, "1:2:3"),
            post(server.address, "1:2:4"),
        )
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == {"task": 1, "accepted": True, "name": "Ada Berg", "phone": "+12015550100"}
    assert other.json()["task"] == 2


def test_a_busy_call_centre_takes_the_second_call() -> None:
    centre = CallCentre(busy_first=1.0)
    with CallCentreServer(centre, 0) as server:
        first, second = post(server.address, "1:2:3"), post(server.address, "1:2:3")
    assert (first.status_code, second.status_code) == (503, 201)
    assert first.headers["retry-after"] == "2"
    assert (centre.refused, len(centre.tasks)) == (1, 1)


def test_what_is_no_task_is_refused() -> None:
    with CallCentreServer(CallCentre(), 0) as server:
        assert httpx.post(server.address, content=b"{", timeout=5).status_code == 400
        assert httpx.post(server.address, json={"name": "Ada"}, timeout=5).status_code == 422
        assert httpx.post(server.address + "/other", json=TASK, timeout=5).status_code == 404
        assert httpx.get(server.address, timeout=5).json() == {"count": 0, "refused": 0, "newest": []}
