"""When an updatable segment is calculated anew besides its incremental changes: by a schedule of its own, else as its rules change with time."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

_MINUTE = timedelta(minutes=1)
HOURLY = timedelta(hours=1)


class Schedule(BaseModel):
    """Every so many minutes; or at a time of day of the account's zone, daily or on some days of the week (1 is Monday)."""

    model_config = ConfigDict(extra="forbid")

    every_minutes: int | None = Field(None, ge=5, le=10_080)
    daily_at: str | None = Field(None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    weekdays: list[int] = Field([], max_length=7)

    @model_validator(mode="after")
    def _one(self) -> Schedule:
        if (self.every_minutes is None) == (self.daily_at is None):
            raise ValueError("Give the minutes or the time of day")
        if self.weekdays and self.daily_at is None:
            raise ValueError("Days of the week belong to a time of day")
        if any(not 1 <= day <= 7 for day in self.weekdays) or len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError("Days of the week are 1 for Monday to 7 for Sunday, each once")
        return self

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The next moment after `now`."""
        if self.every_minutes is not None:
            return now + timedelta(minutes=self.every_minutes)
        assert self.daily_at
        return next_daily(now, time.fromisoformat(self.daily_at), zone, self.weekdays)


def next_daily(now: datetime, at: time, zone: ZoneInfo, weekdays: list[int] | None = None) -> datetime:
    """The next moment after `now` at which a clock in the zone shows `at`, of an hour that comes twice the first one, on one of the days if some are given.

    Where the clock skips `at`, the first moment after the gap.
    """
    day = now.astimezone(zone).date()
    while True:
        moment = _moment(datetime.combine(day, at), zone)
        if moment > now and (not weekdays or day.isoweekday() in weekdays):
            return moment.astimezone(now.tzinfo)
        day += timedelta(days=1)


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
