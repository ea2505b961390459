"""The processes that `sojourn up` keeps alive."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from sojourn.kernel.child_process import child_environment, how_it_ended

FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0
SETTLED_SECONDS = 30.0
"""Seconds of life after which an earlier death is forgotten."""
log = structlog.get_logger("supervisor")


class BackOff:
    """How long to wait before the next start: twice as long each time, until a life was long enough."""

    def __init__(self) -> None:
        self._delay = FIRST_DELAY

    def after(self, lived: float) -> float:
        """The wait in seconds after a life of `lived` seconds."""
        if lived >= SETTLED_SECONDS:
            self._delay = FIRST_DELAY
        delay, self._delay = self._delay, min(LONGEST_DELAY, self._delay * 2)
        return delay


@dataclass
class Child:
    """One process of one part, started again whenever it dies."""

    part: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _started: float = 0.0
    _due: float = 0.0
    _back_off: BackOff = field(default_factory=BackOff)

    def tend(self) -> None:
        """Note a death, and start what is due."""
        if self.process is None:
            if time.monotonic() >= self._due:
                self._start()
            return
        code = self.process.poll()
        if code is None:
            return
        wait = self._back_off.after(time.monotonic() - self._started)
        log.warning("part ended, starting it again", name=self.part, reason=how_it_ended(code), seconds=wait)
        self.process, self._due = None, time.monotonic() + wait

    def _start(self) -> None:
        # A session of its own: Ctrl-C in a terminal reaches the supervisor only, which stops the parts in order.
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, start_new_session=True, env=child_environment()
        )
        self.starts += 1
        self._started = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def stop_children(children: Iterable[Child], patience: float, hurried: Callable[[], bool]) -> None:
    """Ask processes to end and wait up to `patience` seconds, then kill. As soon as `hurried` says so, kill at once."""
    living = [child.process for child in children if child.process is not None and child.alive]
    for process in living:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(process.poll() is None for process in living):
        if time.monotonic() > deadline or hurried():
            for process in living:
                process.kill()
            break
        time.sleep(0.02)
    for process in living:
        process.wait()
