"""The addresses that stand in messages: one token per purpose and message, signed destinations for links made of data."""

from __future__ import annotations

import base64
import hashlib
import hmac
from binascii import b2a_base64
from functools import cached_property
from typing import Any

from sojourn.kernel import tokens
from sojourn.kernel.tokens import LinkSigner, MessageRef, derive

_TAG = 12
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class LinkFactory:
    """Makes and reads the links of an installation; `base_url` without a slash at its end, `key` the installation's key."""

    def __init__(self, base_url: str, key: bytes) -> None:
        self.base_url = base_url
        self.signer = LinkSigner(key)
        self._key = derive(key, "destination")

    def of(self, lane: int, passage_id: int, hop: int) -> MessageLinks:
        """The links of one message."""
        return MessageLinks(self, MessageRef(lane, passage_id, hop))

    def read_destination(self, token: str, number: int, text: str) -> str | None:
        """The signed destination, or None if nobody here signed it."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            destination = raw[_TAG:]
            tag = self.destination_tag(token)
            tag.update(b"/%d/%s" % (number, destination))
            return destination.decode() if hmac.compare_digest(raw[:_TAG], tag.digest()) else None
        except ValueError:
            return None

    def destination_tag(self, token: str) -> Any:
        """The keyed hash of a message's destinations, fed with its token: a signature fits one message and link only."""
        return hashlib.blake2s(token.encode(), key=self._key, digest_size=_TAG)


class MessageLinks:
    """The links of one message, each made when it is asked for."""

    def __init__(self, factory: LinkFactory, ref: MessageRef) -> None:
        self._factory = factory
        self.ref = ref

    def _token(self, kind: int) -> str:
        return self._factory.signer.sign(kind, self.ref.lane, self.ref.passage_id, self.ref.hop)

    @cached_property
    def _click(self) -> tuple[str, Any]:
        token = self._token(tokens.CLICK)
        return f"{self._factory.base_url}/c/{token}", self._factory.destination_tag(token)

    @property
    def click_base(self) -> str:
        """What the number of a link is appended to, after a slash."""
        return self._click[0]

    @property
    def open_url(self) -> str:
        """The picture that tells of an opening."""
        return f"{self._factory.base_url}/o/{self._token(tokens.OPEN)}.gif"

    @cached_property
    def unsubscribe_url(self) -> str:
        """The page to unsubscribe; also the one-click address of RFC 8058."""
        return f"{self._factory.base_url}/u/{self._token(tokens.UNSUBSCRIBE)}"

    @property
    def opt_in_url(self) -> str:
        """The page that confirms the subscription."""
        return f"{self._factory.base_url}/s/{self._token(tokens.OPT_IN)}"

    @property
    def manage_url(self) -> str:
        """The page where recipients choose what they get and correct what is known of them."""
        return f"{self._factory.base_url}/m/{self._token(tokens.MANAGE)}"

    @property
    def web_version_url(self) -> str:
        """The letter as a page."""
        return f"{self._factory.base_url}/v/{self._token(tokens.WEB_VERSION)}"

    def destination(self, number: int, address: str) -> str:
        """The tracked form of a destination that only this message has."""
        base, fed = self._click
        raw = address.encode()
        tag = fed.copy()
        tag.update(b"/%d/%s" % (number, raw))
        signed = b2a_base64(tag.digest() + raw, newline=False).translate(_URL_SAFE, b"=\n")
        return f"{base}/{number}/{signed.decode()}"
