"""Providers of mailboxes and their domains, collected by us: what *domain group* means."""

from __future__ import annotations

DOMAIN_GROUPS: dict[str, tuple[str, ...]] = {
    "google": ("gmail.com", "googlemail.com"),
    "microsoft": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "live.co.uk", "outlook.fr", "hotmail.fr", "outlook.de", "hotmail.de"),
    "yahoo": ("yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.it", "yahoo.es", "yahoo.co.jp", "yahoo.com.br", "ymail.com", "rocketmail.com", "aol.com"),
    "apple": ("icloud.com", "me.com", "mac.com"),
    "yandex": ("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "narod.ru"),
    "mailru": ("mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru"),
    "rambler": ("rambler.ru", "lenta.ru", "autorambler.ru", "myrambler.ru", "ro.ru", "rambler.ua"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "gmx": ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de"),
}  # fmt: skip
GROUP_TITLES: dict[str, str] = {
    "google": "Gmail", "microsoft": "Outlook, Hotmail", "yahoo": "Yahoo, AOL", "apple": "iCloud", "yandex": "Yandex", "mailru": "Mail.ru", "rambler": "Rambler",
    "proton": "Proton", "gmx": "GMX, WEB.DE",
}  # fmt: skip
