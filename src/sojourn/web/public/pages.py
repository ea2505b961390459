"""The pages that recipients see: one plain look, English or Russian, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
import html

from starlette.requests import Request
from starlette.responses import HTMLResponse

from sojourn.web.public.manager_texts import TEXTS

STYLE = """
:root { color-scheme: light dark }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f4f5f7; color: #1b1f24;
  font: 17px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { box-sizing: border-box; width: min(28rem, calc(100vw - 2rem)); padding: 2rem; border-radius: 12px; background: #fff; box-shadow: 0 1px 4px #0002 }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere }
p { margin: 0 0 1.25rem; overflow-wrap: anywhere }
p:last-child { margin: 0 }
button { width: 100%; padding: .8rem 1rem; border: 0; border-radius: 8px; background: #1f5fd6; color: #fff; font: inherit; font-weight: 600; cursor: pointer }
button:hover { background: #194fb4 }
button:focus-visible { outline: 3px solid #8db4ff; outline-offset: 2px }
.consent { white-space: pre-line; font-size: .95rem; opacity: .85 }
.more { margin-top: 1.25rem } .more a { color: inherit }
@media (prefers-color-scheme: dark) { body { background: #15181c; color: #e8eaed } main { background: #1f2429 } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    "vary": "accept-language",
}

_TEXTS: dict[str, dict[str, tuple[str, str, str | None]]] = {
    "en": {
        "leave": ("Unsubscribe from “{resource}”?", "You will get no more messages of this kind.", "Unsubscribe"),
        "left": ("You are unsubscribed", "“{resource}” will not write to you here any more.", None),
        "confirm": (
            "Confirm your subscription",
            "You were signed up for “{resource}”. One click, and messages will come.",
            "Confirm",
        ),
        "confirmed": ("Your subscription is confirmed", "Thank you! “{resource}” will write to you.", None),
        "not_confirmed": (
            "This subscription cannot be confirmed",
            "It has been ended meanwhile. Sign up again if you want messages from “{resource}”.",
            None,
        ),
        "expired": ("This link has expired", "Sign up again, and you will get a new one.", None),
        "unknown": (
            "This link leads nowhere",
            "It is damaged, or too old. Please open it from the message once more.",
            None,
        ),
        "away": ("One moment, please", "This page cannot be shown right now. Please try again in a minute.", None),
    },
    "ru": {
        "leave": ("Отписаться от «{resource}»?", "Вы больше не будете получать такие сообщения.", "Отписаться"),
        "left": ("Вы отписаны", "«{resource}» больше не будет писать вам сюда.", None),
        "confirm": (
            "Подтвердите подписку",
            "Вас подписали на «{resource}». Одно нажатие — и сообщения будут приходить.",
            "Подтвердить",
        ),
        "confirmed": ("Подписка подтверждена", "Спасибо! «{resource}» будет вам писать.", None),
        "not_confirmed": (
            "Эту подписку нельзя подтвердить",
            "За это время она была прекращена. Подпишитесь снова, если хотите получать сообщения «{resource}».",
            None,
        ),
        "expired": ("Срок действия ссылки истёк", "Подпишитесь ещё раз, и вы получите новую.", None),
        "unknown": (
            "Эта ссылка никуда не ведёт",
            "Она повреждена или слишком старая. Откройте её из сообщения ещё раз.",
            None,
        ),
        "away": ("Одну минуту", "Страница сейчас недоступна. Попробуйте ещё раз через минуту.", None),
    },
}


def page(
    request: Request, name: str, resource: str = "", status: int = 200, *, manage: str = "", consent: str = ""
) -> HTMLResponse:
    """One of the pages, in the reader's language; its button, if it has one, posts to the page's own address.

    `manage`: where the reader can choose what he gets; `consent`: what he agrees to by the button.
    """
    language = chosen_language(request.headers.get("accept-language", ""))
    title, text, button = (part and html.escape(part.format(resource=resource)) for part in _TEXTS[language][name])
    form = f'<form method="post"><button>{button}</button></form>' if button else ""
    agreed = f'<p class="consent">{html.escape(consent)}</p>' if consent and button else ""
    choice = TEXTS[language]["manage"]
    link = f'<p class="more"><a href="{html.escape(manage)}">{html.escape(choice)}</a></p>' if manage else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{text}</p>{agreed}{form}{link}</main></body></html>",
        status,
        {**HEADERS, **({"retry-after": "60"} if status == 503 else {})},
    )


def chosen_language(accepted: str) -> str:
    """The language that the reader likes best among ours (RFC 9110 §12.5.4); English if none."""
    wishes = []
    for position, part in enumerate(accepted[:200].split(",")):
        tag, _, quality = part.partition(";")
        try:
            weight = float(quality.partition("=")[2] or 1)
        except ValueError:
            weight = 0.0
        language = tag.strip().lower().partition("-")[0]
        if language in _TEXTS and weight > 0:
            wishes.append((-weight, position, language))
    return min(wishes)[2] if wishes else "en"
