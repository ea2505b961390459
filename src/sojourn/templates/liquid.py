"""Compiles a Liquid text into one Python function.

python-liquid parses; its tree is written out as Python: runs of text and values become one `extend`, paths become guarded look-ups,
filters call python-liquid's own functions. What is unusual here (cycles, captures, …) is rendered by python-liquid itself, so
that the language never has two meanings. A property test holds both equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from liquid import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import logical, primitive
from liquid.builtin.expressions.filtered import FilteredExpression
from liquid.builtin.expressions.path import Path
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.exceptions import LiquidInterrupt, LiquidSyntaxError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from markupsafe import Markup

from sojourn.templates import runtime
from sojourn.templates.language import (
    CLICK,
    OUTPUT_LIMIT,
    SIGN,
    Escape,
    Language,
    Scope,
    Text,
    TrackedNode,
    escaped,
    last_filter,
)

Rendering = Callable[[dict[str, Any]], Any]
_RUNTIME = {name: getattr(runtime, name) for name in runtime.__all__}
_SPECIAL_KEYS = ("size", "first", "last")
_SILENT = (CommentNode, DocNode, InlineCommentNode)
_COMPARISONS = {
    logical.LeExpression: "le({left}, {right})",
    logical.GeExpression: "le({right}, {left})",
    logical.LtExpression: "lt({token}, {left}, {right})",
    logical.GtExpression: "lt({token}, {right}, {left})",
    logical.ContainsExpression: "contains({token}, {left}, {right})",
    logical.EqExpression: "eq({left}, {right})",
    logical.NeExpression: "not eq({left}, {right})",
    logical.LogicalAndExpression: "truthy({left}) and truthy({right})",
    logical.LogicalOrExpression: "truthy({left}) or truthy({right})",
}


def compile_text(source: str, language: Language, *, binary: bool) -> Rendering:
    """A function from a context to the rendered text: `bytes` with CRLF line ends if `binary`, else `str`.

    Raises:
        liquid.exceptions.LiquidError: the text is not valid Liquid.
    """
    template = language.from_string(source)
    assert isinstance(template, Text)
    try:
        return _Writer(template, language, binary).function()
    except (SyntaxError, RecursionError, MemoryError):  # deeper than Python's own compiler goes
        return _rendered_by_liquid(template, binary)


def _rendered_by_liquid(template: Text, binary: bool) -> Rendering:
    if binary:
        return lambda context: runtime.crlf(template.render(context))
    return lambda context: template.render(context)


class _Unusual(Exception):
    """Something that this compiler leaves to python-liquid."""


class _Frame:
    """Where the writer stands: names bound by loops, the list that output goes to."""

    __slots__ = ("append", "extend", "in_loop", "names")

    def __init__(self, names: dict[str, str], append: str, extend: str, in_loop: bool) -> None:
        self.names = names
        self.append = append
        self.extend = extend
        self.in_loop = in_loop

    def loop(self, names: dict[str, str]) -> _Frame:
        return _Frame({**self.names, **names}, self.append, self.extend, True)


class _Writer:
    def __init__(self, template: Text, language: Language, binary: bool) -> None:
        self._template = template
        self._language = language
        self._binary = binary
        analysis = template.analyze()
        self._assigned = frozenset(analysis.locals)
        self._tags = frozenset(analysis.tags)
        self._continues = any(_goes_on(node) for top in template.nodes for node in (top, *_descendants(top)))
        self._constants: dict[str, Any] = {}
        self._roots: dict[str, str] = {}
        self._used: set[str] = set()
        self._counter = 0

    # ------------------------------------------------------------------ the function

    def function(self) -> Rendering:
        frame = _Frame({}, "a", "e", False)
        body = self._nodes(self._template.nodes, frame, mute=False, depth=1)
        lines = ["def render(c):", " o = []; a = o.append; e = o.extend"]
        if self._assigned or "x" in self._used:
            lines.append(" v = {}")
        if "x" in self._used:
            lines.append(" x = lazy(c, v)")
        if "budget" in self._used:
            lines.append(" budget = Budget(); turn = budget.turn")
        lines += [f" {name} = c.get({root!r}, UNDEFINED)" for root, name in self._roots.items()]
        if "click" in self._used:
            lines.append(f" click = c[{CLICK!r}]{'.encode()' if self._binary else ''}")
        lines += body
        join = "b''.join(o)" if self._binary else "''.join(o)"
        lines.append(f" return finished({join})")
        namespace: dict[str, Any] = {
            **_RUNTIME,
            "put": runtime.printer(self._language.escape, self._binary),
            "signed": runtime.signer(self._language.escape, self._binary),
            "lazy": partial(_LazyScope, self._template, self._binary),
            **self._constants,
        }
        exec(compile("\n".join(lines), "<template>", "exec"), namespace)
        return namespace["render"]  # type: ignore[no-any-return]

    def _constant(self, value: Any) -> str:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def _name(self, prefix: str) -> str:
        self._counter += 1
        return f"{prefix}{self._counter}"

    # ------------------------------------------------------------------ nodes

    def _block(self, block: BlockNode, frame: _Frame, depth: int, mute: bool) -> list[str]:
        return self._nodes(block.nodes, frame, mute=mute or block.blank, depth=depth) or [" " * depth + "pass"]

    def _nodes(self, nodes: list[Node], frame: _Frame, *, mute: bool, depth: int) -> list[str]:
        lines: list[str] = []
        parts: list[str] = []
        indent = " " * depth

        def flush() -> None:
            if len(parts) == 1:
                lines.append(f"{indent}{frame.append}({parts[0]})")
            elif parts:
                lines.append(f"{indent}{frame.extend}(({', '.join(parts)}))")
            parts.clear()

        for node in nodes:
            try:
                if isinstance(node, ContentNode):
                    if not mute and node.text:
                        parts.append(self._constant(runtime.crlf(node.text) if self._binary else node.text))
                elif isinstance(node, OutputNode) and not mute:
                    parts.append(self._output(node, frame))
                elif not isinstance(node, _SILENT):
                    written = self._statement(node, frame, depth, mute)
                    flush()
                    lines += written
            except _Unusual:
                if frame.in_loop or frame.append != "a":
                    raise
                flush()
                self._used.add("x")
                known = self._constant(node)
                lines.append(f"{indent}x.run({known})" if mute else f"{indent}a(x.render({known}))")
        flush()
        return lines

    def _statement(self, node: Node, frame: _Frame, depth: int, mute: bool) -> list[str]:
        match node:
            case IfNode() | UnlessNode():
                return self._if(node, frame, depth, mute)
            case ForNode():
                return self._for(node, frame, depth, mute)
            case CaseNode():
                return self._case(node, frame, depth, mute)
            case AssignNode():
                value = self._filtered(node.expression, frame)
                return [f"{' ' * depth}v[{str(node.name)!r}] = {value}", f"{' ' * depth}bound_variables(v)"]
            case TrackedNode():
                return self._tracked(node, frame, depth)
            case BreakNode() if frame.in_loop:
                return [" " * depth + "break"]
            case ContinueNode() if frame.in_loop:
                return [" " * depth + "continue"]
        raise _Unusual

    def _if(self, node: IfNode | UnlessNode, frame: _Frame, depth: int, mute: bool) -> list[str]:
        indent = " " * depth
        negation = "not " if isinstance(node, UnlessNode) else ""
        lines = [
            f"{indent}if {negation}truthy({self._value(node.condition, frame)}):",
            *self._block(node.consequence, frame, depth + 1, mute),
        ]
        for alternative in node.alternatives:
            lines += [
                f"{indent}elif truthy({self._value(alternative.expression, frame)}):",
                *self._block(alternative.block, frame, depth + 1, mute),
            ]
        if node.default:
            lines += [f"{indent}else:", *self._block(node.default, frame, depth + 1, mute)]
        return lines

    def _case(self, node: CaseNode, frame: _Frame, depth: int, mute: bool) -> list[str]:
        """Every matching `when` is rendered, as often as it matches; `else` only if nothing before it did."""
        indent, open_, hits = " " * depth, self._name("d"), self._name("h")
        subject = self._value(
            node.expression, frame
        )  # asked again at each `when`: a block before it may have assigned it
        lines = [f"{indent}{open_} = True"]
        for block in node.blocks:
            if not isinstance(block, MultiExpressionBlockNode):
                lines += [f"{indent}if {open_}:", *self._block(block, frame, depth + 1, mute)]
                continue
            matches = [f"eq_values({subject}, {self._value(e, frame)})" for e in block.expression.expressions]
            if len(matches) == 1:
                lines += [
                    f"{indent}if {matches[0]}:",
                    f"{indent} {open_} = False",
                    *self._block(block.block, frame, depth + 1, mute),
                ]
                continue
            if any(isinstance(inner, BreakNode | ContinueNode) for inner in _descendants(block)):
                raise _Unusual
            lines += [
                f"{indent}{hits} = {' + '.join(matches)}",
                f"{indent}if {hits}: {open_} = False",
                f"{indent}for _ in range({hits}):",
            ]
            lines += self._block(block.block, frame, depth + 1, mute)
        return lines

    def _for(self, node: ForNode, frame: _Frame, depth: int, mute: bool) -> list[str]:
        if frame.append != "a" or self._continues or self._tags & {"increment", "decrement"}:
            raise _Unusual
        loop, indent = node.expression, " " * depth
        over, length, item, helper = self._name("i"), self._name("n"), self._name("t"), self._name("f")
        iterable = self._value(loop.iterable, frame)
        if loop.limit is None and loop.offset is None and not loop.reversed:
            source = f"iterate({iterable})"
        else:
            limit = "None" if loop.limit is None else self._value(loop.limit, frame)
            offset = "None" if loop.offset is None else self._value(loop.offset, frame)
            source = f"sliced({self._constant(loop)}, {iterable}, {limit}, {offset})"
        inner = frame.loop({"forloop": helper, loop.identifier: item})
        body = self._block(node.block, inner, depth + 2, mute)
        self._used.add("budget")
        walked = f"for_loop({over}, {length})" if helper in self._used else over
        lines = [f"{indent}{over}, {length} = {source}", f"{indent}if {length}:"]
        if helper in self._used:
            lines += [f"{indent} {helper} = {walked}"]
            walked = helper
        lines += [f"{indent} for {item} in {walked}:", f"{indent}  turn(o)", *body]
        if node.default:
            lines += [f"{indent}else:", *self._block(node.default, frame, depth + 1, mute)]
        return lines

    def _tracked(self, node: TrackedNode, frame: _Frame, depth: int) -> list[str]:
        if frame.append != "a":
            raise _Unusual
        sink, indent = self._name("q"), " " * depth
        inner = _Frame(frame.names, f"{sink}.append", f"{sink}.extend", frame.in_loop)
        body = self._block(node.block, inner, depth, mute=False)
        return [f"{indent}{sink} = []", *body, f"{indent}a(signed(c[{SIGN!r}], {node.number}, {sink}))"]

    # ------------------------------------------------------------------ expressions

    def _output(self, node: OutputNode, frame: _Frame) -> str:
        expression = node.expression
        if (
            isinstance(expression, FilteredExpression)
            and not expression.filters
            and isinstance(expression.left, Path)
            and expression.left.path == [CLICK]
        ):
            self._used.add("click")
            return "click"
        value = self._filtered(expression, frame)
        after = last_filter(node)
        if self._language.escape in ("url", "json") and after:
            return f"{self._constant(partial(_escaped_after, self._language.escape, after))}({value})"
        return f"put({value})"

    def _filtered(self, expression: Expression, frame: _Frame) -> str:
        if not isinstance(expression, FilteredExpression):
            raise _Unusual
        value = self._value(expression.left, frame)
        for applied in expression.filters or ():
            function = self._language.filters.get(applied.name)
            if function is None:
                raise _Unusual
            if getattr(function, "with_environment", False):
                function = partial(function, environment=self._language)
            arguments = [value]
            for argument in applied.args:
                name = getattr(argument, "name", None)
                if name is not None and not name.isidentifier():
                    raise _Unusual
                given = self._value(argument.value, frame)
                arguments.append(f"**{{{name!r}: {given}}}" if name else given)
            if getattr(function, "with_context", False):
                self._used.add("x")
                arguments.append("context=x()")
            positional = [a for a in arguments if not a.startswith("**")]
            keywords = [a for a in arguments if a.startswith("**")]
            value = f"{self._constant(function)}({', '.join(positional + keywords)})"
        return value

    def _value(self, expression: Expression, frame: _Frame) -> str:
        match expression:
            case Path():
                return self._path(expression, frame)
            case logical.BooleanExpression():
                return self._value(expression.expression, frame)
            case primitive.StringLiteral():
                return self._constant(Markup(expression.value) if self._language.autoescape else str(expression.value))
            case (
                primitive.TrueLiteral()
                | primitive.FalseLiteral()
                | primitive.IntegerLiteral()
                | primitive.FloatLiteral()
            ):
                return self._constant(expression.value)
            case primitive.Nil():
                return "None"
            case primitive.Empty() | primitive.Blank():
                return self._constant(expression)
            case primitive.RangeLiteral():
                return f"{self._constant(expression._make_range)}({self._value(expression.start, frame)}, {self._value(expression.stop, frame)})"
        form = _COMPARISONS.get(type(expression))
        if form is None:
            raise _Unusual
        left, right = self._value(expression.left, frame), self._value(expression.right, frame)  # type: ignore[attr-defined]
        token = self._constant(expression.token) if "{token}" in form else ""
        return f"({form.format(left=left, right=right, token=token)})"

    def _path(self, path: Path, frame: _Frame) -> str:
        head, *rest = path.path
        if not isinstance(head, str) or (head == "forloop" and "parentloop" in rest):
            raise _Unusual
        if head in frame.names:
            value = frame.names[head]
            self._used.add(value)
        elif head in self._assigned:
            if self._tags & {"increment", "decrement"}:
                raise _Unusual
            value = f"(v[{head!r}] if {head!r} in v else c.get({head!r}, UNDEFINED))"
        else:
            value = self._roots.setdefault(head, f"g{len(self._roots)}")
        for key in rest:
            if isinstance(key, Path):
                value = f"member({value}, {self._path(key, frame)})"
            elif isinstance(key, str) and key not in _SPECIAL_KEYS and value.isidentifier():
                value = f"({value}.get({key!r}, UNDEFINED) if {value}.__class__ is dict else member({value}, {key!r}))"
            else:
                value = f"member({value}, {key!r})"
        return value


class _LazyScope:
    """python-liquid's render context, made when something unusual comes, sharing the variables of the compiled function."""

    __slots__ = ("_binary", "_context", "_scope", "_template", "_variables")

    def __init__(self, template: Text, binary: bool, context: dict[str, Any], variables: dict[str, Any]) -> None:
        self._template = template
        self._binary = binary
        self._context = context
        self._variables = variables
        self._scope: Scope | None = None

    def __call__(self) -> Scope:
        if self._scope is None:
            scope = Scope(self._template, globals=self._context)
            scope.scope.pop()
            scope.scope.push(self._variables)
            scope.locals = self._variables
            self._scope = scope
        return self._scope

    def render(self, node: Node) -> Any:
        """What python-liquid makes of one node."""
        text = self.run(node)
        return runtime.crlf(text) if self._binary else text

    def run(self, node: Node) -> str:
        """The same as text; also for nodes whose output is dropped."""
        buffer = LimitedStringIO(OUTPUT_LIMIT)
        try:
            node.render(self(), buffer)
        except LiquidInterrupt as interrupt:
            raise LiquidSyntaxError(f"unexpected '{interrupt}'", token=node.token) from interrupt
        return buffer.getvalue()


def _escaped_after(escape: Escape, after: str, value: object) -> str:
    return escaped(value, escape, after)


def _goes_on(node: Node) -> bool:
    """Whether a loop begins where an earlier one ended (`offset: continue`): then loops must remember their ends."""
    offset = getattr(getattr(node, "expression", None), "offset", None)
    return isinstance(offset, primitive.StringLiteral)


def _descendants(node: Node) -> Iterator[Node]:
    for child in node.children(None):  # type: ignore[arg-type]
        yield child
        yield from _descendants(child)


__all__ = ["Rendering", "compile_text"]
