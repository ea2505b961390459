"""The calls on the page about the API work, one after the other, against a live installation."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from demo.seed import seed
from sojourn.access import ensure_api_token
from sojourn.kernel import Settings, VirtualClock
from sojourn.scenarios import files
from sojourn.web.app import create_app
from tests.demo.live import live
from tests.docs.pages import ROOT, Block, blocks

WELCOME = ROOT / "demo" / "welcome.yaml"
TOKEN = "token-of-the-documentation-0123456789"


def test_the_calls_of_the_documentation_succeed(
    connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings, tmp_path: Path
) -> None:
    seed(connection, clock, codes=10)
    settings = settings.model_copy(update={"api_token": TOKEN})
    ensure_api_token(connection, clock, settings)
    files.apply(
        connection,
        clock,
        WELCOME,
        settings=settings,
        publish_it=True,
        activate_it=True,
        accept_sandbox=True,
    )
    examples = blocks("sh api")
    assert len(examples) == 7

    with live(lambda address: create_app(settings.model_copy(update={"public_url": address}), clock)) as address:
        answers = {block.line: _run(block, address, tmp_path) for block in examples}

    for line, found in answers.items():
        assert found, f"line {line} answered nothing"
        assert [answer for answer in found if answer.get("error")] == []
    register, many, _, start, read, _, upload = answers.values()
    assert len(many[0]["result"]) == 2
    assert all(one["error"] == 0 for one in many[0]["result"])
    assert start[0]["data"] == {"started": True}
    assert read[0]["data"]["_id"] == register[0]["profile_id"]
    assert read[0]["data"]["purchases"] == 1
    assert [one["status"] for one in read[0]["data"]["subscriptions"]] == ["unconfirmed", "subscribed"]
    assert upload[0]["state"] == "waiting"


def test_the_tutorial_makes_everything_that_the_welcome_scenario_needs(
    connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"api_token": TOKEN})
    ensure_api_token(connection, clock, settings)
    set_up, let_in = blocks("sh tutorial")
    with live(lambda address: create_app(settings.model_copy(update={"public_url": address}), clock)) as address:
        assert len(_run(set_up, address, tmp_path)) == 8
        files.apply(
            connection, clock, WELCOME, settings=settings, publish_it=True, activate_it=True, accept_sandbox=True
        )
        assert _run(let_in, address, tmp_path)[0]["error"] == 0
    assert connection.execute("SELECT count(*) FROM capture").fetchone() == (1,)


def _run(block: Block, address: str, folder: Path) -> list[dict[str, Any]]:
    """The JSON documents that an example prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text], cwd=folder, env={**os.environ, "SOJOURN": address, "TOKEN": TOKEN}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}: {done.stderr}{done.stdout}"
    text, found = done.stdout.strip(), []
    while text:
        answer, end = json.JSONDecoder().raw_decode(text)
        found.append(answer)
        text = text[end:].lstrip()
    return found
