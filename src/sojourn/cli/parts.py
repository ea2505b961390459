"""The parts of the product, each a process: `sojourn web`, `sojourn engine`, `sojourn worker`; and the process of one background task."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

import structlog

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import Clock, Settings, SystemClock
from sojourn.kernel.logs import configure_logs

log = structlog.get_logger("parts")
INTERRUPTED = 75
"""Exit code of a task's process that was stopped before the task ended (EX_TEMPFAIL of sysexits.h)."""


def run_part(name: str, settings: Settings) -> None:
    """Run a part until SIGTERM or SIGINT."""
    configure_logs(name, settings.log_format, settings.log_level)
    connect_rooms()
    {"web": _web, "engine": _engine, "worker": _worker}[name](settings)


def _web(settings: Settings) -> None:
    from sojourn.web.serve import run_web

    run_web(settings)


def _engine(settings: Settings) -> None:
    from sojourn.scenarios.engine_loop import run_engine

    run_engine(settings, SystemClock(), _stop_on_signals())


def _worker(settings: Settings) -> None:
    from sojourn.cli.housekeeping import keep_house
    from sojourn.cli.schedules import keep_schedules
    from sojourn.delivery.worker import run_worker
    from sojourn.kernel.task_queue import run_tasks

    clock, stop = SystemClock(), _stop_on_signals()
    beside = [_Beside(work, settings, clock, stop) for work in (run_tasks, keep_house, keep_schedules)]
    try:
        run_worker(settings, clock, stop)
    finally:
        stop.set()
        for thread in beside:
            thread.join()
    if any(thread.broken for thread in beside):
        raise SystemExit(1)


class _Beside(threading.Thread):
    """Work beside a part's own loop. If it breaks down, the part ends, to be started anew as a whole."""

    def __init__(
        self,
        work: Callable[[Settings, Clock, threading.Event], None],
        settings: Settings,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        super().__init__(name=work.__name__)
        self._work: Callable[[], None] = partial(work, settings, clock, stop)
        self._halt = stop
        self.broken = False
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except Exception:
            log.exception("work beside the part broke down", work=self.name)
            self.broken = True
            self._halt.set()


def run_task_process(settings: Settings, url: str, task_id: int) -> int:
    """Run one background task; gives the exit code of the process."""
    from sojourn.cli import task_kinds
    from sojourn.kernel.tasks import perform

    configure_logs("task", settings.log_format, settings.log_level)
    connect_rooms()
    task_kinds.register_all(settings)
    task = perform(url, SystemClock(), task_id, stop=_stop_on_signals())
    return 0 if task.ended else INTERRUPTED


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
