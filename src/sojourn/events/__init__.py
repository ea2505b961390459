"""Events: everything that happened to profiles, in one append-only log."""

from sojourn.events.kinds import EventKind
from sojourn.events.log import COLUMNS, Event, RecordedEvent, append, history, insert
from sojourn.events.touching import touch, touch_profiles

__all__ = ["COLUMNS", "Event", "EventKind", "RecordedEvent", "append", "history", "insert", "touch", "touch_profiles"]
