"""The e-mail channel: letters and how they are handed over."""

from sojourn.channels.email.mime import MimeError, build, message_id

__all__ = ["MimeError", "build", "message_id"]
