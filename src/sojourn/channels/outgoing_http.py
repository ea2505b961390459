"""Outgoing HTTP calls: an event loop in a thread of its own carries many at once, while the worker goes on with its letters.

No redirects are followed, answers are bounded, a connection serves one call: a stale one would make doubt where there is none.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sojourn.channels.transport import Journal, LedgerKey, Verdict

if TYPE_CHECKING:
    import aiohttp

BODY_LIMIT = 64_000
"""Bytes of an answer that are read."""
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `repeatable`: it may be made again when nobody knows whether it arrived."""

    key: LedgerKey
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout: float
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """How a call ended: with a status, or with an error."""

    key: LedgerKey
    verdict: Verdict
    status: int | None
    body: bytes
    text: str
    """Status or error in words."""


class HttpCaller:
    """Makes calls. With `private_hosts` (even an empty list) hosts in private networks are refused unless named there; None: anything goes."""

    def __init__(self, journal: Journal, private_hosts: Collection[str] | None, most: int = 64) -> None:
        self._journal = journal
        self._private_hosts = private_hosts
        self._most = most
        self._finished: queue.SimpleQueue[CallAnswer] = queue.SimpleQueue()
        self._in_flight: dict[LedgerKey, Call] = {}
        self._offered: set[LedgerKey] = set()
        self._loop = asyncio.new_event_loop()
        self._session: aiohttp.ClientSession | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="outgoing http", daemon=True)
        self._thread.start()

    @property
    def room(self) -> int:
        """How many more calls may be submitted."""
        return max(0, self._most - len(self._in_flight))

    @property
    def busy(self) -> bool:
        """Whether calls are on their way, or finished ones were not collected."""
        return bool(self._in_flight)

    def submit(self, call: Call) -> None:
        """Begin a call; its end comes out of `finished`."""
        self._in_flight[call.key] = call
        asyncio.run_coroutine_threadsafe(self._make(call), self._loop)

    def finished(self) -> list[CallAnswer]:
        """The calls that have ended since the last time."""
        answers = []
        while not self._finished.empty():
            answer = self._finished.get()
            if self._in_flight.pop(answer.key, None):
                answers.append(answer)
        return answers

    def abandon(self) -> list[CallAnswer]:
        """Stop waiting: what was sent is in doubt, the rest untried."""
        answers = self.finished()
        for key, call in list(self._in_flight.items()):
            doubt = Verdict.RETRY if call.repeatable else Verdict.IN_DOUBT
            verdict = doubt if key in self._offered else Verdict.UNTRIED
            answers.append(CallAnswer(key, verdict, None, b"", "the worker stopped waiting"))
        self._in_flight.clear()
        return answers

    def close(self) -> None:
        """End the thread."""
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _leave(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._session:
            await self._session.close()

    async def _make(self, call: Call) -> None:
        try:
            answer = await self._answer(call)
        except Exception as error:  # whatever goes wrong, the call has an end
            answer = self._failed(call, f"{type(error).__name__}: {error}")
        self._offered.discard(call.key)
        self._journal.answered(call.key, answer.verdict, answer.status or 0)
        self._finished.put(answer)

    async def _answer(self, call: Call) -> CallAnswer:
        import aiohttp
        from yarl import URL

        from sojourn.kernel.private_networks import ForbiddenAddress, refuse_private_literal

        try:
            url = URL(call.url)
            if url.scheme not in ("http", "https") or not url.host or url.port is None:
                raise ValueError("not an address that can be called")
            if self._private_hosts is not None:
                refuse_private_literal(url.host, url.port, self._private_hosts)
            session = self._session or self._open()
            async with asyncio.timeout(call.timeout), session.request(
                call.method, url, data=call.body, headers=call.headers, allow_redirects=False, trace_request_ctx=call
            ) as response:  # fmt: skip
                body = await _bounded(response)
        except (ForbiddenAddress, ValueError) as error:  # InvalidURL is a ValueError
            return CallAnswer(call.key, Verdict.REJECTED, None, b"", str(error) or "not an address that can be called")
        except TimeoutError:
            return self._failed(call, f"no answer within {call.timeout:g} seconds")
        except (aiohttp.ClientError, OSError) as error:
            cause: BaseException | None = error
            while cause:
                if isinstance(cause, ForbiddenAddress):
                    return CallAnswer(call.key, Verdict.REJECTED, None, b"", str(cause))
                cause = cause.__cause__
            return self._failed(call, str(error) or type(error).__name__)
        return CallAnswer(
            call.key, _verdict(response.status), response.status, body, f"{response.status} {response.reason or ''}".strip()
        )  # fmt: skip

    def _failed(self, call: Call, text: str) -> CallAnswer:
        """No answer: what never reached the other side is tried again, what perhaps did is in doubt."""
        doubt = call.key in self._offered and not call.repeatable
        return CallAnswer(call.key, Verdict.IN_DOUBT if doubt else Verdict.RETRY, None, b"", text[:500])

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        from sojourn.kernel.private_networks import GuardedResolver

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._connected)
        resolver = None if self._private_hosts is None else GuardedResolver(self._private_hosts)
        connector = aiohttp.TCPConnector(limit=self._most, force_close=True, use_dns_cache=False, resolver=resolver)
        self._session = aiohttp.ClientSession(
            connector=connector, trace_configs=[trace], cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            headers={"User-Agent": "Sojourn", "Accept-Encoding": "identity"},
        )  # fmt: skip
        return self._session

    async def _connected(self, session: Any, context: SimpleNamespace, parameters: Any) -> None:
        # From the next line on bytes may leave.
        call: Call = context.trace_request_ctx
        self._offered.add(call.key)
        self._journal.offering(call.key)


def _verdict(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    return Verdict.RETRY if status == 429 or status >= 500 else Verdict.REJECTED


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while len(body) < BODY_LIMIT:
        chunk = await response.content.read(BODY_LIMIT - len(body))
        if not chunk:
            break
        body += chunk
    return bytes(body)
