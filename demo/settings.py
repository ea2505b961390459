"""The settings of the demo's installation: those of the environment where there are any, else its own."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT = "demo@example.com"
CALL_CENTRE_STEP = 25
"""The call centre listens this many ports above the web server: 8025 beside 8000."""


def demo_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for the demo and everything it starts. Secrets are made up once and kept in the data folder."""
    home = Path(given.get("SOJOURN_HOME") or ROOT / "var" / "demo").expanduser().absolute()
    home.mkdir(parents=True, exist_ok=True)
    port = call_centre_port(given)
    own = {
        "SOJOURN_HOME": str(home),
        "SOJOURN_ADMIN_EMAIL": ACCOUNT,
        "SOJOURN_PRIVATE_HOSTS": json.dumps([f"127.0.0.1:{port}"]),
        **_secrets(home / "demo-secrets.json"),
    }
    return {**own, **{name: value for name, value in given.items() if value or name not in own}}


def call_centre_port(given: Mapping[str, str]) -> int:
    """The port of the call centre beside this web server."""
    return int(given.get("SOJOURN_PORT") or 8000) + CALL_CENTRE_STEP


def _secrets(path: Path) -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    except (FileNotFoundError, ValueError):
        made = {"SOJOURN_ADMIN_PASSWORD": secrets.token_urlsafe(9), "SOJOURN_API_TOKEN": secrets.token_urlsafe(32)}
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made))
        os.replace(draft, path)
        return made
