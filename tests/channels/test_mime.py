"""Letters are read back with the standard library, and are what was given."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.channels.email import MimeError, build, message_id

VALUES = {
    "subject": "Hello",
    "from_name": "Shop",
    "from_email": "news@shop.test",
    "to": "anna@example.test",
    "message_id": "<1.2.3@shop.test>",
    "date": datetime(2026, 11, 2, 10, 0, 5, 123, tzinfo=UTC),
    "html": b"<p>Hi</p>\r\n",
    "text": b"Hi\r\n",
    "boundary": "=_1.2.3",
    "unsubscribe_url": "https://t.shop.test/u/AwEAAAAAAAAAAgAAAAPBoTPHwVn9thCXg6M",
    "feedback_id": "12:34:sojourn",
}


def letter(**changes):
    raw = build(**{**VALUES, **changes})
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


def test_a_letter_reads_back_as_it_was_given():
    html = "<p>Привет, Анна — скидки!</p>\r\n".encode() * 500
    _, message = letter(html=html, text="Привет\r\n".encode(), reply_to="help@shop.test")
    text, page = message.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert text.get_payload(decode=True) == "Привет\r\n".encode() and page.get_payload(decode=True) == html
    assert (
        message["From"] == "Shop <news@shop.test>"
        and message["To"] == "anna@example.test"
        and message["Reply-To"] == "help@shop.test"
    )
    assert message["Date"].datetime == datetime(2026, 11, 2, 10, 0, 5, tzinfo=UTC)
    assert message["List-Unsubscribe"] == f"<{VALUES['unsubscribe_url']}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Feedback-ID"] == "12:34:sojourn" and message["Message-ID"] == "<1.2.3@shop.test>"
    assert not message.defects and not text.defects and not page.defects


def test_one_click_unsubscribing_is_never_folded_or_encoded():
    url = "https://a-rather-long-name-of-a-tracking-host.newsletters.example.test/sojourn/u/AwEAAAAAAAAAAgAAAAPBoTPHwVn9thCXg6M"
    raw, _ = letter(unsubscribe_url=url)
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw


def test_a_confirmation_letter_has_no_header_to_unsubscribe():
    assert b"List-Unsubscribe" not in letter(unsubscribe_url=None)[0]


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=200))
def test_any_subject_survives(subject):
    subject = subject.strip()
    raw, _ = letter(subject=subject)
    decoded = str(make_header(decode_header(email.message_from_bytes(raw)["Subject"] or "")))
    assert decoded == subject
    assert all(len(line) <= 78 for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n") if b"Unsubscribe" not in line)


@pytest.mark.parametrize(
    "name",
    [
        "Магазин",
        "Shop, Inc.",
        'The "Shop"',
        "a\\b",
        "",
        "Plain Shop",
        "Очень длинное имя отправителя, которое не помещается в строку",
        "=?utf-8?Q?x?=",
    ],
)
def test_any_sender_name_survives(name):
    raw, message = letter(from_name=name)
    shown, plain = parseaddr(email.message_from_bytes(raw)["From"])
    assert str(make_header(decode_header(shown))) == name or message["From"].addresses[0].display_name == name
    assert plain == "news@shop.test"


def test_lines_are_short_and_end_as_mail_wants():
    raw, _ = letter(html=b"x" * 20_001, text=b".\r\n..\r\n", subject="Скидки " * 40)
    assert max(map(len, raw.split(b"\r\n"))) <= 78 + len("List-Unsubscribe")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\r\n\.|[ \t]\r\n", raw) and raw.isascii()


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 113, 114, 115])
def test_bodies_of_every_length_survive(size):
    _, message = letter(html=b"h" * size)
    assert list(message.iter_parts())[1].get_payload(decode=True) == b"h" * size


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "a\r\nBcc: x@y.test"),
        ("subject", "a\x00b"),
        ("from_name", "a\nb"),
        ("to", "a@b.test\r\nBcc: x@y.test"),
        ("to", "a@b.test>, <x@y.test"),
        ("to", "nobody"),
        ("to", "анна@example.test"),
        ("to", "a@[127.0.0.1]"),
        ("to", "a@-b.test"),
        ("reply_to", "a b@c.test"),
        ("feedback_id", "a\nb"),
        ("message_id", "<a b@c>"),
        ("unsubscribe_url", "https://x\r\nY: z"),
        ("boundary", "plain"),
    ],
)
def test_what_would_break_a_header_is_refused(field, value):
    with pytest.raises(MimeError):
        letter(**{field: value})


def test_domains_are_written_as_a_labels():
    assert letter(to="anna@почта.рф")[1]["To"] == "anna@xn--80a1acny.xn--p1ai"


def test_the_message_id_is_the_same_at_every_attempt_and_holds_no_token():
    assert message_id(5, 1234, 2, "почта.рф") == "<5.1234.2@xn--80a1acny.xn--p1ai>"
