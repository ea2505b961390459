"""The shop's till: customers register one after the other, in the order of their first purchase, through the HTTP API `/api/v1.1`."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from demo.customers import Customer

PER_SECOND = 20
AT_ONCE = 10
"""Customers of one call."""
TIMEOUT = 15.0
LONGEST_PAUSE = 10.0


class Registrations:
    """Registers customers at a steady rate. `place` is the file that remembers how many have registered, so a second start goes on."""

    def __init__(
        self, base_url: str, token: str, database_id: int, resource_id: int, people: Sequence[Customer], place: Path
    ) -> None:
        self._url = f"{base_url}/api/v1.1/profiles/import_batch"
        self._token = token
        self._database_id = database_id
        self._resource_id = resource_id
        self._people = people
        self._place = place

    @property
    def done(self) -> int:
        """How many customers have registered."""
        try:
            return int(json.loads(self._place.read_text())["registered"])
        except (FileNotFoundError, ValueError, KeyError):
            return 0

    def note(self, count: int) -> None:
        """Remember how many have registered."""
        draft = self._place.with_suffix(".new")
        draft.write_text(json.dumps({"registered": count}))
        os.replace(draft, self._place)

    def run(self, stop: threading.Event, *, per_second: float = PER_SECOND) -> None:
        """Register everybody who is left, until `stop`. Calls that fail are repeated: who has registered already stays one profile."""
        at, pause = self.done, 0.0
        with httpx.Client(timeout=TIMEOUT, headers={"Authorization": f"Bearer {self._token}"}) as client:
            while at < len(self._people) and not stop.wait(pause):
                group = self._people[at : at + AT_ONCE]
                if self._register(client, group):
                    at += len(group)
                    self.note(at)
                    pause = len(group) / per_second
                else:
                    pause = min(LONGEST_PAUSE, max(1.0, pause * 2))

    def _register(self, client: httpx.Client, group: Sequence[Customer]) -> bool:
        body = {"db_id": self._database_id, "matching": "email", "data": [self._element(person) for person in group]}
        try:
            answer = client.post(self._url, json=body)
            return bool(answer.status_code == 200 and answer.json()["error"] == 0)
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def _element(self, person: Customer) -> dict[str, Any]:
        subscriptions = [
            {"channel": "email", "resource_id": self._resource_id, "email": person.email, "status": "unconfirmed"},
            {"channel": "sms", "resource_id": self._resource_id, "phone": person.phone, "status": "subscribed"},
        ]
        return {**person.fields(), "subscriptions": subscriptions}
