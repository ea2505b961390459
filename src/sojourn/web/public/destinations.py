"""Where a click leads. Every destination comes from a template of ours or carries our signature: there is no open redirect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import idna

from sojourn.kernel.errors import SojournError
from sojourn.templates import compile_text


def destination_of(link: dict[str, Any], data: Callable[[], dict[str, Any]]) -> str:
    """The address behind a link of a template; `data` gives the profile's values where its query asks for them.

    An address whose data cannot be rendered any more leads to its page all the same, without the query.
    """
    address = str(link["address"])
    if link["kind"] == "static":
        return address
    try:
        return compile_text(address)(data())
    except SojournError:
        return address[: min((at for at in (address.find("?"), address.find("#")) if at >= 0), default=len(address))]


def location(destination: str) -> str | None:
    """The address as a `Location` header: ASCII only, parameters as they were; None if it is no web address."""
    try:
        parts = urlsplit(destination.strip())
        host, port = parts.hostname or "", parts.port
        if parts.scheme.lower() not in ("http", "https") or not host:
            return None
        plain = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except (ValueError, idna.IDNAError):
        return None
    authority = f"[{plain}]" if ":" in plain else plain
    authority += f":{port}" if port else ""
    rest = destination.strip()[len(parts.scheme) + 3 + len(parts.netloc) :]
    return f"{parts.scheme.lower()}://{authority}{quote(rest, safe='/?#[]@!$&()*+,;=:%-._~|')}"
