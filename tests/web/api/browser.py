"""A browser in which somebody is logged in."""

from __future__ import annotations

from typing import Any

import httpx
from starlette.testclient import TestClient

PASSWORD = "correct horse battery"


class Browser:
    """Sends the session's cookie, and its secret with calls that change something."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.csrf = ""

    def log_in(self, role: str) -> Browser:
        answer = self.client.post("/api/v2/session", json={"email": f"{role}@example.test", "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.csrf = answer.json()["csrf_token"]
        return self

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"x-csrf-token": self.csrf, **more.pop("headers", {})}
        return self.client.request(method, f"/api/v2{path}", headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        answer = self.call("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        answer = self.call("POST", path, json={} if body is None else body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def refused(self, method: str, path: str, status: int, **more: Any) -> dict[str, Any]:
        """The error of a call that must fail."""
        answer = self.call(method, path, **more)
        assert answer.status_code == status, answer.text
        error: dict[str, Any] = answer.json()["error"]
        return error
