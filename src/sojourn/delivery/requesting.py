"""Makes API requests out of claims, and results out of their answers."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

from sojourn.channels.outgoing_http import Call, CallAnswer
from sojourn.channels.transport import Verdict
from sojourn.delivery import variables
from sojourn.delivery.claiming import ClaimedRequest
from sojourn.delivery.codes import State
from sojourn.delivery.json_path import parse_path, value_at
from sojourn.delivery.profile_values import ProfileValues
from sojourn.delivery.request_results import LONGEST_ANSWER, RequestResult
from sojourn.kernel import Clock, SojournError
from sojourn.templates import compile_text, variables_of
from sojourn.templates.language import Escape

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_ADDRESS = 8000
_KEPT = 256
_SAVED_LIMIT = 10_000
_FIRST_DELAY, _DELAY_FACTOR, _LONGEST_DELAY = 5.0, 3, 1800.0


@dataclass(frozen=True, slots=True)
class Definition:
    """What a request sends (request_definition), with what its texts ask for."""

    id: int
    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    content_type: str
    timeout_seconds: float
    attempts: int
    repeat_in_doubt: bool
    save: dict[str, str]

    @property
    def texts(self) -> list[str]:
        return [self.url, *self.headers.values(), self.body or ""]

    @property
    def repeatable(self) -> bool:
        """Whether a call may be made again when it is in doubt: the author said so, or reading changes nothing (RFC 9110 §9.2.1)."""
        return self.repeat_in_doubt or self.method == "GET"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is on its way."""

    request: ClaimedRequest
    definition: Definition


class Requester:
    """Knows the definitions, which never change."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._profiles = ProfileValues()
        self._definitions: OrderedDict[int, Definition] = OrderedDict()

    def calls(
        self, connection: psycopg.Connection[Any], requests: Sequence[ClaimedRequest]
    ) -> tuple[list[tuple[Asked, Call]], list[RequestResult]]:
        """The calls of a batch, and results of requests that cannot be made."""
        calls: list[tuple[Asked, Call]] = []
        failed: list[RequestResult] = []
        groups: dict[int, list[ClaimedRequest]] = {}
        for request in requests:
            groups.setdefault(request.definition_id, []).append(request)
        for definition_id, group in groups.items():
            definition = self.definition(connection, definition_id)
            for request, context in zip(group, self._contexts(connection, definition, group), strict=True):
                try:
                    if context is None:
                        raise SojournError("profile_gone", "The profile is gone.")
                    calls.append((Asked(request, definition), _call(request, definition, context)))
                except SojournError as error:
                    failed.append(
                        RequestResult(request.key, self._clock.now(), State.REJECTED, answer=str(error), tried=0)
                    )
        return calls, failed

    def definition(self, connection: psycopg.Connection[Any], definition_id: int) -> Definition:
        """A definition by id."""
        known = self._definitions.get(definition_id)
        if known is None:
            with connection.cursor(row_factory=class_row(Definition)) as cursor:
                known = cursor.execute(
                    "SELECT id, method, url, headers, body, content_type, timeout_seconds, attempts, repeat_in_doubt, save FROM request_definition WHERE id = %s",
                    (definition_id,),
                ).fetchone()
            assert known, f"request definition {definition_id} is missing"
            self._definitions[definition_id] = known
            while len(self._definitions) > _KEPT:
                self._definitions.popitem(last=False)
        return known

    def _contexts(
        self, connection: psycopg.Connection[Any], definition: Definition, group: Sequence[ClaimedRequest]
    ) -> list[dict[str, Any] | None]:
        used = [variables_of(text) for text in definition.texts]
        everything = any(one.all_fields for one in used)
        fields = None if everything else frozenset(name for one in used for name in one.fields)
        values = self._profiles.load(connection, (request.profile_id for request in group), fields)
        keys = [(request.lane, request.passage_id, request.profile_id) for request in group]
        roots = frozenset(name for one in used for name in one.roots)
        now = self._clock.now()
        return [
            {**extra, "profile": values[request.profile_id], "now": now} if request.profile_id in values else None
            for request, extra in zip(group, variables.load(connection, roots, keys), strict=True)
        ]


def _call(request: ClaimedRequest, definition: Definition, context: dict[str, Any]) -> Call:
    headers = {name: compile_text(text)(context) for name, text in definition.headers.items()}
    for name, value in headers.items():
        if _CONTROL.search(value):
            raise SojournError("bad_header", f"The header “{name}” would hold a line break or control character.")
    headers["Idempotency-Key"] = request.key.text
    body = None
    if definition.body is not None and definition.method != "GET":
        body = compile_text(definition.body, escape=_escape(definition.content_type))(context).encode()
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = definition.content_type
    url = compile_text(definition.url, escape="url")(context)
    if len(url) > _LONGEST_ADDRESS:
        raise SojournError("address_too_long", f"The address is longer than {_LONGEST_ADDRESS} characters.")
    return Call(request.key, definition.method, url, headers, body, definition.timeout_seconds, definition.repeatable)


def _escape(content_type: str) -> Escape:
    if "json" in content_type:
        return "json"
    if "form-urlencoded" in content_type:
        return "url"
    return "html" if "xml" in content_type or "html" in content_type else None


def result_of_answer(asked: Asked, answer: CallAnswer, at: datetime, priority: int) -> RequestResult:
    """What an answer means for the ledger."""
    text = answer.body.decode("utf-8", "replace")[:LONGEST_ANSWER] if answer.status is not None else answer.text
    result = RequestResult(answer.key, at, State.REJECTED, answer.status, text, priority=priority)
    match answer.verdict:
        case Verdict.ACCEPTED:
            result.state = State.ACCEPTED
            result.saved = saved_values(asked.definition.save, answer.body)
        case Verdict.IN_DOUBT:
            result.state = State.IN_DOUBT
        case Verdict.UNTRIED:
            result.state, result.tried, result.not_before = State.PLANNED, 0, at
        case Verdict.RETRY if asked.request.attempts + 1 < asked.definition.attempts:
            result.state, result.not_before = State.PLANNED, at + retry_delay(asked.request.attempts + 1)
    return result


def retry_delay(attempts: int) -> timedelta:
    """The pause after `attempts` attempts: 5 s, 15 s, 45 s …, half an hour at most."""
    return timedelta(seconds=min(_LONGEST_DELAY, _FIRST_DELAY * _DELAY_FACTOR ** min(attempts - 1, 10)))


def saved_values(save: dict[str, str], body: bytes) -> dict[str, Any] | None:
    """What the node keeps of an answer; what is not there, or an answer that is no JSON, gives null."""
    if not save:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    saved = {}
    for name, path in save.items():
        try:
            saved[name] = _storable(value_at(document, parse_path(path)))
        except SojournError:
            saved[name] = None
    return saved


def _storable(value: Any) -> Any:
    """The value if the database can hold it and it is not huge, else None."""
    try:
        text = json.dumps(value, allow_nan=False)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # infinite numbers, half characters
        return None
    return value if len(text) <= _SAVED_LIMIT and "\\u0000" not in text else None
