"""A free port for the web server, with a free one for the call centre beside it."""

from __future__ import annotations

import socket

from demo.settings import CALL_CENTRE_STEP


def free_port_pair() -> int:
    """A port such that it and the call centre's are free at this moment."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port + CALL_CENTRE_STEP > 65_535:
                continue
            try:
                second.bind(("127.0.0.1", port + CALL_CENTRE_STEP))
            except OSError:
                continue
            return port
