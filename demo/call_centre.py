"""The call centre of the demo: takes the API requests of the scenario as tasks, answers JSON, and is now and then too busy at first.

It keeps its word about `Idempotency-Key`: the same key is the same task, however often it comes.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import OrderedDict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any

HOST = "127.0.0.1"
BUSY_FIRST = 0.1
"""Share of tasks whose first call is refused with 503."""
_MOST_BYTES = 100_000
_KEPT = 50_000


class CallCentre:
    """The tasks, and whether there is a free line. `tasks` holds the newest 50,000 by their idempotency key."""

    def __init__(self, busy_first: float = BUSY_FIRST) -> None:
        self.tasks: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.refused = 0
        self._busy_first = busy_first
        self._turned_away: OrderedDict[str, None] = OrderedDict()
        self._numbers = 0
        self._lock = threading.Lock()

    def take(self, key: str, task: dict[str, Any]) -> tuple[HTTPStatus, dict[str, Any]]:
        """The answer to one call."""
        with self._lock:
            known = self.tasks.get(key)
            if known is not None:
                return HTTPStatus.OK, known
            if key not in self._turned_away and Random(key).random() < self._busy_first:
                _remember(self._turned_away, key, None)
                self.refused += 1
                return HTTPStatus.SERVICE_UNAVAILABLE, {"error": "All lines are busy, call again in a moment."}
            self._numbers += 1
            accepted = {"task": self._numbers, "accepted": True, "name": task.get("name"), "phone": task.get("phone")}
            _remember(self.tasks, key, accepted)
            return HTTPStatus.CREATED, accepted


def _remember(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    while len(memory) > _KEPT:
        memory.popitem(last=False)


class CallCentreServer:
    """The call centre behind HTTP: `POST /tasks` and `GET /tasks` (the newest hundred). Serves while the `with` block lasts."""

    def __init__(self, centre: CallCentre, port: int) -> None:
        self._server = _Server((HOST, port), _handler(centre))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="call centre")

    @property
    def address(self) -> str:
        """Where tasks are posted."""
        return f"http://{HOST}:{self._server.server_port}/tasks"

    def __enter__(self) -> CallCentreServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # workers call in bursts; the default of 5 makes them wait for seconds

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is no matter; anything else is told."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def _handler(centre: CallCentre) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            if self.path != "/tasks":
                return self._answer(HTTPStatus.NOT_FOUND, {"error": "There are only /tasks here."})
            self._answer(
                HTTPStatus.OK,
                {"count": len(centre.tasks), "refused": centre.refused, "newest": list(centre.tasks.values())[-100:]},
            )

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            if self.path != "/tasks" or not 0 < size <= _MOST_BYTES:
                self.close_connection = True  # whatever body there is stays unread
                return self._answer(
                    HTTPStatus.NOT_FOUND if self.path != "/tasks" else HTTPStatus.BAD_REQUEST, {"error": "Not a task."}
                )
            try:
                task = json.loads(self.rfile.read(size))
            except ValueError:
                return self._answer(HTTPStatus.BAD_REQUEST, {"error": "Not JSON."})
            if not isinstance(task, dict) or not task.get("phone"):
                return self._answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "A task needs a phone number."})
            self._answer(*centre.take(self.headers.get("idempotency-key") or str(task["phone"]), task))

        def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                self.send_header("Retry-After", "2")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
