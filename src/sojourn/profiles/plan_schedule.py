"""When a scheduled import runs: once, every so often, or at a time of day of its own zone."""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from sojourn.kernel.times_of_day import next_daily


class PlanSchedule(BaseModel):
    """`once` at a moment; every so many `minutes`; `daily`, on `weekdays` (1 is Monday) or on a day of the month, at a time.

    A month that is too short has the day at its end. What the clock skips comes right after the gap, what comes twice is done once.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["once", "interval", "daily", "weekly", "monthly"]
    once_at: AwareDatetime | None = None
    minutes: int | None = Field(None, ge=5, le=44_640)
    at: str | None = Field(None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    weekdays: list[int] = Field([], max_length=7)
    day: int | None = Field(None, ge=1, le=31)

    @model_validator(mode="after")
    def _whole(self) -> PlanSchedule:
        needed = {"once": "once_at", "interval": "minutes"}.get(self.kind, "at")
        if getattr(self, needed) is None:
            raise ValueError(f"“{self.kind}” needs {needed}")
        if (self.kind == "weekly") != bool(self.weekdays) or (self.kind == "monthly") != (self.day is not None):
            raise ValueError("Days of the week belong to “weekly”, a day to “monthly”")
        if any(not 1 <= day <= 7 for day in self.weekdays) or len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError("Days of the week are 1 for Monday to 7 for Sunday, each once")
        return self

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The next moment after `now`; None: never again."""
        if self.kind == "once":
            assert self.once_at
            return self.once_at if self.once_at > now else None
        if self.kind == "interval":
            assert self.minutes
            return now + timedelta(minutes=self.minutes)
        assert self.at
        return next_daily(now, time.fromisoformat(self.at), zone, self._fits)

    def _fits(self, day: date) -> bool:
        if self.kind == "weekly":
            return day.isoweekday() in self.weekdays
        if self.kind == "monthly":
            assert self.day
            return day.day == min(self.day, calendar.monthrange(day.year, day.month)[1])
        return True
