"""A mail server for tests: it speaks SMTP with pipelining, keeps what it accepted, and misbehaves as it is told."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Script:
    """What the server answers; `recipient` and `letter` may give an answer of their own, or None for the ordinary one; "close" drops the line."""

    pipelining: bool = True
    greeting: str = "220 stage ESMTP"
    sender: Callable[[str], str | None] = lambda address: None
    recipient: Callable[[str], str | None] = lambda address: None
    letter: Callable[[bytes], str | None] = lambda content: None
    data_after_refusal: str = "554 no valid recipients"


@dataclass
class MailServer:
    """Runs in threads until `stop`."""

    script: Script = field(default_factory=Script)
    letters: list[tuple[str, str, bytes]] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}?starttls=never"
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        try:
            _Conversation(self, line).run()
        except (OSError, EOFError):
            pass
        finally:
            line.close()

    def stop(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._socket.close()
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    @property
    def ids(self) -> Counter[str]:
        """How often each Message-ID was accepted."""
        return Counter(re.search(rb"^Message-ID: <(.*?)@", content, re.M)[1].decode() for _, _, content in self.letters)


class _Conversation:
    def __init__(self, server: MailServer, line: socket.socket) -> None:
        self.server, self.script, self.line = server, server.script, line
        self.file = line.makefile("rb")
        self.sender: str | None = None
        self.recipients: list[str] = []

    def say(self, text: str) -> None:
        if text == "close":
            raise EOFError
        self.line.sendall(text.encode() + b"\r\n")
        if text.startswith("421"):
            raise EOFError

    def run(self) -> None:
        self.say(self.script.greeting)
        while command := self.file.readline():
            self.obey(command.decode().strip())

    def obey(self, command: str) -> None:
        verb = command.upper()
        address = (re.search("<(.*?)>", command) or ["", ""])[1]
        if verb.startswith("EHLO"):
            self.say("250-stage\r\n250-PIPELINING\r\n250 8BITMIME" if self.script.pipelining else "250 stage")
        elif verb.startswith("MAIL"):
            answer = "503 nested MAIL" if self.sender is not None else self.script.sender(address)
            self.say(answer or "250 ok")
            if not answer:
                self.sender = address
        elif verb.startswith("RCPT"):
            answer = "503 no MAIL" if self.sender is None else self.script.recipient(address)
            self.say(answer or "250 ok")
            if not answer:
                self.recipients.append(address)
        elif verb == "DATA":
            self.data()
        elif verb == "RSET":
            self.reset()
            self.say("250 ok")
        elif verb == "QUIT":
            self.say("221 bye")
            raise EOFError
        else:
            self.say("502 what?")

    def data(self) -> None:
        if not self.recipients and not self.script.data_after_refusal.startswith("354"):
            self.say(self.script.data_after_refusal)
            return
        self.say("354 go on")
        content = bytearray()
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise EOFError
            content += line[1:] if line.startswith(b".") else line
        if not self.recipients:
            self.reset()
            self.say("554 nobody to give it to")
            return
        answer = self.script.letter(bytes(content))
        if not answer or answer.startswith("2") or answer == "take and close":
            self.server.letters.append((self.sender or "", self.recipients[0], bytes(content)))
        self.reset()
        self.say("close" if answer == "take and close" else answer or "250 taken")

    def reset(self) -> None:
        self.sender, self.recipients = None, []
