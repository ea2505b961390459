"""What an endpoint knows of its call: who makes it, the database, the clock, the settings. Endpoints say by the type who may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from sojourn.access import Caller, Role, note, require
from sojourn.kernel import Clock, Settings
from sojourn.kernel.wakeups import Bell
from sojourn.scenarios.node_type import Language
from sojourn.web.installation import Connection, Installation


@dataclass(frozen=True, slots=True)
class Call:
    """One call of somebody who may make it."""

    installation: Installation
    caller: Caller
    address: str

    @property
    def clock(self) -> Clock:
        return self.installation.clock

    @property
    def settings(self) -> Settings:
        return self.installation.settings

    def language(self, wanted: Language | None = None) -> Language:
        """The language asked for, else the caller's."""
        return wanted or cast("Language", self.caller.language)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for as long as the block lasts."""
        with self.installation.connection() as connection:
            yield connection

    def note(
        self, connection: Connection, action: str, kind: str, object_id: int | str, detail: dict[str, Any] | None = None
    ) -> None:
        """Enter what was done in the audit journal."""
        note(
            connection,
            self.clock,
            self.caller,
            action,
            kind=kind,
            object_id=object_id,
            address=self.address,
            detail=detail,
        )

    def ring(self, connection: Connection, channel: str) -> None:
        """Wake who sleeps on `channel`, outside a transaction."""
        Bell(0).ring(connection, channel)


def client_address(request: Request) -> str:
    """The address of the caller; behind a proxy of this host the one that the proxy tells."""
    return request.client.host if request.client else "unknown"


def _with(role: Role) -> Callable[[Request], Awaitable[Call]]:
    async def call(request: Request) -> Call:
        caller: Caller = request.state.caller
        require(caller, role)
        return Call(request.app.state.installation, caller, client_address(request))

    return call


Reading = Annotated[Call, Depends(_with("viewer"))]
Changing = Annotated[Call, Depends(_with("editor"))]
Ruling = Annotated[Call, Depends(_with("master"))]
