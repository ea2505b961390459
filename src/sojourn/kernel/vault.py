"""Secrets at rest: encrypted with a key of the installation (AES-256-GCM), so that a copy of the database alone tells nothing."""

from __future__ import annotations

import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sojourn.kernel.errors import SojournError
from sojourn.kernel.settings import Settings
from sojourn.kernel.tokens import derive, installation_key

_NONCE = 12


class Vault:
    """Seals and opens small JSON objects. `place` is bound to the secret, so that one row's secret cannot be moved to another row."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(derive(key, "vault"))

    @classmethod
    def of(cls, settings: Settings) -> Vault:
        """The vault of an installation."""
        return cls(installation_key(settings.data))

    def seal(self, secret: dict[str, Any], place: str) -> bytes:
        """The encrypted form."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, json.dumps(secret).encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> dict[str, Any]:
        """The secret.

        Raises:
            SojournError: `secret_unreadable`: the installation's key is another one than at sealing.
        """
        try:
            found: dict[str, Any] = json.loads(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode()))
        except (InvalidTag, ValueError):
            raise SojournError(
                "secret_unreadable",
                "The stored secret cannot be read with this installation's key; enter it again.",
                place,
            ) from None
        return found
