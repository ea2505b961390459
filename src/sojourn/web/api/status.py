"""`/status`: the release, where messages go, which parts run."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from sojourn import __version__
from sojourn.kernel.heartbeat import fresh_parts
from sojourn.web.api.call import Reading

router = APIRouter(tags=["status"])


class SandboxShape(BaseModel):
    """Whether messages of a channel end in the built-in mailbox, because no server is set."""

    email: bool
    sms: bool


class PartShape(BaseModel):
    """A process that is alive."""

    part: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime


class StatusShape(BaseModel):
    """The state of the installation."""

    version: str
    public_url: str
    sandbox: SandboxShape
    parts: list[PartShape]


@router.get("/status")
def get_status(call: Reading) -> StatusShape:
    """The state of the installation."""
    settings = call.settings
    with call.connection() as connection:
        parts = fresh_parts(connection, call.clock)
    return StatusShape(
        version=__version__,
        public_url=settings.base_url,
        sandbox=SandboxShape(email=not settings.smtp_url, sms=not settings.sms_url),
        parts=[
            PartShape(part=p.part, host=p.host, pid=p.pid, started_at=p.started_at, beat_at=p.beat_at) for p in parts
        ],
    )
