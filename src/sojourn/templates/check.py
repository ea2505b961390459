"""Finds what is wrong with the texts of a template before it is saved, with the line and column of each mistake."""

from __future__ import annotations

import re
from collections import deque

from liquid.exceptions import LiquidError

from sojourn.kernel.errors import Problem
from sojourn.templates.compiled import Sources
from sojourn.templates.content import EMAIL, SMS, TemplateContent
from sojourn.templates.language import Escape, language
from sojourn.templates.markup import MarkupError

TEXT_LIMIT = 400_000
"""Characters of one text; mail programs cut letters off at a quarter of it."""
_STRAY_SIGNS = 100
_LINE_LIMITS = {"subject": 1000, "from_name": 200, "from_email": 320, "reply_to": 320}


def liquid_problems(source: str, part: str, escape: Escape = None) -> list[Problem]:
    """Mistakes of a Liquid text; `place` is `part:line:column`."""
    environment = language(escape)
    if open_block := _never_closed(source):
        return [Problem("liquid", f"“{open_block[1]}” is never closed.", _place(part, source, open_block.start()))]
    try:
        template = environment.from_string(source)
    except LiquidError as error:
        index = error.token.start_index if error.token else 0
        return [Problem("liquid", _sentence(error), _place(part, source, index))]
    unknown = [(name, spans) for name, spans in template.analyze().filters.items() if name not in environment.filters]
    return [
        Problem("liquid", f"There is no filter “{name}”.", _place(part, source, spans[0].index))
        for name, spans in unknown
    ]


def _never_closed(source: str) -> re.Match[str] | None:
    """A block or value without its end. Parsers look for each such end through the whole rest, so many of them would take hours."""
    for word in ("raw", "comment", "doc"):
        found = deque(re.finditer(r"\{%-?\s*(?:end)?(" + word + r")\b", source), maxlen=1)
        last = found[0] if found else None
        if last and "end" not in last[0]:
            return last
    behind = source.rfind("}}") + 1
    return re.compile(r"(\{\{)").search(source, behind) if source.count("{{", behind) > _STRAY_SIGNS else None


def content_problems(content: TemplateContent, channel: int, confirmation: bool) -> list[Problem]:
    """Everything that forbids to save this content."""
    if channel not in (EMAIL, SMS):
        return [Problem("channel", "Templates exist for e-mail and SMS.", "channel")]
    problems = _sizes(content) or (_email_parts(content) if channel == EMAIL else _sms_parts(content))
    problems += [
        p
        for part in ("html", "mjml", "text", "subject")
        if (source := getattr(content, part))
        for p in liquid_problems(source, part, _escape_of(part))
    ]
    if problems or channel == SMS:
        return problems
    try:
        sources = Sources(content, channel)
    except MarkupError as error:
        return [error.problem]
    except LiquidError as error:
        return [
            Problem(
                "text", f"No text can be made from this HTML ({_sentence(error)}): write the text yourself.", "text"
            )
        ]
    if confirmation:
        return (
            []
            if "opt_in_url" in sources.variables.roots
            else [Problem("opt_in_url", "A confirmation letter needs the link {{ opt_in_url }}.", _body(content))]
        )
    return _unsubscribe_problems(content, sources)


def _escape_of(part: str) -> Escape:
    return "html" if part in ("html", "mjml") else None


def _body(content: TemplateContent) -> str:
    return "mjml" if content.mjml else "html"


def _sizes(content: TemplateContent) -> list[Problem]:
    limits = {**_LINE_LIMITS, **dict.fromkeys(("html", "mjml", "text"), TEXT_LIMIT)}
    problems = [
        Problem("too_long", f"At most {limit} characters.", part)
        for part, limit in limits.items()
        if len(getattr(content, part) or "") > limit
    ]
    problems += [
        Problem("line", "Must be one line.", part)
        for part in _LINE_LIMITS
        if any(ord(c) < 32 or ord(c) == 127 for c in getattr(content, part) or "")
    ]
    return problems


def _email_parts(content: TemplateContent) -> list[Problem]:
    from email_validator import EmailNotValidError, validate_email

    problems = []
    if not (content.subject or "").strip():
        problems.append(Problem("required", "A letter needs a subject.", "subject"))
    if not content.html and not content.mjml:
        problems.append(Problem("required", "A letter needs HTML or MJML.", "html"))
    if content.html and content.mjml:
        problems.append(Problem("ambiguous", "Give HTML or MJML, not both.", "mjml"))
    for part in ("from_email", "reply_to"):
        if address := getattr(content, part):
            try:
                validate_email(
                    address, check_deliverability=False, strict=True, test_environment=True, globally_deliverable=False
                )
            except EmailNotValidError as error:
                problems.append(Problem("email", str(error), part))
    return problems


def _sms_parts(content: TemplateContent) -> list[Problem]:
    problems = [] if (content.text or "").strip() else [Problem("required", "A text message needs a text.", "text")]
    return problems + [
        Problem("not_for_sms", "A text message has only a text.", part)
        for part in ("subject", "html", "mjml")
        if getattr(content, part)
    ]


def _unsubscribe_problems(content: TemplateContent, sources: Sources) -> list[Problem]:
    parts = {_body(content): language("html").from_string(sources.html)}
    if content.text:
        parts["text"] = language(None).from_string(content.text)
    return [
        Problem("unsubscribe_url", "A letter needs a link to unsubscribe: {{ unsubscribe_url }}.", part)
        for part, template in parts.items()
        if "unsubscribe_url" not in template.analyze().globals
    ]


def _sentence(error: LiquidError) -> str:
    text = str(error.message or "this is not valid Liquid")
    return text[:1].upper() + text[1:] + "."


def _place(part: str, source: str, index: int) -> str:
    return f"{part}:{source.count(chr(10), 0, index) + 1}:{index - source.rfind(chr(10), 0, index)}"
