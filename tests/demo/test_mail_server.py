"""The demo's own mail server takes letters as a real one does."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage

import pytest

from demo.mail_server import MailServer, local_port
from tests.demo.live import apart


def test_letters_are_taken_with_their_html_and_recipient() -> None:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = "Привет", "news@example.com", "Ada@example.com"
    letter.set_content("text\n.dot at the start\n")
    letter.add_alternative("<a href='http://x.test/s/1'>да</a>\n.<b>dot</b>\n", subtype="html")
    with MailServer(0) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
            client.send_message(letter)
            client.send_message(letter, to_addrs=["b@example.com", "c@example.com"])
        first, *others = apart(asyncio.run, server.new())
        assert apart(asyncio.run, server.new()) == []
    assert (first.person, first.channel) == ("ada@example.com", "email")
    assert first.html.splitlines() == ["<a href='http://x.test/s/1'>да</a>", ".<b>dot</b>"]
    assert [other.person for other in others] == ["b@example.com", "c@example.com"]
    assert server.taken == 3


def test_a_port_that_is_taken_is_told() -> None:
    with MailServer(0) as server, pytest.raises(OSError), MailServer(server.port):
        pass


@pytest.mark.parametrize(
    ("url", "port"),
    [
        (None, None),
        ("smtp://127.0.0.1:2525?starttls=never", 2525),
        ("smtp://localhost:1025", 1025),
        ("smtp://mail.example.com:2525", None),
        ("smtps://127.0.0.1:2465", None),
        ("smtp://127.0.0.1:25", None),
    ],
)
def test_the_demo_listens_only_where_mail_is_sent_to_this_host(url: str | None, port: int | None) -> None:
    assert local_port(url) == port
