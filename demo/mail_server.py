"""A mail server that takes every letter and reads it for the audience: used where the settings send mail to this very host.

It speaks as much SMTP (RFC 5321, 1870, 6152, 6531) as a client needs to hand over letters, and delivers nothing to anybody.
"""

from __future__ import annotations

import asyncio
import email
import email.message
import threading
from collections import deque
from types import TracebackType
from urllib.parse import urlsplit

from demo.audience import Message

LARGEST = 10_000_000
_KEPT = 20_000
_TIMEOUT = 60.0
_EXTENSIONS = ("PIPELINING", f"SIZE {LARGEST}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


def local_port(smtp_url: str | None) -> int | None:
    """The port if the settings send mail, without TLS, to a port of this host where the demo may listen; else None."""
    parts = urlsplit(smtp_url or "")
    local = parts.scheme == "smtp" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    return parts.port if local and parts.port and parts.port >= 1024 else None


class MailServer:
    """Takes letters while the `with` block lasts; port 0 takes a free one."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken = 0
        self._letters: deque[Message] = deque(maxlen=_KEPT)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="mail server")
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def new(self) -> list[Message]:
        """Letters that came since the last call."""
        return [self._letters.popleft() for _ in range(len(self._letters))]

    def __enter__(self) -> MailServer:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop and self._stop
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, limit=1_000_000)
            self.port = server.sockets[0].getsockname()[1]
        except OSError as error:
            self._failure = error
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        server.close()  # conversations that go on are cancelled with the loop

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 demo ESMTP\r\n")
            await self._converse(reader, writer)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            pass  # the client went away, or said nothing sensible
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        while line := await asyncio.wait_for(reader.readline(), _TIMEOUT):
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            match word.upper():
                case "EHLO":
                    answer = "\r\n".join(
                        ["250-demo", *(f"250-{name}" for name in _EXTENSIONS[:-1]), f"250 {_EXTENSIONS[-1]}"]
                    )
                case "HELO" | "NOOP" | "MAIL" | "RSET":
                    recipients.clear()
                    answer = "250 2.0.0 OK"
                case "RCPT":
                    recipients.append(rest.partition("<")[2].partition(">")[0].lower())
                    answer = "250 2.1.5 OK"
                case "DATA" if recipients:
                    writer.write(b"354 Go on\r\n")
                    self._take(recipients, await _content(reader))
                    recipients.clear()
                    answer = "250 2.0.0 Taken"
                case "DATA":
                    answer = "503 5.5.1 Nobody to send to"
                case "QUIT":
                    writer.write(b"221 2.0.0 Bye\r\n")
                    return
                case _:
                    answer = "502 5.5.1 Not here"
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()

    def _take(self, recipients: list[str], content: bytes) -> None:
        html = _html(email.message_from_bytes(content))
        self._letters.extend(Message(recipient, "email", html) for recipient in recipients)
        self.taken += len(recipients)


def _html(letter: email.message.Message) -> str:
    """The letter's HTML part; empty if it has none."""
    for part in letter.walk():
        if part.get_content_type() == "text/html" and isinstance(body := part.get_payload(decode=True), bytes):
            return body.decode(part.get_content_charset("utf-8"), "replace")
    return ""


async def _content(reader: asyncio.StreamReader) -> bytes:
    """The letter up to the line with the dot, dots in front of lines taken away (RFC 5321 §4.5.2)."""
    lines: list[bytes] = []
    size = 0
    while (line := await asyncio.wait_for(reader.readline(), _TIMEOUT)) != b".\r\n":
        size += len(line)
        if not line or size > LARGEST:
            raise ValueError("the letter has no end")
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)
