"""What can start something: change sets and calls become captures, the door to a scenario."""

from sojourn.triggers.captures import enter
from sojourn.triggers.imports import register_import_triggers
from sojourn.triggers.listeners import HAPPENINGS, Listener, set_listeners

__all__ = ["HAPPENINGS", "Listener", "enter", "register_import_triggers", "set_listeners"]
