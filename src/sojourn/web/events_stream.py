"""Server-sent events: what has changed is sent about once a second, for as long as the listener stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import anyio
import psycopg
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from sojourn.kernel.errors import SojournError, Unavailable
from sojourn.web.installation import Connection, Installation

Reading = tuple[bytes, bool]
"""JSON of the present state, and whether it will not change any more."""
INTERVAL = 1.0
_SIGN_OF_LIFE = 15.0
_LONGEST = 600.0
"""Seconds after which a stream ends. The browser comes again by itself, and its session is looked at anew."""
MOST_STREAMS = 200
_open = 0
_readers = anyio.CapacityLimiter(2)
"""However many listen, the calls of others find their threads free."""


def event_stream(installation: Installation, event: str, read: Callable[[Connection], Reading]) -> StreamingResponse:
    """The answer to a call for a stream of `event`s. `read` runs in a thread.

    Raises:
        Unavailable: too many streams are open.
    """
    if _open >= MOST_STREAMS:
        raise Unavailable("too_many_streams", "Too many pages listen at the moment.")
    return StreamingResponse(
        _events(installation, event, read),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(
    installation: Installation, event: str, read: Callable[[Connection], Reading]
) -> AsyncIterator[bytes]:
    global _open
    _open += 1
    try:
        yield b"retry: 2000\n\n"
        began = said = time.monotonic()
        last = b""
        while not installation.stopping.is_set() and time.monotonic() - began < _LONGEST:
            try:
                data, over = await anyio.to_thread.run_sync(_read, installation, read, limiter=_readers)
            except (SojournError, psycopg.Error, PoolTimeout):
                return  # the listener comes again and is told the reason by the call itself
            if data != last:
                yield b"event: %s\ndata: %s\n\n" % (event.encode(), data)
                last, said = data, time.monotonic()
            elif time.monotonic() - said > _SIGN_OF_LIFE:
                yield b": here\n\n"
                said = time.monotonic()
            if over:
                return
            await asyncio.sleep(INTERVAL)
    finally:
        _open -= 1


def _read(installation: Installation, read: Callable[[Connection], Reading]) -> Reading:
    with installation.connection() as connection:
        return read(connection)
