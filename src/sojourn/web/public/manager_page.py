"""The page where recipients manage what they get, as HTML: forms that work without scripts, read well aloud, and load nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping
from datetime import tzinfo

from markupsafe import Markup
from starlette.responses import HTMLResponse

from sojourn.kernel.errors import Problem
from sojourn.profiles.fields import Field
from sojourn.profiles.own_data import PAUSES, OwnData
from sojourn.profiles.statuses import STATUS_WORDS, UNSUBSCRIBED
from sojourn.web.public.manager_texts import MISFIT, PROBLEMS, STANDARD_TITLES_RU, TEXTS, day
from sojourn.web.public.pages import HEADERS, STYLE

_STYLE = (
    STYLE
    + """
body { place-items: start center; padding: 2rem 0 }
main { width: min(34rem, calc(100vw - 2rem)) }
header { display: flex; justify-content: space-between; gap: 1rem; align-items: baseline }
header a { white-space: nowrap }
header a, .quiet { color: inherit; opacity: .75; font-size: .9rem }
section { border-top: 1px solid #8883; padding-top: 1.25rem; margin-top: 1.25rem }
h2 { margin: 0 0 .5rem; font-size: 1.1rem }
fieldset { border: 0; margin: 0; padding: 0 }
label { display: block; margin: 0 0 .25rem; font-weight: 600; font-size: .95rem }
.tick { display: flex; gap: .6rem; font-weight: 400; margin: 0 0 .6rem; align-items: baseline }
.tick small { display: block; opacity: .75 }
input:not([type=checkbox]), select { box-sizing: border-box; width: 100%; padding: .6rem .7rem; margin: 0 0 1rem; border: 1px solid #8889; border-radius: 8px; background: transparent;
  color: inherit; font: inherit }
select option { color: #1b1f24; background: #fff }
input:focus-visible, select:focus-visible, a:focus-visible { outline: 3px solid #8db4ff; outline-offset: 1px }
input[aria-invalid=true] { border-color: #c5283d; margin-bottom: .25rem }
.wrong { color: #c5283d; margin: 0 0 1rem; font-size: .95rem }
.note { padding: .7rem .9rem; border-radius: 8px; background: #1f5fd61f }
.note.bad { background: #c5283d1f }
.row { display: flex; flex-wrap: wrap; gap: .6rem } .row select { margin: 0; flex: 1 8rem; width: auto } .row button { width: auto }
button.plain { background: transparent; color: inherit; border: 1px solid #8889 }
button.plain:hover { background: #8882 }
@media (prefers-color-scheme: dark) { .wrong { color: #ff8a95 } select option { color: #e8eaed; background: #1f2429 } }
"""
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    **HEADERS,
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
_KINDS = {"email": "email", "date": "date"}
_MODES = {"integer": "numeric", "float": "decimal", "phones": "tel"}


def manager_page(
    known: OwnData, language: str, zone: tzinfo, *, done: str | None = None, problem: Problem | None = None, given: Mapping[str, str] | None = None,
    chosen: Collection[str] | None = None, preview: bool = False, status: int = 200,
) -> HTMLResponse:  # fmt: skip
    """The page. `done`: what the reader has just done; `problem` with what he had `given`: it is shown again, with the error at its field."""
    words = TEXTS[language]
    head = [_head(known, language), _notes(words, done, problem, preview), _state(known, language, zone)]
    forms = Markup("").join([_own(known, language, problem, given or {}, chosen), *_actions(known, words)])
    body = Markup("").join([*head, Markup("<fieldset disabled>{}</fieldset>").format(forms) if preview else forms])
    title = known.database.manager_title or words["title"]
    return HTMLResponse(
        Markup(
            '<!doctype html><html lang="{}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            "<title>{}</title><style>{}</style></head><body><main>{}</main></body></html>"
        ).format(language, title, Markup(_STYLE), body),
        status,
        _HEADERS,
    )


def _head(known: OwnData, language: str) -> Markup:
    other = "ru" if language == "en" else "en"
    words = TEXTS[language]
    return Markup('<header><h1>{}</h1><a href="?lang={}" lang="{}" hreflang="{}">{}</a></header>').format(
        known.database.manager_title or words["title"], other, other, other, words["switch"]
    )


def _notes(words: Mapping[str, str], done: str | None, problem: Problem | None, preview: bool) -> Markup:
    if preview:
        return Markup('<p class="note" role="note">{}</p>').format(words["preview"])
    if problem is not None:
        text = words["too_often"] if problem.code == "too_often" else words["not_saved"]
        return Markup('<p class="note bad" role="alert">{}</p>').format(text)
    text = words.get(f"done_{done}", "") if done else ""
    return Markup('<p class="note" role="status">{}</p>').format(text) if text else Markup("")


def _state(known: OwnData, language: str, zone: tzinfo) -> Markup:
    words, found = TEXTS[language], known.subscription
    text = words[STATUS_WORDS[found.status]]
    if found.suspended_until is not None:
        text = words["suspended_until"].format(day=day(found.suspended_until.astimezone(zone), language))
    if known.globally == UNSUBSCRIBED:
        text = words["everything_left"]
    return Markup('<p><b>{}</b><br>{} <span class="quiet">{}</span></p>').format(
        found.resource_name, text, found.contact
    )


def _own(
    known: OwnData, language: str, problem: Problem | None, given: Mapping[str, str], chosen: Collection[str] | None
) -> Markup:
    words = TEXTS[language]
    parts = []
    if known.categories:
        ticks = Markup("").join(
            Markup(
                '<label class="tick"><input type="checkbox" name="category" value="{}"{}><span>{}{}</span></label>'
            ).format(
                one.name,
                Markup(" checked") if (one.name in chosen if chosen is not None else known.gets(one)) else "",
                one.title,
                Markup("<small>{}</small>").format(one.description) if one.description else "",
            )
            for one in known.categories
        )
        parts.append(
            Markup('<section aria-labelledby="categories"><h2 id="categories">{}</h2>{}</section>').format(words["categories"], ticks)
        )  # fmt: skip
    if known.fields:
        inputs = Markup("").join(
            _input(field, given.get(field.name, value), language, problem) for field, value in known.fields
        )
        parts.append(
            Markup('<section aria-labelledby="data"><h2 id="data">{}</h2>{}</section>').format(words["data"], inputs)
        )
    if not parts:
        return Markup("")
    return Markup('<form method="post">{}<button name="action" value="save">{}</button></form>').format(
        Markup("").join(parts), words["save"]
    )


def _input(field: Field, value: str, language: str, problem: Problem | None) -> Markup:
    wrong = _wrong(field, language, problem)
    title = STANDARD_TITLES_RU.get(field.name, field.title) if language == "ru" else field.title
    name = f"f.{field.name}"
    about = Markup(' aria-invalid="true" aria-describedby="{}.wrong"').format(name) if wrong else Markup("")
    told = Markup('<p class="wrong" id="{}.wrong">{}</p>').format(name, wrong) if wrong else Markup("")
    words = TEXTS[language]
    if field.type in ("boolean", "enum", "sex"):
        offered = ("yes", "no") if field.type == "boolean" else field.options
        options = Markup("").join(
            Markup('<option value="{}"{}>{}</option>').format(
                one, Markup(" selected") if one == value else "", one if field.type == "enum" else words[one]
            )
            for one in offered
        )
        return Markup(
            '<label for="{}">{}</label><select id="{}" name="{}"{}><option value="">—</option>{}</select>{}'
        ).format(name, title, name, name, about, options, told)
    mode = Markup(' inputmode="{}"').format(_MODES[field.type]) if field.type in _MODES else Markup("")
    hint = Markup(' title="{}"').format(words["several"]) if field.type in ("phones", "tags") else Markup("")
    return Markup('<label for="{}">{}</label><input id="{}" name="{}" type="{}" value="{}" maxlength="1000"{}{}{}>{}').format(
        name, title, name, name, _KINDS.get(field.type, "text"), value, mode, hint, about, told
    )  # fmt: skip


def _wrong(field: Field, language: str, problem: Problem | None) -> str | None:
    if problem is None or problem.place is None or problem.place.partition(".")[0] != field.name:
        return None
    return PROBLEMS[language].get(problem.code) or (problem.message if language == "en" else MISFIT[language])


def _actions(known: OwnData, words: Mapping[str, str]) -> list[Markup]:
    resource = known.subscription.resource_name
    parts = []
    if known.may_resume or known.globally == UNSUBSCRIBED:
        parts.append(_action("resume", words, resource))
    elif known.may_leave and STATUS_WORDS[known.subscription.status] != "unconfirmed":
        options = Markup("").join(
            Markup('<option value="{}">{}</option>').format(days, words["days"].format(days=days)) for days in PAUSES
        )
        parts.append(
            Markup(
                '<section aria-labelledby="pause"><h2 id="pause">{}</h2><p>{}</p><form method="post" class="row"><select name="days" aria-labelledby="pause">{}</select>'
                '<button class="plain" name="action" value="pause">{}</button></form></section>'
            ).format(words["pause"], words["pause_text"], options, words["pause_button"])
        )
    if known.globally != UNSUBSCRIBED:
        if known.may_leave:
            parts.append(_action("leave", words, resource))
        parts.append(_action("all", words, resource))
    return parts


def _action(name: str, words: Mapping[str, str], resource: str) -> Markup:
    return Markup(
        '<section aria-labelledby="{}"><h2 id="{}">{}</h2><p>{}</p><form method="post"><button class="plain" name="action" value="{}">{}</button></form></section>'
    ).format(name, name, words[name], words[f"{name}_text"].format(resource=resource), name, words[f"{name}_button"])
