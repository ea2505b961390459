"""The sandbox mailbox read over the HTTP API, with a token, as any program may."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from demo.audience import Mailbox, Message

TIMEOUT = 10.0
_PAGE = 200
_MOST_AT_A_TIME = 100
"""Letters that are fetched between two looks at the list."""
_AT_ONCE = 4


class SeveralMailboxes:
    """Letters of all of them."""

    def __init__(self, *mailboxes: Mailbox) -> None:
        self._mailboxes = mailboxes

    async def new(self) -> list[Message]:
        """What has come to any of them."""
        return [message for mailbox in self._mailboxes for message in await mailbox.new()]


class ApiMailbox:
    """Everybody's inbox. `place` is the file that remembers the newest message that was read, so a second start goes on.

    `owners` tells whose phone it is that an SMS went to.
    """

    def __init__(self, base_url: str, token: str, place: Path, owners: Mapping[str, str]) -> None:
        self._url = f"{base_url}/api/v2/sandbox/messages"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._place = place
        self._owners = owners
        self._newest = self._read_place()
        self._waiting: deque[int] = deque()

    async def new(self) -> list[Message]:
        """Messages since the last call, oldest first, at most a hundred at a time.

        Raises:
            httpx.HTTPError: the server is away, or refuses; nothing is lost.
        """
        async with httpx.AsyncClient(timeout=TIMEOUT, headers=self._headers) as client:
            fresh = await self._ids_after(client, self._newest)
            self._waiting.extend(fresh)
            self._newest = max(fresh, default=self._newest)
            wanted = [self._waiting[at] for at in range(min(_MOST_AT_A_TIME, len(self._waiting)))]
            gate = asyncio.Semaphore(_AT_ONCE)
            found = await asyncio.gather(*(self._message(client, gate, number) for number in wanted))
        for _ in wanted:
            self._waiting.popleft()
        if wanted:
            self._note(wanted[-1])
        return list(found)

    async def _ids_after(self, client: httpx.AsyncClient, last: int) -> list[int]:
        """The list shows the newest first: page back to where we were."""
        found: list[int] = []
        before: Any = None
        while True:
            query = {"limit": _PAGE} | ({"before": before} if before is not None else {})
            answer = await client.get(self._url, params=query)
            answer.raise_for_status()
            page = answer.json()
            numbers = [int(row["id"]) for row in page["items"]]
            found += [number for number in numbers if number > last]
            before = page["next"]
            if before is None or not numbers or numbers[-1] <= last:
                return sorted(found)

    async def _message(self, client: httpx.AsyncClient, gate: asyncio.Semaphore, number: int) -> Message:
        async with gate:
            answer = await client.get(f"{self._url}/{number}")
        answer.raise_for_status()
        row = answer.json()
        return Message(self._owners.get(row["recipient"], row["recipient"]), row["channel"], row["html"] or "")

    def _read_place(self) -> int:
        try:
            return int(json.loads(self._place.read_text())["read"])
        except (FileNotFoundError, ValueError, KeyError):
            return 0

    def _note(self, number: int) -> None:
        draft = self._place.with_suffix(".new")
        draft.write_text(json.dumps({"read": number}))
        os.replace(draft, self._place)
