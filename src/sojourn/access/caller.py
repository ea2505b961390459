"""Who calls: a person with a session or a program with a token; and what a role allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sojourn.kernel.errors import Forbidden

Role = Literal["viewer", "editor", "master"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "master")
"""Each role may do what those before it may: a viewer reads, an editor changes, a master also decides who may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A person (`user_id`) or a program (`token_id`). `csrf` is the secret that a person's unsafe calls must carry."""

    role: Role
    user_id: int | None = None
    token_id: int | None = None
    email: str = ""
    name: str = ""
    language: str = "en"
    csrf: str = ""


def require(caller: Caller, role: Role) -> None:
    """Let pass who has at least `role`.

    Raises:
        Forbidden: `role_missing`.
    """
    if ROLES.index(caller.role) < ROLES.index(role):
        raise Forbidden("role_missing", f"This needs the role {role}; yours is {caller.role}.", "role")
