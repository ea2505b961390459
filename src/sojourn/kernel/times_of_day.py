"""Times of day in a zone, with hours that come twice and hours that do not come at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
_MOST_DAYS = 800


def next_daily(now: datetime, at: time, zone: ZoneInfo, fits: Callable[[date], bool] = lambda day: True) -> datetime:
    """The next moment after `now` at which a clock in the zone shows `at` on a day that fits; of an hour that comes twice the first one.

    Where the clock skips `at`, the first moment after the gap.

    Raises:
        ValueError: no day within two years fits.
    """
    day = now.astimezone(zone).date()
    for _ in range(_MOST_DAYS):
        moment = _moment(datetime.combine(day, at), zone)
        if moment > now and fits(day):
            return moment.astimezone(now.tzinfo)
        day += timedelta(days=1)
    raise ValueError("no day fits")


def _moment(shown: datetime, zone: ZoneInfo) -> datetime:
    utc = ZoneInfo("UTC")
    moment = shown.replace(tzinfo=zone).astimezone(utc)
    if moment.astimezone(zone).replace(tzinfo=None) == shown:
        return moment
    # The clock skips this time. In a gap fold=1 gives the offset that holds after it, so the search starts before it.
    moment = shown.replace(tzinfo=zone, fold=1).astimezone(utc)
    while moment.astimezone(zone).replace(tzinfo=None) < shown:
        moment += _MINUTE
    return moment
