"""From what an author wrote to the HTML of a letter: MJML is compiled, styles are moved into the elements. Nothing is fetched."""

from __future__ import annotations

import re

import css_inline
import mjml

from sojourn.kernel.errors import Problem
from sojourn.templates.masking import ATTRIBUTE, MarkupScan, edited, mask, scan, unmask

_INLINE_STYLE = re.compile(r"<mj-style\b[^>]*\binline\s*=\s*[\"']inline[\"'][^>]*>(.*?)</mj-style>", re.S | re.I)
_DEPTH = 400
_STRAY_SIGNS = 100
_NUMBER = "data-qqelement"
_POSITION = re.compile(r"\s*(?:in root template )?at position (\d+):\d+")


class MarkupError(Exception):
    """The source cannot be compiled; carries the problem to show."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def html_of(html: str | None, mjml_source: str | None) -> str:
    """The HTML of a letter with its Liquid in place.

    Raises:
        MarkupError: the MJML is not valid, or the styles cannot be applied.
    """
    part, source = ("mjml", mjml_source) if mjml_source else ("html", html or "")
    _check_shape(part, source)
    if mjml_source:
        masked, pieces = mask(mjml_source)
        styles = "\n".join(_INLINE_STYLE.findall(masked))
        compiled = unmask(_compiled(_INLINE_STYLE.sub("", masked)), pieces)
        return with_styles(compiled, styles) if styles.strip() else compiled
    return with_styles(source, None) if "<style" in source.lower() else source


def _check_shape(part: str, source: str) -> None:
    """Refuse what would keep parsers busy for hours, or bring their stacks to an end."""
    if source.rfind("<!--") > source.rfind("-->") or source.count("<", source.rfind(">") + 1) > _STRAY_SIGNS:
        raise MarkupError(Problem("markup", "A comment or a tag is never closed.", part))
    if scan(source).depth > _DEPTH:
        raise MarkupError(Problem("markup", f"Elements are nested more than {_DEPTH} deep.", part))


def _refuse_include(path: str) -> str:
    raise ValueError("files cannot be included")


def _compiled(source: str) -> str:
    try:
        return mjml.mjml2html(source, include_loader=_refuse_include)
    except ValueError as error:
        text = str(error)
        found = _POSITION.search(text)
        place = _place(source, int(found[1])) if found else "mjml"
        raise MarkupError(
            Problem(
                "mjml", f"The MJML is not valid: {_POSITION.sub('', text).replace(' in root template', '')}.", place
            )
        ) from None


def _place(source: str, offset: int) -> str:
    before = source.encode()[:offset].decode(errors="ignore")
    return f"mjml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def with_styles(source: str, css: str | None) -> str:
    """Rules of `<style>` (or only `css`) written into the elements; `<style>` stays for media queries and `:hover`.

    An inliner parses and prints the page, which moves Liquid out of tables. So it works on a copy in which every element is
    numbered, and only the resulting `style` attributes are carried back to their places in the source.
    """
    masked, pieces = mask(source)
    tags = [
        tag
        for tag in MarkupScan(masked).tags
        if tag.name not in ("html", "head", "meta", "title", "style", "script", "link")
    ]
    numbered = edited(
        masked,
        [(tag.at + 1 + len(tag.name), tag.at + 1 + len(tag.name), f' {_NUMBER}="{i}"') for i, tag in enumerate(tags)],
    )
    try:
        inliner = css_inline.CSSInliner(
            inline_style_tags=css is None, extra_css=css, keep_style_tags=True, load_remote_stylesheets=False
        )
        inlined = inliner.inline(numbered)
    except (ValueError, css_inline.InlineError) as error:
        raise MarkupError(Problem("css", f"The styles cannot be applied: {error}.", "html")) from None
    edits = []
    for number, style in _styles(inlined).items():
        tag = tags[number]
        own = next(
            (a for a in ATTRIBUTE.finditer(tag.text, len(tag.name) + 1) if a[1].lower() == "style" and a[2]), None
        )
        if own is None:
            at = tag.at + 1 + len(tag.name)
            edits.append((at, at, f' style="{style}"'))
        elif "{%" not in unmask(own[2], pieces):
            edits.append((tag.at + own.start(2), tag.at + own.end(2), f'"{style}"'))
    return unmask(edited(masked, edits), pieces)


def _styles(inlined: str) -> dict[int, str]:
    """The style of each numbered element."""
    found: dict[int, str] = {}
    for tag in MarkupScan(inlined).tags:
        attributes = {a[1]: a[2].strip('"') for a in ATTRIBUTE.finditer(tag.text, len(tag.name) + 1) if a[2]}
        if "style" in attributes and _NUMBER in attributes:
            found.setdefault(int(attributes[_NUMBER]), attributes["style"])
    return found
