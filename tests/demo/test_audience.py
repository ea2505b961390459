"""The audience lives through the links of letters, against the real pages behind them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from starlette.applications import Starlette

from demo.audience import Audience, Message
from demo.customers import customers
from demo.letter import read_letter
from demo.seed import Shop, import_first
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.tokens import installation_key
from sojourn.scenarios import files
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.templates import LinkFactory, load
from sojourn.triggers import register_import_triggers
from sojourn.web.public import Recorder, public_routes
from tests.demo.live import apart, live

WELCOME = Path(__file__).parents[2] / "demo" / "welcome.yaml"
PEOPLE = 60


class Inboxes:
    """Gives its messages once; when everybody is done with them, the audience is stopped."""

    def __init__(self, messages: list[Message]) -> None:
        self._messages = messages
        self.stop = threading.Event()
        self.audience: Audience | None = None

    async def new(self) -> list[Message]:
        given, self._messages = self._messages, []
        if not given and self.audience and not self.audience.busy:
            self.stop.set()
        return given


def live_through(base_url: str, messages: list[Message]) -> Audience:
    """An audience that had all the time it needed for some messages."""
    inboxes = Inboxes(messages)
    inboxes.audience = Audience(base_url, inboxes, pace=0.01)
    apart(inboxes.audience.run, inboxes.stop)
    return inboxes.audience


@pytest.fixture
def base_url(settings: Settings, clock: VirtualClock, database_url: str) -> Iterator[str]:
    recorder = Recorder(database_url, clock)
    recorder.start()
    with ConnectionPool(database_url, kwargs={"autocommit": True}, min_size=1, max_size=4, open=True) as pool:

        def app(address: str) -> Starlette:
            return Starlette(
                routes=public_routes(settings.model_copy(update={"public_url": address}), clock, pool, recorder)
            )

        with live(app) as address:
            yield address
    recorder.stop()


@pytest.fixture
def letters(
    connection: psycopg.Connection[Any],
    clock: VirtualClock,
    settings: Settings,
    shop: Shop,
    tmp_path: Path,
    base_url: str,
) -> list[Message]:
    """Confirmation letters of the first customers, as a worker would have handed them over."""
    register_import_triggers()
    files.apply(connection, clock, WELCOME, settings=settings, publish_it=True, activate_it=True, accept_sandbox=True)
    import_first(connection, clock, shop, customers()[:PEOPLE], tmp_path / "customers.csv")
    loop = EngineLoop(connection, clock)
    while loop.step():
        pass
    rows = connection.execute(
        "UPDATE message SET state = 2, handed_at = created_at RETURNING lane, passage_id, hop, profile_id, template_id"
    ).fetchall()
    factory = LinkFactory(base_url, installation_key(settings.data))
    data = {
        "profile": {"first_name": "Ada"},
        "subscription": {"contact": "ada@example.com"},
        "resource": {"name": "Newsletter"},
        "now": clock.now(),
    }
    return [
        Message(
            str(profile),
            "email",
            load(connection, template).render(data, factory.of(lane, passage, hop)).html.decode(),
        )
        for lane, passage, hop, profile, template in rows
    ]


def _confirmed(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM subscription WHERE channel = 1 AND status = 0 AND confirmed_at IS NOT NULL"
    ).fetchone()
    assert row
    return int(row[0])


def test_people_open_click_confirm_and_some_stay_silent(
    connection: psycopg.Connection[Any], letters: list[Message], base_url: str
) -> None:
    audience = live_through(base_url, letters)
    assert audience.failed == 0
    assert 0 < audience.confirmed < audience.opened < PEOPLE
    assert audience.clicked > 0
    assert _confirmed(connection) == audience.confirmed
    (opened,) = connection.execute("SELECT count(*) FROM message WHERE opened_at IS NOT NULL").fetchone() or (0,)
    assert opened == audience.opened


def test_a_text_message_reminds_of_the_letter(
    connection: psycopg.Connection[Any], letters: list[Message], base_url: str
) -> None:
    live_through(base_url, letters)
    before = _confirmed(connection)
    reminders = [Message(letter.person, "sms") for letter in letters]
    live_through(base_url, [*letters, *reminders])
    assert _confirmed(connection) > before


def test_it_ends_at_once_when_it_is_stopped(letters: list[Message], base_url: str) -> None:
    inboxes = Inboxes(letters)
    audience = Audience(base_url, inboxes, pace=100.0)
    thread = threading.Thread(target=audience.run, args=(inboxes.stop,))
    thread.start()
    inboxes.stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert audience.opened == 0


def test_a_letter_is_read_for_links_of_this_installation_only() -> None:
    html = """<a href="http://x.test/c/abc/1">a</a><a href="http://evil.test/c/abc/1">b</a><a href="http://x.test/s/abc?a=1&amp;b=2">c</a>
      <img src="http://x.test/o/abc.gif"><a href="http://x.test/u/abc">d</a>"""
    letter = read_letter(html, "http://x.test")
    assert letter.clicks == ("http://x.test/c/abc/1",)
    assert letter.confirm == "http://x.test/s/abc?a=1&b=2"
    assert (letter.pixel, letter.leave) == ("http://x.test/o/abc.gif", "http://x.test/u/abc")
