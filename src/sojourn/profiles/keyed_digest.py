"""A contact as a keyed digest: what is kept of an erased person, so that nobody writes to them again although nobody knows them any more."""

from __future__ import annotations

import hashlib

from sojourn.kernel.tokens import derive


def keyed_digest(key: bytes, contact: str) -> bytes:
    """The digest of a normalised contact under the installation's key; without the key it cannot be searched by trial."""
    return hashlib.blake2s(contact.lower().encode(), key=derive(key, "erased contact"), digest_size=16).digest()
