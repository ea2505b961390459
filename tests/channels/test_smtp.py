"""The mail client against servers that behave, and servers that do not."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections import Counter

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from sojourn.channels.email.smtp import SmtpTransport, refusal
from sojourn.channels.email.smtp_session import Reply, SmtpServer
from sojourn.channels.transport import LedgerKey, Outgoing, Verdict
from sojourn.kernel import SojournError
from tests.delivery.mail_server import MailServer

BODY = b"Subject: x\r\nMessage-ID: <%d@test>\r\n\r\n.leading dot\r\n..two\r\nend \xd0\x96\r\n.\r\nafter a lone dot\r\n"


class Notes:
    """A journal that remembers in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, object]] = []

    def offering(self, key: LedgerKey) -> None:
        self.entries.append((key.passage_id, "offering"))

    def answered(self, key: LedgerKey, verdict: Verdict, status: int = 0) -> None:
        self.entries.append((key.passage_id, verdict))


def letter(number: int, recipient: str | None = None) -> Outgoing:
    return Outgoing(LedgerKey(0, number, 1), "from@shop.test", recipient or f"p{number}@example.com", BODY % number)


def hand_over(url: str, letters: list[Outgoing], connections: int = 1) -> tuple[dict[int, object], Notes]:
    notes = Notes()
    transport = SmtpTransport(url, connections, notes)
    outcomes = [outcome for outcome in transport.hand_over(iter(letters)) if outcome]
    transport.close()
    assert len({outcome.message.key for outcome in outcomes}) == len(outcomes), "two outcomes for one letter"
    return {outcome.message.key.passage_id: outcome for outcome in outcomes}, notes


def verdicts(outcomes: dict) -> Counter:
    return Counter(outcome.verdict for outcome in outcomes.values())


@pytest.fixture
def stage():
    server = MailServer()
    yield server
    server.stop()


class Collected:
    def __init__(self) -> None:
        self.letters: list[tuple[str, bytes]] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("bad"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        self.letters.append((envelope.rcpt_tos[0], envelope.original_content))
        return "250 taken"


class _Quiet(Controller):
    """Its own first connection would look for port 0, and fail to verify our certificate."""

    def _trigger_server(self) -> None:
        with socket.create_connection(self.server.sockets[0].getsockname()) as line:
            if self.ssl_context:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                line = context.wrap_socket(line)
            line.recv(100)


@pytest.fixture
def daemon():
    """A mail server that nobody here wrote."""
    running = []

    def start(**options):
        handler = Collected()
        controller = _Quiet(handler, hostname="127.0.0.1", port=0, **options)
        controller.start()
        running.append(controller)
        port = controller.server.sockets[0].getsockname()[1]
        return handler, port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    pem, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)
    return pem, context


@pytest.mark.parametrize("connections", [1, 3])
def test_letters_arrive_byte_by_byte_and_refused_ones_are_told_apart(daemon, connections):
    handler, port = daemon()
    letters = [letter(n, f"bad{n}@example.com" if n % 5 == 0 else None) for n in range(40)]
    outcomes, _ = hand_over(f"smtp://127.0.0.1:{port}", letters, connections)
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 32, Verdict.BAD_ADDRESS: 8}
    assert sorted(handler.letters) == sorted((m.recipient, m.content) for m in letters if m.key.passage_id % 5)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("after", ["554 no valid recipients", "503 RCPT first", "354 go on anyway"])
def test_a_refused_recipient_does_not_disturb_the_letters_around_it(stage, pipelining, after):
    stage.script.pipelining, stage.script.data_after_refusal = pipelining, after
    stage.script.recipient = lambda address: (
        "550 5.1.1 unknown"
        if address in ("p0@example.com", "p3@example.com", "p4@example.com", "p9@example.com")
        else None
    )
    outcomes, _ = hand_over(stage.url, [letter(n) for n in range(10)])
    assert [n for n in outcomes if outcomes[n].verdict is Verdict.BAD_ADDRESS] == [0, 3, 4, 9]
    assert [recipient for _, recipient, _ in stage.letters] == [f"p{n}@example.com" for n in (1, 2, 5, 6, 7, 8)]
    assert stage.connections == 1


def test_the_journal_says_offering_before_the_dot_and_the_answer_after_it(stage):
    notes = Notes()
    stage.script.letter = lambda content: (
        None if notes.entries and notes.entries[-1][1] == "offering" else "554 not announced"
    )
    transport = SmtpTransport(stage.url, 1, notes)
    outcomes = [outcome for outcome in transport.hand_over(letter(n) for n in range(5)) if outcome]
    transport.close()
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    assert notes.entries == [(n, step) for n in range(5) for step in ("offering", Verdict.ACCEPTED)]


def test_a_refused_letter_is_judged_by_its_answer(stage):
    answers = {
        0: "451 4.3.0 later",
        1: "554 5.7.1 spam",
        2: "552 5.2.2 full",
        3: "550 no such user here",
        4: "250 fine",
    }
    stage.script.letter = lambda content: next(a for n, a in answers.items() if b"<%d@" % n in content)
    outcomes, _ = hand_over(stage.url, [letter(n) for n in answers])
    assert [outcomes[n].verdict for n in answers] == [
        Verdict.RETRY,
        Verdict.REJECTED,
        Verdict.REJECTED,
        Verdict.BAD_ADDRESS,
        Verdict.ACCEPTED,
    ]
    assert outcomes[1].answer == "554 5.7.1 spam"


def test_a_connection_that_closes_after_the_dot_leaves_one_doubt_and_the_rest_goes_on(stage):
    stage.script.letter = lambda content: "take and close" if b"<3@" in content else None
    outcomes, _ = hand_over(stage.url, [letter(n) for n in range(8)])
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 7, Verdict.IN_DOUBT: 1}
    assert outcomes[3].verdict is Verdict.IN_DOUBT
    assert len(stage.letters) == 8
    assert stage.connections == 2


def test_a_server_that_closes_every_few_letters_gets_a_new_connection(stage):
    count = [0]

    def limited(address: str) -> str | None:
        count[0] += 1
        return "421 4.7.0 too many letters on this connection" if count[0] % 4 == 0 else None

    stage.script.sender = limited
    outcomes, _ = hand_over(stage.url, [letter(n) for n in range(12)])
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 12}
    assert len(stage.letters) == 12


def test_421_after_the_dot_means_that_the_letter_was_not_taken(stage):
    stage.script.letter = lambda content: "421 shutting down" if b"<1@" in content else None
    outcomes, _ = hand_over(stage.url, [letter(n) for n in range(3)])
    assert [outcomes[n].verdict for n in range(3)] == [Verdict.ACCEPTED, Verdict.RETRY, Verdict.ACCEPTED]


def test_a_letter_that_the_server_cannot_bear_does_not_stop_the_others(stage):
    stage.script.recipient = lambda address: "close" if address.startswith("p2@") else None
    outcomes, _ = hand_over(stage.url, [letter(n) for n in range(6)])
    assert outcomes[2].verdict in (Verdict.RETRY, Verdict.UNTRIED)
    assert verdicts(outcomes)[Verdict.ACCEPTED] >= 2
    assert all(o.verdict in (Verdict.ACCEPTED, Verdict.UNTRIED, Verdict.RETRY) for o in outcomes.values())


def test_a_refused_sender_is_paused_and_others_go_on(stage):
    stage.script.sender = lambda address: "553 not yours" if address == "from@shop.test" else None
    others = [Outgoing(LedgerKey(0, n, 1), "other@shop.test", f"p{n}@example.com", BODY % n) for n in (10, 11)]
    outcomes, _ = hand_over(stage.url, [letter(0), letter(1), others[0], letter(2), others[1]])
    assert verdicts(outcomes) == {Verdict.UNTRIED: 3, Verdict.ACCEPTED: 2}
    assert all(o.delay > 50 for o in outcomes.values() if o.verdict is Verdict.UNTRIED)


def test_a_server_that_is_away_leaves_all_letters_untried(stage):
    stage.stop()
    notes = Notes()
    transport = SmtpTransport(stage.url, 2, notes)
    drawn = []
    outcomes = list(transport.hand_over(drawn.append(n) or letter(n) for n in range(5)))
    assert outcomes == [] and drawn == [] and transport.pause() > 0
    transport.close()


@pytest.mark.parametrize("greeting", ["554 go away", "HTTP/1.1 400 Bad Request", "close"])
def test_a_server_that_does_not_want_us_pauses_everything(stage, greeting):
    stage.script.greeting = greeting
    transport = SmtpTransport(stage.url, 1, Notes())
    assert list(transport.hand_over(iter([letter(1)]))) == []
    assert transport.pause() > 0
    transport.close()


def test_a_connection_that_the_server_closed_while_idle_is_replaced(stage):
    transport = SmtpTransport(stage.url, 1, Notes())
    assert [o.verdict for o in transport.hand_over(iter([letter(1)])) if o] == [Verdict.ACCEPTED]
    for line in stage._lines:
        line.shutdown(2)
    import time

    time.sleep(0.05)
    assert [o.verdict for o in transport.hand_over(iter([letter(2)])) if o] == [Verdict.ACCEPTED]
    transport.close()


def test_giving_up_leaves_what_was_offered_in_doubt(stage):
    import threading

    release = threading.Event()
    stage.script.letter = lambda content: release.wait(20) and None
    transport = SmtpTransport(stage.url, 1, Notes())
    ticks = transport.hand_over(iter([letter(1), letter(2)]))
    assert next(ticks) is None
    left = {o.message.key.passage_id: o.verdict for o in transport.abandon()} | {
        o.message.key.passage_id: o.verdict for o in transport.abandon()
    }
    release.set()
    assert left == {1: Verdict.IN_DOUBT, 2: Verdict.UNTRIED}
    transport.close()


def test_tls_from_the_first_byte_checks_the_certificate(daemon, certificate):
    pem, context = certificate
    handler, port = daemon(ssl_context=context)
    outcomes, _ = hand_over(f"smtps://localhost:{port}?ca={pem}", [letter(n) for n in range(5)])
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 5}
    outcomes, _ = hand_over(f"smtps://localhost:{port}", [letter(9)])
    assert outcomes == {}, "a certificate that nobody vouches for was trusted"
    outcomes, _ = hand_over(f"smtps://localhost:{port}?verify=no", [letter(9)])
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 1}
    assert len(handler.letters) == 6


def test_starttls_and_log_in(daemon, certificate):
    pem, context = certificate
    seen = []

    def check(server, session, envelope, mechanism, data):
        seen.append((mechanism, data.login, data.password))
        return AuthResult(success=data.password == "s€cret".encode())

    handler, port = daemon(tls_context=context, authenticator=check, auth_required=True, auth_require_tls=True)
    url = f"smtp://user:s%E2%82%ACcret@localhost:{port}?ca={pem}"
    outcomes, _ = hand_over(url, [letter(n) for n in range(3)], 2)
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 3}
    assert seen[0] == ("PLAIN", b"user", "s€cret".encode())
    outcomes, _ = hand_over(url.replace("cret", "crop"), [letter(9)])
    assert outcomes == {}
    assert len(handler.letters) == 3


def test_log_in_by_login_where_plain_is_not_offered(daemon):
    _, port = daemon(
        authenticator=lambda server, session, envelope, mechanism, data: AuthResult(success=(mechanism, data.login) == ("LOGIN", b"user")),
        auth_required=True, auth_require_tls=False, auth_exclude_mechanism=["PLAIN"],
    )  # fmt: skip
    outcomes, _ = hand_over(f"smtp://user:pw@127.0.0.1:{port}?starttls=never", [letter(1)])
    assert verdicts(outcomes) == {Verdict.ACCEPTED: 1}


def test_a_password_is_not_sent_in_the_clear(stage):
    outcomes, _ = hand_over(f"smtp://user:pw@127.0.0.1:{stage.port}", [letter(1)])
    assert outcomes == {}
    outcomes, _ = hand_over(f"smtp://127.0.0.1:{stage.port}?starttls=require", [letter(1)])
    assert outcomes == {}


@pytest.mark.parametrize(
    "url", ["http://x", "smtp://", "smtp://h:99999", "smtp://h?starttls=maybe", "smtp://h?colour=red"]
)
def test_a_wrong_address_of_a_server_is_refused(url):
    with pytest.raises(SojournError) as error:
        SmtpServer.of(url)
    assert error.value.code == "bad_smtp_url"


def test_ports_follow_the_scheme():
    assert [SmtpServer.of(url).port for url in ("smtp://h", "smtps://h", "smtp://h:2525")] == [25, 465, 2525]


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (450, "4.2.1 busy", Verdict.RETRY),
        (550, "5.1.1 anything", Verdict.BAD_ADDRESS),
        (550, "5.7.1 user unknown to our spam filter", Verdict.REJECTED),
        (550, "relaying denied", Verdict.REJECTED),
        (550, "No such user here", Verdict.BAD_ADDRESS),
        (552, "5.2.2 mailbox full", Verdict.REJECTED),
        (554, "No such user", Verdict.REJECTED),
    ],
)
def test_what_a_refusal_means(code, text, expected):
    assert refusal(Reply(code, text)) is expected
