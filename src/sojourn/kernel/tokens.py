"""Signed tokens for links in messages: a keyed BLAKE2s tag over a packed struct (0.7 µs, docs/performance.md).

Each purpose has a kind of its own inside the signed bytes, so a token for opens can never unsubscribe anybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

CLICK, OPEN, UNSUBSCRIBE, OPT_IN, WEB_VERSION, BOUNCE, MANAGE = 1, 2, 3, 4, 5, 6, 7
_BODY = struct.Struct(">BBQI")
_TAG = 12


def installation_key(home: Path) -> bytes:
    """The 32 secret bytes of this installation, made at the first call, readable by the owner only."""
    path = home / "secret.key"
    try:
        return bytes.fromhex(path.read_text())
    except FileNotFoundError:
        draft = path.with_name(f"secret.key.{os.getpid()}")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # whoever comes second keeps the first one's key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return bytes.fromhex(path.read_text())


def derive(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, so that no two uses share one."""
    return hashlib.blake2s(purpose.encode(), key=key).digest()


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message of the ledger: its primary key."""

    lane: int
    passage_id: int
    hop: int


class LinkSigner:
    """Signs and reads the tokens that stand in links of messages."""

    def __init__(self, key: bytes) -> None:
        self._key = derive(key, "link")

    def sign(self, kind: int, lane: int, passage_id: int, hop: int) -> str:
        """A token of 35 URL-safe characters."""
        body = _BODY.pack(kind, lane, passage_id, hop)
        tag = hashlib.blake2s(body, key=self._key, digest_size=_TAG).digest()
        return base64.urlsafe_b64encode(body + tag).rstrip(b"=").decode()

    def read(self, kind: int, token: str) -> MessageRef | None:
        """The message a token speaks of, or None if it is not ours or not of this kind."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (ValueError, UnicodeError):
            return None
        if len(raw) != _BODY.size + _TAG:
            return None
        body, tag = raw[: _BODY.size], raw[_BODY.size :]
        if not hmac.compare_digest(tag, hashlib.blake2s(body, key=self._key, digest_size=_TAG).digest()):
            return None
        found, lane, passage_id, hop = _BODY.unpack(body)
        return MessageRef(lane, passage_id, hop) if found == kind else None
