"""What everything stands on: settings, the clock, the database, errors, ids, signed tokens, files, background tasks."""

from sojourn.kernel.clock import Clock, SystemClock, VirtualClock
from sojourn.kernel.errors import SojournError
from sojourn.kernel.ids import LANES, lane_of, parse_public_id, public_id
from sojourn.kernel.settings import Settings

__all__ = [
    "LANES",
    "Clock",
    "Settings",
    "SojournError",
    "SystemClock",
    "VirtualClock",
    "lane_of",
    "parse_public_id",
    "public_id",
]
