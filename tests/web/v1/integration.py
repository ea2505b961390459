"""A program that calls the integration API."""

from __future__ import annotations

from typing import Any

import httpx
from starlette.testclient import TestClient

OK = {"error": 0, "error_text": "Successful operation"}


class Integration:
    """Calls with a token in the header."""

    def __init__(self, client: TestClient, token: str) -> None:
        self.client = client
        self.token = token

    def send(self, method: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        given = {
            "authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.post(f"/api/v1.1/{method}", json=body, headers=given)

    def call(self, method: str, **body: Any) -> dict[str, Any]:
        """The envelope of an answer, which comes with HTTP 200 whatever it says."""
        answer = self.send(method, body)
        assert answer.status_code == 200, answer.text
        envelope: dict[str, Any] = answer.json()
        return envelope

    def done(self, method: str, **body: Any) -> dict[str, Any]:
        """The envelope of a call that must succeed, without its two standard keys."""
        envelope = self.call(method, **body)
        assert envelope.pop("error") == 0, envelope
        assert envelope.pop("error_text") == "Successful operation"
        return envelope

    def failed(self, method: str, **body: Any) -> tuple[int, str]:
        """Code and text of a call that must fail."""
        envelope = self.call(method, **body)
        assert envelope["error"] != 0, envelope
        assert envelope.keys() == {"error", "error_text"}
        return envelope["error"], envelope["error_text"]

    def profile(self, db_id: int, email: str) -> dict[str, Any]:
        """The fields of a profile."""
        data: dict[str, Any] = self.done("profiles/get", db_id=db_id, email=email)["data"]
        return data
