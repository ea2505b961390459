"""Log lines of all parts: on standard error, one line each, with the part's name, as text or as JSON."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_QUIET = ("procrastinate", "uvicorn.access", "httpx", "httpcore", "asyncio", "alembic")
"""Libraries whose everyday lines say nothing to an operator; their warnings pass."""


def configure_logs(part: str, form: Literal["text", "json"] = "text", level: str = "info") -> None:
    """Send the lines of this process, ours and those of libraries, to standard error under the name of `part`."""

    def name_part(logger: Any, method: str, event: Any) -> Any:
        event["part"] = part
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        name_part,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    line: Any = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _text_line
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, line],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_LEVELS[level])
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, _LEVELS[level]))


def _text_line(logger: Any, method: str, event: Any) -> str:
    """`time level part: event  name=value …`, and below it the trace of an exception."""
    moment, level, part = (str(event.pop(name, "")) for name in ("timestamp", "level", "part"))
    text, trace = event.pop("event", ""), event.pop("exception", None)
    rest = "".join(f"  {name}={value}" for name, value in event.items())
    return f"{moment[:23]} {level:<7} {part}: {text}{rest}" + (f"\n{trace}" if trace else "")
