"""The audience of the demo: recipients who read, open, click, confirm and leave, through the links of their letters and nothing else.

The sandbox mailbox, read over the HTTP API, or a mail server of the demo's own stands for their inboxes. What each of them does follows from the table of habits and from
their address, so two demos with the same letters see the same people.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

import httpx

from demo.letter import Letter, read_letter


@dataclass(frozen=True, slots=True)
class Habits:
    """How people take one kind of message: shares from 0 to 1, mean delays in seconds."""

    opens: float = 0.0
    clicks: float = 0.0
    """Of those who open."""
    confirms: float = 0.0
    """Of those who open; of an SMS: of all, by the letter they have not opened yet."""
    leaves: float = 0.0
    """Of those who open."""
    before_opening: float = 20.0
    before_acting: float = 6.0


HABITS = {
    "confirmation": Habits(opens=0.70, clicks=0.15, confirms=0.72, leaves=0.02, before_opening=25),
    "letter": Habits(opens=0.62, clicks=0.45, leaves=0.02, before_opening=20),
    "sms": Habits(confirms=0.35, before_opening=15),
}
"""All that the audience does, in one place."""

POLL_SECONDS = 1.0
MOST_AT_ONCE = 8
MOST_A_SECOND = 60
TIMEOUT = 10.0
_WAITING_LETTERS = 50_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it lies in somebody's inbox. `person` is the same in all messages to one person."""

    person: str
    channel: str
    html: str = ""


class Mailbox(Protocol):
    """The inboxes of everybody."""

    async def new(self) -> list[Message]:
        """What has come since the last call, oldest first."""
        ...


class Audience:
    """Everybody who gets messages. `run` lasts until `stop`."""

    def __init__(self, base_url: str, mailbox: Mailbox, *, pace: float = 1.0, seed: str = "audience") -> None:
        """`pace` multiplies all delays."""
        self.confirmed = self.opened = self.clicked = self.left = self.failed = 0
        self._base_url = base_url
        self._mailbox = mailbox
        self._pace = pace
        self._seed = seed
        self._unread: OrderedDict[str, Letter] = OrderedDict()
        """Confirmation letters that their readers have not acted upon, by person."""
        self._people: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """How many messages are being read, or will be."""
        return len(self._people)

    def run(self, stop: threading.Event) -> None:
        """Live until `stop`."""
        asyncio.run(self._live(stop))

    async def _live(self, stop: threading.Event) -> None:
        limits = httpx.Limits(max_connections=MOST_AT_ONCE)
        async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, follow_redirects=False) as client:
            self._client, self._gate = client, _Gate(MOST_AT_ONCE, MOST_A_SECOND)
            while not stop.is_set():
                for message in await self._arrived():
                    self._begin(self._take(message))
                await asyncio.sleep(POLL_SECONDS * min(1.0, self._pace))
            for task in self._people:
                task.cancel()
            await asyncio.gather(*self._people, return_exceptions=True)

    async def _arrived(self) -> list[Message]:
        try:
            return await self._mailbox.new()
        except httpx.HTTPError:  # the server is away for a moment; letters wait
            self.failed += 1
            return []

    def _begin(self, life: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(life)
        self._people.add(task)
        task.add_done_callback(self._people.discard)

    async def _take(self, message: Message) -> None:
        """What one person does with one message."""
        letter = read_letter(message.html, self._base_url)
        kind = "sms" if message.channel == "sms" else "confirmation" if letter.confirm else "letter"
        habits, chance = HABITS[kind], Random(f"{self._seed} {message.person} {kind}")
        if kind == "confirmation":
            self._keep(message.person, letter)
        await self._wait(chance, habits.before_opening)
        if kind == "sms":
            await self._remembered(message.person, habits, chance)
        elif chance.random() < habits.opens:
            await self._read(message.person, letter, habits, chance)

    def _keep(self, person: str, letter: Letter) -> None:
        self._unread[person] = letter
        while len(self._unread) > _WAITING_LETTERS:
            self._unread.popitem(last=False)

    async def _remembered(self, person: str, habits: Habits, chance: Random) -> None:
        """The text message reminds of the letter in the mailbox."""
        if person in self._unread and chance.random() < habits.confirms:
            await self._open(self._unread[person])
            await self._wait(chance, habits.before_acting)
            await self._confirm(person)

    # Counted by statements of their own: `x += await …` would lose what others count during the wait.
    async def _read(self, person: str, letter: Letter, habits: Habits, chance: Random) -> None:
        await self._open(letter)
        await self._wait(chance, habits.before_acting)
        if letter.clicks and chance.random() < habits.clicks and await self._get(chance.choice(letter.clicks)):
            self.clicked += 1
        if letter.confirm and chance.random() < habits.confirms:
            await self._confirm(person)
        elif letter.leave and chance.random() < habits.leaves and await self._press(letter.leave):
            self.left += 1

    async def _open(self, letter: Letter) -> None:
        if letter.pixel and await self._get(letter.pixel):
            self.opened += 1

    async def _confirm(self, person: str) -> None:
        letter = self._unread.pop(person, None)
        if letter and letter.confirm and await self._press(letter.confirm):
            self.confirmed += 1

    async def _press(self, address: str) -> bool:
        """Look at the page, then press its button."""
        return await self._get(address) and await self._call("POST", address)

    async def _get(self, address: str) -> bool:
        return await self._call("GET", address)

    async def _call(self, method: str, address: str) -> bool:
        async with self._gate:
            try:
                answer = await self._client.request(method, address)
            except httpx.HTTPError:
                self.failed += 1
                return False
        self.failed += answer.status_code >= 400
        return answer.status_code < 400

    async def _wait(self, chance: Random, mean: float) -> None:
        await asyncio.sleep(min(chance.expovariate(1 / mean), 10 * mean) * self._pace)


class _Gate:
    """At most so many calls at once, and so many in a second."""

    def __init__(self, at_once: int, a_second: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._interval = 1 / a_second
        self._next = 0.0

    async def __aenter__(self) -> None:
        await self._places.acquire()
        now = time.monotonic()
        self._next = max(self._next, now) + self._interval
        await asyncio.sleep(self._next - self._interval - now)

    async def __aexit__(self, *ignored: object) -> None:
        self._places.release()
