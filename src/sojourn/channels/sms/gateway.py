"""Hands text messages to an HTTP gateway as the settings describe it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote

from sojourn.channels.outgoing_http import Call
from sojourn.channels.transport import Outgoing
from sojourn.kernel.settings import SmsGateway

_PLACE = re.compile(r"\{(phone|text|key)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def sms_call(url: str, gateway: SmsGateway, timeout: float, message: Outgoing) -> Call:
    """The call that hands one message over. Values are percent-encoded in the address and in form bodies, escaped in JSON bodies."""
    values = {"phone": message.recipient, "text": message.content.decode(), "key": message.key.text}
    headers = {
        name: _filled(text, values, lambda value: _CONTROL.sub(" ", value)) for name, text in gateway.headers.items()
    }
    body = None
    if gateway.method == "POST" and gateway.body is not None:
        headers.setdefault("Content-Type", gateway.content_type)
        body = _filled(gateway.body, values, _escape(gateway.content_type)).encode()
    return Call(message.key, gateway.method, _filled(url, values, _percent), headers, body, timeout)


def _filled(text: str, values: dict[str, str], escape: Callable[[str], str]) -> str:
    return _PLACE.sub(lambda found: escape(values[found[1]]), text)


def _percent(value: str) -> str:
    return quote(value, safe="")


def _escape(content_type: str) -> Callable[[str], str]:
    if "json" in content_type:
        return lambda value: json.dumps(value, ensure_ascii=False)[1:-1]
    return _percent if "form-urlencoded" in content_type else str
