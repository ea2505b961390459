"""Numbers that name things, and the lane in which everything about one profile lives."""

from __future__ import annotations

from sojourn.kernel.errors import SojournError

LANES = 64
"""The number of lanes: the same in every installation, never changed (docs/decisions.md)."""


def lane_of(profile_id: int) -> int:
    """The lane of a profile. In SQL: `(profile_id & 63)::smallint`."""
    return profile_id & (LANES - 1)


def public_id(profile_id: int) -> str:
    """A profile id as the HTTP APIs print it: 24 hexadecimal digits."""
    return f"{profile_id:024x}"


def parse_public_id(text: str, place: str = "profile_id") -> int:
    """The number behind a printed profile id.

    Raises:
        SojournError: `bad_profile_id` if it is not 24 hexadecimal digits.
    """
    try:
        if len(text) == 24:
            value = int(text, 16)
            if value < 1 << 63:
                return value
    except ValueError:
        pass
    raise SojournError("bad_profile_id", "A profile id has 24 hexadecimal digits.", place)
