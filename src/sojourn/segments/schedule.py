"""When an updatable segment is calculated anew besides its incremental changes: by a schedule of its own, else as its rules change with time."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sojourn.kernel.times_of_day import next_daily

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
        days = self.weekdays
        return next_daily(
            now, time.fromisoformat(self.daily_at), zone, lambda day: not days or day.isoweekday() in days
        )
