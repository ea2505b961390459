"""`sojourn web`: serves the application until SIGTERM or SIGINT. Several processes share one port; the kernel deals connections out."""

from __future__ import annotations

import gc
import signal
import socket
from types import FrameType

import uvicorn

from sojourn.kernel import Settings, SystemClock
from sojourn.kernel.errors import Conflict
from sojourn.web.app import WebApplication, create_app

_GRACE = 5
"""Seconds that calls in hand have to end."""


class _Server(uvicorn.Server):
    """Tells the application at once that the end has come, so that event streams don't hold it up."""

    def __init__(self, config: uvicorn.Config, application: WebApplication) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._application.installation.stopping.set()
        super().handle_exit(sig, frame)


def run_web(settings: Settings) -> None:
    """Serve until asked to stop; calls in hand are answered first.

    Raises:
        Conflict: `port_taken`.
    """
    application = create_app(settings, SystemClock())
    config = uvicorn.Config(
        application,
        loop="auto",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=_GRACE,
        backlog=1024,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)  # before the server takes signals over, and after: it raises them again at its end
    # Batches make many objects and no cycles; looking for those as often as by default costs a fifth of the time (bench/api_import.py).
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with listening_socket(settings) as listener:
        _Server(config, application).run(sockets=[listener])


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def listening_socket(settings: Settings) -> socket.socket:
    """A socket that other web processes of the installation may share.

    Raises:
        Conflict: `port_taken`.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise Conflict(
            "port_taken", f"Cannot listen on {settings.host}:{settings.port}: {reason}.", "SOJOURN_PORT"
        ) from None
    return listener
