"""Child processes that do not outlive who started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def product_command(*arguments: str) -> list[str]:
    """The command line that runs a part of this product in the same installation."""
    return [sys.executable, "-m", "sojourn", *arguments]


def follow_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn`: the child gets signal `number` when the thread that started it ends, in whatever way."""
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return prepare


def how_it_ended(code: int) -> str:
    """An exit code as people say it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
