"""A template version ready to be sent: compiled once, rendered for each recipient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from liquid.exceptions import LiquidError

from sojourn.kernel.errors import SojournError
from sojourn.templates import liquid
from sojourn.templates.addresses import MessageLinks
from sojourn.templates.content import EMAIL, SMS, TemplateContent
from sojourn.templates.language import CLICK, SIGN, language, tracked_language
from sojourn.templates.links import OPEN, OWN_ADDRESSES, Link, Numbering, rewrite_html, rewrite_text
from sojourn.templates.markup import html_of
from sojourn.templates.plaintext import text_of

_ALIASES = {"first_name": "_fname", "last_name": "_lname"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message: the subject without line breaks, HTML and text in UTF-8 with CRLF line ends (SMS: text with plain line ends)."""

    subject: str
    html: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Variables:
    """Which data a template asks for."""

    fields: frozenset[str]
    """Names of profile fields, as the API has them."""
    all_fields: bool
    """The template passes the whole profile around, so every field may be needed."""
    roots: frozenset[str]
    """First words of variables: profile, subscription, resource, promo, api, now, …"""


class RenderError(SojournError):
    """A template could not be rendered for this recipient's data."""


class CompiledTemplate:
    """One template version. `render` is what delivery calls; it never changes the context it is given."""

    def __init__(
        self, template_id: int, version: int, name: str, channel: int, confirmation: bool, content: TemplateContent
    ) -> None:
        self.template_id = template_id
        self.version = version
        self.name = name
        self.channel = channel
        self.confirmation = confirmation
        self.from_name = content.from_name
        self.from_email = content.from_email
        self.reply_to = content.reply_to
        self._sources = sources = Sources(content, channel)
        numbering = Numbering(sources.own_names)
        self._html = _program("html", rewrite_html(sources.html, numbering)) if channel == EMAIL else None
        self._text = _program(
            None, rewrite_text(sources.text, numbering) if channel == EMAIL else sources.text, binary=channel == EMAIL
        )
        self._subject = _program(None, sources.subject, binary=False)
        self._plain: tuple[Callable[[dict[str, Any]], Any], Callable[[dict[str, Any]], Any]] | None = None
        self.links: tuple[Link, ...] = tuple(numbering.links)
        variables = sources.variables
        self.fields, self.all_fields, self.uses = variables.fields, variables.all_fields, variables.roots
        self.uses_promo = "promo" in self.uses
        self._addresses = [name for name in OWN_ADDRESSES if name in self.uses]

    def render(self, context: dict[str, Any], links: MessageLinks, *, tracked: bool = True) -> Rendered:
        """The message for one recipient. The context holds profile, subscription, resource, promo, api and `now` as far as used.

        Not `tracked`: links lead straight to where the author said, and nothing tells of an opening.

        Raises:
            RenderError: the data do not fit what the template does with them, or a limit was reached.
        """
        values = dict(context)
        for name in self._addresses:
            values[name] = getattr(links, name)
        if self._html is None:
            return Rendered("", b"", _run("text", self._text, values).encode())
        if not tracked:
            return self._plainly(values)
        values[CLICK] = links.click_base
        values[OPEN] = links.open_url
        values[SIGN] = links.destination
        subject = _one_line(_run("subject", self._subject, values))
        return Rendered(subject, _run("html", self._html, values), _run("text", self._text, values))

    def preview(self, context: dict[str, Any]) -> Rendered:
        """The message as an editor sees it: links lead where the author said, nothing is tracked."""
        values: dict[str, Any] = dict.fromkeys(self._addresses, "#") | context
        if self._html is None:
            return Rendered("", b"", _run("text", self._text, values).encode())
        return self._plainly(values)

    def _plainly(self, values: dict[str, Any]) -> Rendered:
        if self._plain is None:
            self._plain = (_program("html", self._sources.html), _program(None, self._sources.text))
        html, text = self._plain
        return Rendered(
            _one_line(_run("subject", self._subject, values)), _run("html", html, values), _run("text", text, values)
        )


class Sources:
    """The Liquid texts of a version: HTML after MJML and styles, text, subject; and which variables they use."""

    def __init__(self, content: TemplateContent, channel: int) -> None:
        self.subject = content.subject or "" if channel == EMAIL else ""
        self.html = html_of(content.html, content.mjml) if channel == EMAIL else ""
        self.text = content.text or (text_of(self.html) if channel == EMAIL else "")
        analyses = [
            language("html").from_string(self.html).analyze(),
            *(language(None).from_string(t).analyze() for t in (self.text, self.subject)),
        ]
        self.own_names = frozenset(name for analysis in analyses for name in analysis.locals)
        self.variables = _variables(analyses)


def _variables(analyses: Iterable[Any]) -> Variables:
    fields: set[str] = set()
    roots: set[str] = set()
    everything = False
    for analysis in analyses:
        roots |= set(analysis.globals)
        for variable in analysis.globals.get("profile", ()):
            name = variable.segments[1] if len(variable.segments) > 1 else None
            if not isinstance(name, str):
                everything = True
            elif name != "id":
                fields.add(_ALIASES.get(name, name))
    return Variables(frozenset(fields), everything, frozenset(roots))


def _program(escape: Any, source: str, *, binary: bool = True) -> Callable[[dict[str, Any]], Any]:
    return liquid.compile_text(source, tracked_language(escape), binary=binary)


def _run(part: str, program: Callable[[dict[str, Any]], Any], values: dict[str, Any]) -> Any:
    try:
        return program(values)
    except LiquidError as error:
        raise RenderError("render", f"The {part} cannot be rendered: {error.message}.", part) from error
    except Exception as error:
        raise RenderError("render", f"The {part} cannot be rendered: {error}.", part) from error


def _one_line(text: str) -> str:
    return " ".join(text.split())


__all__ = ["EMAIL", "SMS", "CompiledTemplate", "RenderError", "Rendered", "Sources", "Variables"]
