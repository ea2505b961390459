"""What the demo sets, and what it leaves to whoever starts it."""

from __future__ import annotations

import json
from pathlib import Path

from demo.settings import demo_environment


def test_secrets_are_made_up_once_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    first = demo_environment({"SOJOURN_HOME": str(tmp_path)})
    assert demo_environment({"SOJOURN_HOME": str(tmp_path)}) == first
    assert len(first["SOJOURN_ADMIN_PASSWORD"]) >= 12
    assert len(first["SOJOURN_API_TOKEN"]) >= 40
    assert (tmp_path / "demo-secrets.json").stat().st_mode & 0o077 == 0


def test_the_environment_goes_before(tmp_path: Path) -> None:
    given = {
        "SOJOURN_HOME": str(tmp_path),
        "SOJOURN_ADMIN_EMAIL": "me@example.com",
        "SOJOURN_API_TOKEN": "t" * 40,
        "SOJOURN_PORT": "9000",
        "SOJOURN_ADMIN_PASSWORD": "",
    }
    found = demo_environment(given)
    assert (found["SOJOURN_ADMIN_EMAIL"], found["SOJOURN_API_TOKEN"]) == ("me@example.com", "t" * 40)
    assert found["SOJOURN_ADMIN_PASSWORD"]
    assert json.loads(found["SOJOURN_PRIVATE_HOSTS"]) == ["127.0.0.1:9025"]
