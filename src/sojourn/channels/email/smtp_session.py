"""One connection to a mail server: address, TLS, log-in, lines in and out."""

from __future__ import annotations

import base64
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from sojourn.kernel.errors import SojournError

CONNECT_SECONDS = 15.0
SEND_SECONDS = 60.0
_LONGEST_REPLY = 64_000
_OPTIONS = {"starttls": ("auto", "require", "never"), "verify": ("yes", "no"), "ca": None}


class ConnectionLost(Exception):
    """The connection cannot be used any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server: its code and its text in one line."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.text}"[:500]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where letters are handed over."""

    host: str
    port: int
    tls: Literal["smtps", "auto", "require", "never"]
    user: str | None = None
    password: str = ""
    verify: bool = True
    ca: str | None = None

    @classmethod
    def of(cls, url: str) -> SmtpServer:
        """Read `smtp://user:password@host:587` or `smtps://…`.

        Options: `starttls` = `auto` (default: where offered), `require`, `never`; `verify=no` takes any certificate;
        `ca` is a file with the certificates to trust instead of the system's.

        Raises:
            SojournError: `bad_smtp_url`.
        """
        try:
            parts = urlsplit(url)
            port, options = parts.port, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        except ValueError as error:
            raise SojournError(
                "bad_smtp_url", f"This is not an address of a mail server: {error}.", "smtp_url"
            ) from None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise SojournError(
                "bad_smtp_url", "The address of a mail server begins with smtp:// or smtps:// and a host.", "smtp_url"
            )
        for name, value in options.items():
            if name not in _OPTIONS or (_OPTIONS[name] and value not in (_OPTIONS[name] or ())):
                raise SojournError("bad_smtp_url", f"“{name}={value}” is no option of a mail server.", "smtp_url")
        tls: Any = "smtps" if parts.scheme == "smtps" else options.get("starttls", "auto")
        user = unquote(parts.username) if parts.username else None
        return cls(
            parts.hostname, port or (465 if tls == "smtps" else 25), tls, user, unquote(parts.password or ""),
            options.get("verify") != "no", options.get("ca"),
        )  # fmt: skip

    def tls_context(self) -> ssl.SSLContext:
        """Certificates are checked, unless the address says otherwise."""
        context = ssl.create_default_context(cafile=self.ca)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Session:
    """A connection that has said EHLO and logged in. Sockets block, with time-outs."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._lines: list[str] = []
        self.features: dict[str, str] = {}
        try:
            self.socket: socket.socket = socket.create_connection((server.host, server.port), CONNECT_SECONDS)
        except OSError as error:
            raise ConnectionLost(f"{server.host}:{server.port}: {error}") from error
        try:
            self._begin()
        except (OSError, ConnectionLost) as error:
            self.socket.close()
            raise ConnectionLost(f"{server.host}:{server.port}: {error}") from error
        self.socket.settimeout(SEND_SECONDS)

    def _begin(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._server.tls == "smtps":
            self._secure()
        self._expect(self._reply(), "greeting")
        self._hello()
        if self._server.tls in ("auto", "require"):
            if "STARTTLS" in self.features:
                self._expect(self.command("STARTTLS"), "STARTTLS")
                self._secure()
                self._hello()
            elif self._server.tls == "require":
                raise ConnectionLost("the server does not offer STARTTLS")
        if self._server.user is not None:
            self._log_in(self._server.user, self._server.password)

    def _secure(self) -> None:
        if self._buffer:
            raise ConnectionLost("the server spoke before TLS began")
        self.socket = self._server.tls_context().wrap_socket(self.socket, server_hostname=self._server.host)

    def _hello(self) -> None:
        reply = self.command(f"EHLO {_own_name(self.socket)}", separator="\n")
        self.features = {}
        if reply.good:
            for line in reply.text.split("\n")[1:]:
                word, _, rest = line.partition(" ")
                self.features[word.upper()] = rest
        else:
            self._expect(self.command(f"HELO {_own_name(self.socket)}"), "HELO")

    def _log_in(self, user: str, password: str) -> None:
        if not isinstance(self.socket, ssl.SSLSocket) and self._server.tls != "never":
            raise ConnectionLost("the password is not sent without TLS; `?starttls=never` in the address allows it")
        ways = self.features.get("AUTH", "").upper().split()
        if "PLAIN" in ways:
            reply = self.command("AUTH PLAIN " + _base64(f"\0{user}\0{password}"))
        elif "LOGIN" in ways:
            reply = self.command("AUTH LOGIN")
            for word in (user, password):
                if reply.code == 334:
                    reply = self.command(_base64(word))
        else:
            raise ConnectionLost("the server offers neither AUTH PLAIN nor AUTH LOGIN")
        self._expect(reply, "log-in")

    @staticmethod
    def _expect(reply: Reply, what: str) -> None:
        if not reply.good:
            raise ConnectionLost(f"{what} refused: {reply}")

    def command(self, text: str, separator: str = " ") -> Reply:
        """Send one command and wait for its answer."""
        self.socket.sendall(text.encode() + b"\r\n")
        return self._reply(separator)

    def _reply(self, separator: str = " ") -> Reply:
        while True:
            if found := self._parse(separator):
                return found[0]
            self._fill()

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent without waiting for answers (RFC 2920)."""
        return "PIPELINING" in self.features

    def send(self, data: bytes) -> int:
        """Send; tells how many bytes went out. Fewer than all: the connection is lost."""
        view, sent = memoryview(data), 0
        try:
            while sent < len(view):
                sent += self.socket.send(view[sent:])
        except OSError:
            pass
        return sent

    def receive(self) -> list[Reply]:
        """Wait for bytes and give the replies that are complete, perhaps none.

        Raises:
            ConnectionLost: the server has closed, or speaks no SMTP.
        """
        try:
            self._fill()
            while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
                self._fill()
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        return self._parse(" ")

    def _fill(self) -> None:
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionLost("the server closed the connection")
        self._buffer += chunk
        if len(self._buffer) > _LONGEST_REPLY:
            raise ConnectionLost("the server's answer is too long")

    def _parse(self, separator: str) -> list[Reply]:
        replies = []
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        for raw in lines:
            line = raw.decode("utf-8", "replace").rstrip("\r")
            if not (line[:3].isascii() and line[:3].isdigit()) or line[3:4] not in ("", " ", "-"):
                raise ConnectionLost(f"the server does not speak SMTP: {line[:80]!r}")
            self._lines.append(line[4:].replace("\0", ""))
            if line[3:4] != "-":
                replies.append(Reply(int(line[:3]), separator.join(self._lines)))
                self._lines = []
            elif len(self._lines) > 200:
                raise ConnectionLost("the server's answer is too long")
        return replies

    def close(self, *, politely: bool = False) -> None:
        """Close; politely: with QUIT, without waiting for its answer."""
        try:
            if politely:
                self.socket.settimeout(1)
                self.socket.sendall(b"QUIT\r\n")
        except OSError:
            pass
        self.socket.close()


def _own_name(connected: socket.socket) -> str:
    name = socket.getfqdn()
    if "." in name and name.isascii() and not name.startswith("localhost"):
        return name
    address = connected.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
