"""A web server in a thread, on a port of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def live(make_app: Callable[[str], Any]) -> Iterator[str]:
    """Serve the application that `make_app(base_url)` gives; yields the base URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(make_app(base_url), log_level="error", lifespan="auto"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.01)
            yield base_url
        finally:
            server.should_exit = True
            thread.join()


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function that runs an event loop of its own in a thread: the browser of other tests keeps one running in this."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()
