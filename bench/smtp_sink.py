"""A mail server that takes everything and counts Message-IDs: as little work as possible, so that the sender is what is measured.

It speaks PIPELINING. `XCOUNT` answers `250 <letters> <different Message-IDs> <bytes>`. Prints its port when it listens.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop

_END = b"\r\n.\r\n"
_ID = b"\r\nMessage-ID: "


class Sink(asyncio.Protocol):
    """One connection; all share the counts."""

    letters = 0
    size = 0
    ids: set[bytes] = set()  # noqa: RUF012

    def __init__(self) -> None:
        self._buffer = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        answers = []
        while buffer:
            if self._in_data:
                end = buffer.find(_END)
                if end < 0:
                    break
                self._count(buffer[:end])
                buffer, self._in_data = buffer[end + len(_END) :], False
                answers.append(b"250 taken\r\n")
                continue
            line, separator, rest = buffer.partition(b"\r\n")
            if not separator:
                break
            buffer = rest
            answers.append(self._obey(line))
        self._buffer = buffer
        if answers:
            self._transport.write(b"".join(answers))

    def _obey(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == b"DATA":
            self._in_data = True
            return b"354 go on\r\n"
        if verb == b"XCOU":
            return b"250 %d %d %d\r\n" % (Sink.letters, len(Sink.ids), Sink.size)
        if verb == b"QUIT":
            self._transport.close()
            return b"221 bye\r\n"
        return b"250 ok\r\n"

    def _count(self, letter: bytes) -> None:
        Sink.letters += 1
        Sink.size += len(letter)
        start = letter.find(_ID) + len(_ID)
        Sink.ids.add(letter[start : letter.find(b"\r\n", start)])


async def serve() -> None:
    """Listen on a free port until killed."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
