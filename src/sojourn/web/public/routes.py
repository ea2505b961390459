"""The addresses that stand in messages: clicks, opens, unsubscribing, confirming, the letter as a page.

Programs open links too: mail gateways, previews, scanners. So nothing that matters happens on GET: leaving and confirming take a
button (POST), HEAD is never recorded.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sojourn.delivery.receipts import Receipt, record_receipts
from sojourn.events import EventKind
from sojourn.kernel import Clock, Settings, lane_of, tokens
from sojourn.kernel.errors import NotFound, SojournError, Unavailable
from sojourn.kernel.tokens import MessageRef, installation_key
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles.subscriptions import confirm, unsubscribe
from sojourn.templates import LinkFactory, load
from sojourn.web.public.destinations import destination_of, location
from sojourn.web.public.manager import MOST_BYTES, ManagerPage
from sojourn.web.public.message_data import message_data
from sojourn.web.public.pages import page
from sojourn.web.public.recorder import Recorder
from sojourn.web.public.sent import SentMessage, link_of, sent_message, subscription_of

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PATIENCE = 0.25
"""Seconds that an answer waits until its record is durable; after that the recorder goes on alone."""
_EMAIL = 1
_SUBSCRIBED = 0
_LETTER_HEADERS = {
    "content-security-policy": "default-src 'none'; img-src * data:; style-src 'unsafe-inline' *; font-src *; media-src *; frame-ancestors 'none';"
    " sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
_NO_STORE = {
    "cache-control": "no-store, max-age=0",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
}

_Endpoint = Callable[[Request], Awaitable[Response]]


def public_routes(settings: Settings, clock: Clock, pool: ConnectionPool[Any], recorder: Recorder) -> list[Route]:
    """The public routes. The pool's connections are in autocommit; whoever serves the routes starts and stops the recorder."""
    site = _PublicSite(settings, clock, pool, recorder)
    return [
        Route("/c/{token}/{number:int}", site.click, methods=["GET"]),
        Route("/c/{token}/{number:int}/{signed}", site.click, methods=["GET"]),
        Route("/o/{token}.gif", site.open, methods=["GET"]),
        Route("/u/{token}", site.leave, methods=["GET", "POST"], max_body_size=10_000),
        Route("/s/{token}", site.opt_in, methods=["GET", "POST"], max_body_size=10_000),
        Route("/m/{token}", site.manage, methods=["GET", "POST"], max_body_size=MOST_BYTES),
        Route("/v/{token}", site.web_version, methods=["GET"]),
    ]


def _friendly(endpoint: Callable[[_PublicSite, Request], Awaitable[Response]]) -> Any:
    """Turns trouble into a page: an unknown link is a 404, a database that is away a 503."""

    @wraps(endpoint)
    async def answer(site: _PublicSite, request: Request) -> Response:
        try:
            return await endpoint(site, request)
        except NotFound:
            return page(request, "unknown", status=404)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, Unavailable):
            return page(request, "away", status=503)
        except SojournError:  # a form that is not ours
            return page(request, "unknown", status=400)

    return answer


class _PublicSite:
    def __init__(self, settings: Settings, clock: Clock, pool: ConnectionPool[Any], recorder: Recorder) -> None:
        self._clock = clock
        self._pool = pool
        self._recorder = recorder
        self._links = LinkFactory(settings.base_url, installation_key(settings.data))
        self._opt_in_life = timedelta(days=settings.opt_in_days)
        self._bell = Bell(0)
        self._manager = ManagerPage(clock, pool)

    # ------------------------------------------------------------------ clicks and opens

    @_friendly
    async def click(self, request: Request) -> Response:
        token, number, signed = (
            request.path_params["token"],
            request.path_params["number"],
            request.path_params.get("signed"),
        )
        ref = self._read(tokens.CLICK, token)
        if signed:
            destination = self._links.read_destination(token, number, signed)
        else:
            destination = await run_in_threadpool(self._destination, ref, number)
        target = location(destination) if destination else None
        if target is None:
            raise _unknown()
        await self._record(
            request,
            Receipt(
                EventKind.CLICKED,
                ref.lane,
                ref.passage_id,
                ref.hop,
                self._clock.now(),
                {"link": number, "url": destination},
            ),
        )
        return Response(status_code=302, headers={**_NO_STORE, "location": target})

    def _destination(self, ref: MessageRef, number: int) -> str | None:
        with self._pool.connection() as connection:
            link = link_of(connection, ref, number) if 0 < number < 10_000 else None

            def data() -> dict[str, Any]:
                message = sent_message(connection, ref)
                return message_data(connection, self._clock, message, ("profile", "subscription")) if message else {}

            return destination_of(link, data) if link else None

    @_friendly
    async def open(self, request: Request) -> Response:
        ref = self._links.signer.read(tokens.OPEN, request.path_params["token"])
        if ref:
            await self._record(request, Receipt(EventKind.OPENED, ref.lane, ref.passage_id, ref.hop, self._clock.now()))
        return Response(_GIF, headers=_NO_STORE, media_type="image/gif")

    async def _record(self, request: Request, receipt: Receipt) -> None:
        """Waits until the record is durable, but not for ever: the recorder keeps it and tries on."""
        if request.method == "HEAD":
            return
        try:
            await asyncio.wait({asyncio.wrap_future(self._recorder.record(receipt))}, timeout=_PATIENCE)
        except Unavailable:
            if receipt.kind != EventKind.CLICKED:  # a reader who clicked is led on, recorded or not
                raise

    # ------------------------------------------------------------------ leaving and confirming

    @_friendly
    async def leave(self, request: Request) -> Response:
        ref = self._read(tokens.UNSUBSCRIBE, request.path_params["token"])
        message = await run_in_threadpool(self._subscribed_message, ref)
        if request.method != "POST":
            return page(request, "leave", message.resource_name, manage=self._manage_path(ref))
        one_click = b"List-Unsubscribe=One-Click" in await request.body()
        await run_in_threadpool(self._leave, message)
        return (
            PlainTextResponse("Unsubscribed.\n")
            if one_click
            else page(request, "left", message.resource_name, manage=self._manage_path(ref))
        )

    def _leave(self, message: SentMessage) -> None:
        with self._pool.connection() as connection:
            with connection.transaction():
                profile_id, subscription_id = subscription_of(connection, message)
                changed = unsubscribe(connection, self._clock, lane_of(profile_id), subscription_id)
                if changed:
                    self._note(connection, EventKind.UNSUBSCRIBED, message)
            if changed:
                self._bell.ring(connection, ENGINE)

    def _manage_path(self, ref: MessageRef) -> str:
        return f"/m/{self._links.signer.sign(tokens.MANAGE, ref.lane, ref.passage_id, ref.hop)}"

    @_friendly
    async def manage(self, request: Request) -> Response:
        ref = self._read(tokens.MANAGE, request.path_params["token"])
        if request.method == "POST":
            body = await request.body()
            return await run_in_threadpool(self._manager.change, request, ref, body)
        return await run_in_threadpool(self._manager.show, request, ref)

    @_friendly
    async def opt_in(self, request: Request) -> Response:
        ref = self._read(tokens.OPT_IN, request.path_params["token"])
        message = await run_in_threadpool(self._subscribed_message, ref)
        if self._clock.now() > message.sent_at + self._opt_in_life:
            return page(request, "expired", status=410)
        if request.method != "POST":
            return page(request, "confirm", message.resource_name, consent=message.consent)
        subscribed = await run_in_threadpool(self._confirm, message, request.client.host if request.client else None)
        return (
            page(request, "confirmed", message.resource_name)
            if subscribed
            else page(request, "not_confirmed", message.resource_name, 409)
        )

    def _confirm(self, message: SentMessage, ip: str | None) -> bool:
        """Whether the person is subscribed now; a repeat changes nothing."""
        with self._pool.connection() as connection:
            with connection.transaction():
                profile_id, subscription_id = subscription_of(connection, message)
                changed = confirm(
                    connection, self._clock, lane_of(profile_id), subscription_id, ip=ip, consent=message.consent
                )
                if changed:
                    self._note(connection, EventKind.CONFIRMED, message)
            if changed:
                self._bell.ring(connection, ENGINE)
                return True
            row = connection.execute(
                "SELECT status FROM subscription WHERE lane = %s AND id = %s", (lane_of(profile_id), subscription_id)
            ).fetchone()
            return row is not None and row[0] == _SUBSCRIBED

    def _note(self, connection: psycopg.Connection[Any], kind: EventKind, message: SentMessage) -> None:
        record_receipts(
            connection, self._clock, [Receipt(kind, message.lane, message.passage_id, message.hop, self._clock.now())]
        )

    def _subscribed_message(self, ref: MessageRef) -> SentMessage:
        with self._pool.connection() as connection:
            message = sent_message(connection, ref)
        if message is None or message.subscription_id is None:
            raise _unknown()
        return message

    # ------------------------------------------------------------------ the letter as a page

    @_friendly
    async def web_version(self, request: Request) -> Response:
        ref = self._read(tokens.WEB_VERSION, request.path_params["token"])
        letter = await run_in_threadpool(self._letter, ref)
        await self._record(
            request, Receipt(EventKind.WEB_VERSION, ref.lane, ref.passage_id, ref.hop, self._clock.now())
        )
        return Response(letter, headers=_LETTER_HEADERS, media_type="text/html; charset=utf-8")

    def _letter(self, ref: MessageRef) -> bytes:
        with self._pool.connection() as connection:
            message = sent_message(connection, ref)
            if message is None or message.channel != _EMAIL:
                raise _unknown()
            template = load(connection, message.template_id, message.template_version)
            data = message_data(connection, self._clock, message, template.uses)
        try:
            return template.render(data, self._links.of(ref.lane, ref.passage_id, ref.hop)).html
        except SojournError:  # the data have changed since the letter left
            raise _unknown() from None

    def _read(self, kind: int, token: str) -> MessageRef:
        ref = self._links.signer.read(kind, token)
        if ref is None:
            raise _unknown()
        return ref


def _unknown() -> NotFound:
    return NotFound("unknown_link", "This link leads nowhere.")
