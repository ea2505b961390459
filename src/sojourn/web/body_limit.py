"""No body is read beyond its limit, whether its length was told or not."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

API_LIMIT = 10 << 20
"""Bytes of the body of a call, except for uploads of files."""


def told_length(scope: Scope) -> int:
    """The length that the caller announced; 0 if none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """`receive`, which raises as soon as the body turns out longer than `limit` bytes.

    Raises:
        HTTPException: 413, here already if the announced length is too much.
    """
    error = HTTPException(413, f"A body of at most {limit >> 20} MB is taken here.")
    if told_length(scope) > limit:
        raise error
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise error
        return message

    return counted
