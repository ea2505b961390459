"""`/m/<token>`: the recipient's page behind the link `manage_url` of a message. Whoever has the link is the recipient; there is no log-in."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qs, quote
from zoneinfo import ZoneInfo

import psycopg
from psycopg_pool import ConnectionPool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sojourn.access.account import account
from sojourn.delivery.receipts import Receipt, record_receipts
from sojourn.events import EventKind
from sojourn.kernel import Clock
from sojourn.kernel.errors import NotFound, Problem, SojournError
from sojourn.kernel.tokens import MessageRef
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles.own_data import (
    OwnData,
    change_own_data,
    leave,
    leave_everything,
    own_data,
    pause,
    resume,
)
from sojourn.web.public.manager_page import manager_page
from sojourn.web.public.manager_texts import TEXTS
from sojourn.web.public.sent import SentMessage, sent_message, subscription_of

MOST_BYTES = 100_000
_MOST_FIELDS = 300
_CHANGES, _WITHIN = 30, 300.0
"""So many changes within so many seconds may come through one link."""
_MOST_LINKS = 10_000


class Pace:
    """Counts the changes that come through each link."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, token: str) -> bool:
        """Note one more change; tells whether it is still within the pace."""
        at = time.monotonic()
        begun, count = self._seen.pop(token, (at, 0))
        if at - begun > _WITHIN:
            begun, count = at, 0
        self._seen[token] = (begun, count + 1)
        while len(self._seen) > _MOST_LINKS:
            self._seen.popitem(last=False)
        return count < _CHANGES


class ManagerPage:
    """Shows the page and does what its forms ask for."""

    def __init__(self, clock: Clock, pool: ConnectionPool[Any]) -> None:
        self._clock, self._pool = clock, pool
        self._pace, self._bell = Pace(), Bell(0)

    def show(self, request: Request, ref: MessageRef) -> Response:
        """The page as it is now."""
        with self._pool.connection() as connection:
            known, _ = self._known(connection, ref)
            return manager_page(
                known, _language(request, known), _zone(connection), done=request.query_params.get("done")
            )

    def change(self, request: Request, ref: MessageRef, body: bytes) -> Response:
        """Do what a form asks for, then lead back to the page."""
        form = _read(body)
        action = form.get("action", [""])[0]
        with self._pool.connection() as connection:
            known, message = self._known(connection, ref)
            language = _language(request, known)
            if not self._pace.allows(request.path_params["token"]):
                problem = Problem("too_often", "Too many changes.")
                return manager_page(known, language, _zone(connection), problem=problem, status=429)
            given = {name[2:]: values[0] for name, values in form.items() if name.startswith("f.")}
            chosen = form.get("category", [])
            with connection.transaction():
                refused = self._do(connection, known, message, action, form, given, chosen)
            if refused is not None:
                return manager_page(
                    known, language, _zone(connection), problem=refused, given=given, chosen=chosen, status=422
                )
            self._bell.ring(connection, ENGINE)
        return RedirectResponse(f"?lang={language}&done={quote(action)}", 303, {"cache-control": "no-store"})

    def _do(
        self, connection: psycopg.Connection[Any], known: OwnData, message: SentMessage, action: str, form: dict[str, list[str]],
        given: dict[str, str], chosen: list[str],
    ) -> Problem | None:  # fmt: skip
        match action:
            case "save":
                return change_own_data(connection, self._clock, known, given, chosen)
            case "pause":
                days = form.get("days", [""])[0]
                pause(connection, self._clock, known, int(days) if days.isdecimal() and len(days) < 4 else 0)
            case "resume":
                resume(connection, self._clock, known)
            case "leave" | "all":
                left = (leave if action == "leave" else leave_everything)(connection, self._clock, known)
                if left:
                    note = Receipt(
                        EventKind.UNSUBSCRIBED, message.lane, message.passage_id, message.hop, self._clock.now()
                    )
                    record_receipts(connection, self._clock, [note])
            case _:
                raise SojournError("unknown_action", "This page has no such button.", "action")
        return None

    def _known(self, connection: psycopg.Connection[Any], ref: MessageRef) -> tuple[OwnData, SentMessage]:
        message = sent_message(connection, ref)
        if message is None:
            raise NotFound("unknown_link", "This link leads nowhere.")
        return own_data(connection, *subscription_of(connection, message)), message


def _read(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise SojournError("bad_form", "This is not what the page sends.", "form") from None


def _language(request: Request, known: OwnData) -> str:
    asked = request.query_params.get("lang", "")
    return asked if asked in TEXTS else known.database.manager_language


def _zone(connection: psycopg.Connection[Any]) -> ZoneInfo:
    return ZoneInfo(account(connection).time_zone)
