"""HTTP(S): one file behind an address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal
from urllib.parse import urljoin, urlsplit

import aiohttp
from pydantic import Field, field_validator

from sojourn.connections.kind import CONNECT_SECONDS, FileKind, KindSettings, Opened, RemoteFile, Text, Write
from sojourn.kernel.errors import SojournError
from sojourn.kernel.private_networks import ForbiddenAddress, GuardedResolver, refuse_private_literal

_SECONDS = 3_600.0
_SILENCE = 60.0
_MOST_REDIRECTS = 5
_PIECE = 1 << 16


class HttpSettings(KindSettings):
    """An address, and what is sent to it."""

    url: str = Field(title="Address", max_length=2_000)
    method: Literal["GET", "POST"] = Field("GET", title="Method")
    headers: dict[str, str] = Field({}, title="Headers", description="Those that are no secret.", max_length=50)
    body: str = Field("", title="Body", max_length=100_000)
    user: str = Field("", title="User", description="For basic authentication.", max_length=200)

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("An address begins with http:// or https://")
        if parts.username or parts.password:
            raise ValueError("A password does not belong into the address")
        return url.strip()

    @field_validator("headers")
    @classmethod
    def _lines(cls, headers: dict[str, str]) -> dict[str, str]:
        if any(sign in f"{name}{value}" for name, value in headers.items() for sign in "\r\n\x00"):
            raise ValueError("A header is one line")
        return headers


class HttpSecret(KindSettings):
    """A password for basic authentication, or a bearer token."""

    password: str = Field("", title="Password", max_length=1_000)
    token: str = Field("", title="Bearer token", max_length=5_000)


class Http(FileKind):
    """The file behind an address."""

    code: ClassVar[str] = "http"
    title: ClassVar[Text] = {"en": "HTTP address", "ru": "HTTP-адрес"}
    settings: ClassVar[type[KindSettings]] = HttpSettings
    secret: ClassVar[type[KindSettings]] = HttpSecret

    def test(self, opened: Opened) -> dict[str, Any]:
        return asyncio.run(_look(opened))

    def files(self, opened: Opened, mask: str) -> list[RemoteFile]:
        found = asyncio.run(_look(opened))
        name = urlsplit(opened.settings.url).path.rpartition("/")[2] or "data"
        return [RemoteFile(name, found["size"], None, found["mark"])]

    def fetch(self, opened: Opened, name: str, write: Write) -> None:
        asyncio.run(_fetch(opened, write))


async def _look(opened: Opened) -> dict[str, Any]:
    async with _answer(opened) as answer:
        mark = answer.headers.get("etag") or answer.headers.get("last-modified") or ""
        return {"status": answer.status, "type": answer.content_type, "size": answer.content_length, "mark": mark}


async def _fetch(opened: Opened, write: Write) -> None:
    async with _answer(opened) as answer:
        try:
            async for piece in answer.content.iter_chunked(_PIECE):
                write(piece)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise opened.failure(error) from None


async def content_of(opened: Opened, most: int) -> tuple[bytes, str, str | None]:
    """The whole answer, its type and its charset.

    Raises:
        SojournError: `connection_failed`, `answer_too_large`.
    """
    parts: list[bytes] = []
    size = 0
    async with _answer(opened) as answer:
        async for piece in answer.content.iter_chunked(_PIECE):
            size += len(piece)
            if size > most:
                raise SojournError("answer_too_large", f"The answer is larger than {most >> 20} MB.", "settings.url")
            parts.append(piece)
        return b"".join(parts), answer.content_type, answer.charset


@asynccontextmanager
async def _answer(opened: Opened) -> AsyncIterator[aiohttp.ClientResponse]:
    given: HttpSettings = opened.settings
    headers = dict(given.headers)
    if opened.secret.token:
        headers["Authorization"] = f"Bearer {opened.secret.token}"
    auth = aiohttp.BasicAuth(given.user, opened.secret.password) if given.user else None
    hosts = opened.around.private_hosts
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(hosts), force_close=True)
    timeout = aiohttp.ClientTimeout(total=_SECONDS, connect=CONNECT_SECONDS, sock_read=_SILENCE)
    address, home = given.url, urlsplit(given.url).netloc
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                parts = urlsplit(address)
                refuse_private_literal(parts.hostname or "", parts.port or 0, hosts)
                own = parts.netloc == home  # secrets go to no other host
                answer = await session.request(
                    given.method, address, headers=headers if own else {}, auth=auth if own else None, data=given.body.encode() or None,
                    allow_redirects=False,
                )  # fmt: skip
            except ForbiddenAddress as error:
                raise SojournError(
                    "private_host", f"{error}. The setting private_hosts of the server can allow it.", "settings.url"
                ) from None
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                cause = error.__cause__ if isinstance(error.__cause__, ForbiddenAddress) else error
                code = "private_host" if isinstance(cause, ForbiddenAddress) else "connection_failed"
                text = str(cause) or "no answer within the time limit"
                raise SojournError(code, opened.scrubbed(text), "settings.url") from None
            async with answer:
                if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
                    address = urljoin(address, answer.headers["location"])
                    if urlsplit(address).scheme not in ("http", "https"):
                        break
                    continue
                if answer.status != 200:
                    raise SojournError(
                        "connection_failed", f"The address answered with {answer.status}.", "settings.url"
                    )
                yield answer
                return
    raise SojournError("connection_failed", "The address leads on and on.", "settings.url")
