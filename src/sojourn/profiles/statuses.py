"""The seven statuses of profiles and subscriptions, the channels, and who caused a change: numbers and words."""

from __future__ import annotations

SUBSCRIBED, UNSUBSCRIBED, COMPLAINED, HARDBOUNCED, UNCONFIRMED, SUSPENDED, INVALID = range(7)
STATUS_WORDS = ("subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid")
STATUS_NUMBERS = {word: number for number, word in enumerate(STATUS_WORDS)} | {"subscriber": SUBSCRIBED}

EMAIL, SMS, PUSH, TELEGRAM, WHATSAPP, VIBER, NOTIFY = range(1, 8)
CHANNEL_WORDS = {
    EMAIL: "email",
    SMS: "sms",
    PUSH: "push",
    TELEGRAM: "telegram",
    WHATSAPP: "whatsapp",
    VIBER: "viber",
    NOTIFY: "notify",
}
CHANNEL_NUMBERS = {word: number for number, word in CHANNEL_WORDS.items()} | {"telegram_bot": TELEGRAM}

CHANGE_CREATED, CHANGE_UPDATED, CHANGE_SUBSCRIBED, CHANGE_SUBSCRIPTION, CHANGE_DELETED, CHANGE_MERGED, CHANGE_SPLIT = (
    range(1, 8)
)
"""Kinds of rows of `change`."""

CAUSE_MANUAL, CAUSE_FILE, CAUSE_API, CAUSE_FORM, CAUSE_POPUP, CAUSE_SCENARIO, CAUSE_RECIPIENT, CAUSE_SYSTEM = range(
    1, 9
)
"""Causes of rows of `change`."""

(
    IDENTITY_EMAIL,
    IDENTITY_PHONE,
    IDENTITY_EMAIL_SUBSCRIPTION,
    IDENTITY_SMS_SUBSCRIPTION,
    IDENTITY_PUSH,
    IDENTITY_FIELD,
    IDENTITY_OTHER,
) = range(1, 8)
"""Kinds of rows of `identity`."""
