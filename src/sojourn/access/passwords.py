"""Passwords: kept as argon2id hashes, with the parameters that OWASP recommends (19 MiB, two passes)."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sojourn.kernel.errors import SojournError

SHORTEST, LONGEST = 8, 200
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_places = threading.Semaphore(2)
"""A flood of log-ins costs at most twice the memory of one."""
_nobody = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """The hash to keep.

    Raises:
        SojournError: `bad_password`.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise SojournError("bad_password", f"A password has {SHORTEST} to {LONGEST} characters.", "password")
    with _places:
        return _hasher.hash(password)


def password_fits(kept: str | None, password: str) -> bool:
    """Whether this is the password. Without a hash (nobody has that name) it takes as long, so that nobody learns who exists."""
    try:
        with _places:
            return _hasher.verify(kept or _nobody, password[: LONGEST + 1]) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
