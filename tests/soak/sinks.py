"""A process that stands for the world: it takes letters by SMTP and tasks by HTTP, and writes down each one before it says that it has it.

    python -m tests.soak.sinks LOG          prints the two ports it listens on

Lines of the log: `letter <Message-ID>` and `task <Idempotency-Key>`.
"""

from __future__ import annotations

import asyncio
import os
import sys

LATENCY = 0.002
"""Seconds before and after a letter is written down: the moments at which a kill leaves doubts."""
Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


class Sinks:
    """Both servers over one log."""

    def __init__(self, log: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def _note(self, kind: str, key: str) -> None:
        os.write(self._log, f"{kind} {key}\n".encode())

    async def smtp(self, reader: Reader, writer: Writer) -> None:
        """One SMTP connection."""
        writer.write(b"220 sink ESMTP\r\n")
        try:
            while line := (await reader.readline()).rstrip():
                command = line.split(b" ")[0].upper()
                if command == b"EHLO":
                    writer.write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000\r\n")
                elif command == b"DATA":
                    writer.write(b"354 go on\r\n")
                    letter = await self._letter(reader)
                    await asyncio.sleep(LATENCY)
                    self._note("letter", letter)
                    await asyncio.sleep(LATENCY)
                    writer.write(b"250 taken\r\n")
                elif command == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def _letter(self, reader: Reader) -> str:
        """Read a letter to its end; gives its Message-ID. One that breaks off is none."""
        found = ""
        while (line := await reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise ConnectionError
            if not found and line.lower().startswith(b"message-id:"):
                found = line.split(b":", 1)[1].strip().decode()
        return found

    async def http(self, reader: Reader, writer: Writer) -> None:
        """One HTTP connection."""
        try:
            while await reader.readline():
                headers = {}
                while line := (await reader.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                await reader.readexactly(int(headers.get("content-length", "0")))
                self._note("task", headers.get("idempotency-key", "none"))
                writer.write(
                    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()


async def serve(log: str) -> None:
    """Listen on two free ports of this host and tell them."""
    sinks = Sinks(log)
    servers = [
        await asyncio.start_server(handler, "127.0.0.1", 0, limit=1 << 20) for handler in (sinks.smtp, sinks.http)
    ]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
