"""The public pages: what recipients of messages reach without logging in."""

from sojourn.web.public.recorder import Recorder
from sojourn.web.public.routes import public_routes

__all__ = ["Recorder", "public_routes"]
