"""Child processes that do not outlive who started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PARENT = "SOJOURN_PARENT"
_PR_SET_PDEATHSIG = 1


def product_command(*arguments: str) -> list[str]:
    """The command line that runs a part of this product out of the same installation."""
    return [sys.executable, "-m", "sojourn", *arguments]


def child_environment(**more: str) -> dict[str, str]:
    """The environment of a child that is to end with this process; it must call `follow_parent` first of all."""
    return {**os.environ, _PARENT: str(os.getpid()), **more}


def follow_parent() -> None:
    """In a child: be sent SIGTERM when the thread that started this process ends, in whatever way. Elsewhere: nothing.

    The child arms itself because code between fork and exec is not safe in a parent with threads.
    """
    parent = os.environ.pop(_PARENT, None)  # not meant for our own children
    if parent is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it went before the line above
        sys.exit(1)


def how_it_ended(code: int) -> str:
    """An exit code as people say it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
