"""What a method of the integration API is: a function over parameters, and who may call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sojourn.access import Caller, Role
from sojourn.kernel import Clock
from sojourn.web.installation import Connection
from sojourn.web.v1.parameters import Parameters


@dataclass(frozen=True, slots=True)
class V1Call:
    """One call: whoever makes it may."""

    clock: Clock
    connection: Connection
    caller: Caller


Function = Callable[[V1Call, Parameters], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """`function` gives the envelope. Methods that change something can be repeated with a Request-ID; `starts`: the engine has work then."""

    function: Function
    role: Role = "viewer"
    changes: bool = False
    starts: bool = False
