"""The language of templates: Liquid as python-liquid understands it, with limits, without files, and with the clock passed in."""

from __future__ import annotations

import html
import json as json_text
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Literal, TextIO
from urllib.parse import quote

from liquid import BlockNode, Environment, Node, RenderContext, TokenStream
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.exceptions import ResourceLimitError
from liquid.filter import with_context
from liquid.parser import get_parser
from liquid.stringify import to_liquid_string
from liquid.tag import Tag
from liquid.template import BoundTemplate
from liquid.token import TOKEN_TAG
from liquid.undefined import is_undefined
from liquid.utils import ReadOnlyChainMap

Escape = Literal["html", "url", "json"] | None
"""How values are made safe for where they stand; None: plain text."""

OUTPUT_LIMIT = 4_000_000
LOOP_LIMIT = 100_000
VARIABLE_LIMIT = 1_000_000
SIGN, CLICK = "_sign", "_click"
"""Names in the context: the function that signs a destination, and the address that click numbers are appended to."""

_SEQUENCE_FILTERS = (
    "compact", "concat", "find", "find_index", "first", "has", "join", "last", "map", "reject", "reverse", "size", "sort",
    "sort_natural", "sum", "uniq", "where",
)  # fmt: skip
_TRACKED_SCHEMES = ("http://", "https://")
_FORBIDDEN_TAGS = ("include", "render")


class Scope(RenderContext):
    """A render context that knows no time of its own: `now` is what the caller gives."""

    def __init__(self, template: BoundTemplate, **options: Any) -> None:
        super().__init__(template, **options)
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)


class Text(BoundTemplate):
    """A parsed text."""

    context_class = Scope


class Language(Environment):
    """Liquid for authors. `Language("html")` escapes values for HTML."""

    template_class = Text
    output_stream_limit = OUTPUT_LIMIT
    loop_iteration_limit = LOOP_LIMIT
    local_namespace_limit = VARIABLE_LIMIT

    def __init__(self, escape: Escape) -> None:
        self.escape = escape
        super().__init__(autoescape=escape == "html")

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """The standard tags without those that read files; standard filters with guards against growth; `json`."""
        super().setup_tags_and_filters()
        for name in _FORBIDDEN_TAGS:
            del self.tags[name]
        if self.escape in ("url", "json"):
            self.add_tag(_EscapedOutput)
            self.add_tag(_EscapedEcho)
        for name in _SEQUENCE_FILTERS:
            self.add_filter(name, _bounded(self.filters[name]))
        self.add_filter("replace", _bounded_replace(self.filters["replace"]))
        self.add_filter("date", _date(self.filters["date"]))
        self.add_filter("json", _json)


class TrackedLanguage(Language):
    """The language after link rewriting: additionally knows `{% tracked n %}address{% endtracked %}`."""

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters()
        self.add_tag(_TrackedTag)


class TrackedNode(Node):
    """A link whose destination comes from data: rendered first, then signed."""

    __slots__ = ("block", "number")

    def __init__(self, token: Any, number: int, block: BlockNode) -> None:
        super().__init__(token)
        self.number = number
        self.block = block
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        inner = context.get_buffer(buffer)
        self.block.render(context, inner)
        return buffer.write(signed(context.resolve(SIGN), self.number, inner.getvalue(), context.autoescape))

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        yield self.block


def signed(sign: Callable[[int, str], str], number: int, address: str, escaped: bool) -> str:
    """The tracked form of a rendered address; what is not http(s) stays as it is."""
    destination = (html.unescape(address) if escaped and "&" in address else address).strip()
    return (
        sign(number, destination)
        if destination.startswith(_TRACKED_SCHEMES) or destination[:8].lower().startswith(_TRACKED_SCHEMES)
        else address
    )


class _TrackedTag(Tag):
    name = "tracked"
    end = "endtracked"

    def parse(self, stream: TokenStream) -> TrackedNode:
        token = stream.eat(TOKEN_TAG)
        number = int(stream.into_inner(tag=token).current.value)
        block = get_parser(self.env).parse_block(stream, frozenset({self.end}))
        stream.expect(TOKEN_TAG, value=self.end)
        return TrackedNode(token, number, block)


class _EscapedOutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        return buffer.write(escaped(value, context.env.escape, last_filter(self)))  # type: ignore[attr-defined]


class _EscapedOutput(Output):
    node_class = _EscapedOutputNode


class _EscapedEcho(EchoTag):
    node_class = _EscapedOutputNode  # type: ignore[assignment]


def last_filter(node: OutputNode) -> str | None:
    """The name of the filter that an output statement applies last."""
    filters = getattr(node.expression, "filters", None)
    return filters[-1].name if filters else None


def escaped(value: object, escape: Escape, after: str | None) -> str:
    """A value as it is printed into an address or a JSON body; `after` is the filter that has escaped it already, if any."""
    if after == "safe" or (escape == "url" and after == "url_encode") or (escape == "json" and after == "json"):
        return to_liquid_string(value, False)
    if escape == "json":
        return _json_inside(value)
    return quote(to_liquid_string(value, False), safe="")


def _json_inside(value: object) -> str:
    if is_undefined(value) or value is None:
        return ""
    if isinstance(value, list | dict):
        return _json(value)
    return json_text.dumps(to_liquid_string(value, False), ensure_ascii=False)[1:-1]


def _json(value: object) -> str:
    return json_text.dumps(None if is_undefined(value) else value, ensure_ascii=False, default=str)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuses ranges that are far too long to be meant, and joins that would fill the memory."""

    @wraps(function)
    def guarded(value: Any, *args: Any, **options: Any) -> Any:
        for given in (value, *args):
            if isinstance(given, range) and (given.stop - given.start) > LOOP_LIMIT:
                raise ResourceLimitError("the range is too long", token=None)
        if function.__name__ == "join" and isinstance(value, Sequence) and args:
            separator = args[0]
            if isinstance(separator, str) and len(separator) * len(value) > VARIABLE_LIMIT:
                raise ResourceLimitError("the joined text is too long", token=None)
        return function(value, *args, **options)

    return guarded


def _bounded_replace(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def guarded(value: Any, seq: Any, sub: Any = "", **options: Any) -> Any:
        text, pattern, new = str(value), str(seq), str(sub)
        if len(new) > 1 and (text.count(pattern) if pattern else len(text) + 1) * len(new) > VARIABLE_LIMIT:
            raise ResourceLimitError("the replaced text is too long", token=None)
        return function(value, seq, sub, **options)

    return guarded


def _date(function: Callable[..., Any]) -> Callable[..., Any]:
    """`date` without a clock of its own: `now` comes from the context, numbers are seconds in UTC, nothing stays nothing."""

    @with_context
    def date(value: Any, form: Any, *, context: RenderContext) -> Any:
        if isinstance(value, str) and value in ("now", "today"):
            value = context.resolve("now", default=None)
        if value is None or value == "":
            return ""
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value, UTC)
        return function(value, form, environment=context.env)

    return date


_AUTHORS: dict[Escape, Language] = {}
_TRACKED: dict[Escape, TrackedLanguage] = {}


def language(escape: Escape) -> Language:
    """The language as authors write it."""
    return _AUTHORS.get(escape) or _AUTHORS.setdefault(escape, Language(escape))


def tracked_language(escape: Escape) -> TrackedLanguage:
    """The language of texts whose links were rewritten."""
    return _TRACKED.get(escape) or _TRACKED.setdefault(escape, TrackedLanguage(escape))
