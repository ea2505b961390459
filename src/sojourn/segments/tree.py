"""The rule tree: `{"all": […]}`, `{"any": […]}`, `{"not": …}` around rules; the documented table is docs/reference/rules.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from sojourn.kernel.errors import Problem, SojournError
from sojourn.profiles import Database
from sojourn.segments.registry import RULES
from sojourn.segments.rule import Language, Lookup, Rule

Tree = dict[str, Any]
"""A tree as it stands in documents: plain JSON."""
MAX_RULES, MAX_DEPTH = 200, 12
_HALF = re.compile("[\ud800-\udfff]")
_JOIN: dict[Language, dict[str, str]] = {
    "en": {"all": " and ", "any": " or ", "not": "not"},
    "ru": {"all": " и ", "any": " или ", "not": "не"},
}


class Group:
    """`all`, `any` or `not` over its children."""

    def __init__(self, kind: str, children: list[Group | Rule]) -> None:
        self.kind = kind
        self.children = children

    def rules(self) -> Iterator[Rule]:
        """All rules below."""
        for child in self.children:
            if isinstance(child, Group):
                yield from child.rules()
            else:
                yield child


def parse_tree(tree: Any, place: str = "rules") -> Group:
    """The tree as objects.

    Raises:
        SojournError: `bad_rules`, with the place inside the tree.
    """
    node = _parse(tree, place, 0)
    group = node if isinstance(node, Group) else Group("all", [node])
    if sum(1 for _ in group.rules()) > MAX_RULES:
        raise SojournError("bad_rules", f"More than {MAX_RULES} rules.", place)
    return group


def _parse(tree: Any, place: str, depth: int) -> Group | Rule:
    if depth > MAX_DEPTH:
        raise SojournError("bad_rules", f"Rules are nested more than {MAX_DEPTH} deep.", place)
    if not isinstance(tree, dict):
        raise SojournError(
            "bad_rules", "A rule is an object such as {rule: field, …}, {all: […]}, {any: […]} or {not: …}.", place
        )
    if "rule" in tree:
        kind = RULES.get(tree["rule"]) if isinstance(tree["rule"], str) else None
        if kind is None:
            raise SojournError(
                "bad_rules",
                f"There is no rule “{tree['rule']}”; there are {', '.join(sorted(RULES))}.",
                f"{place}.rule",
            )
        if not _can_be_kept(tree):
            raise SojournError("bad_rules", "A text holds a sign that cannot be kept.", place)
        try:
            return kind.model_validate(tree)
        except ValidationError as error:
            raise _refused(error, place) from None
    if len(tree) != 1 or next(iter(tree)) not in ("all", "any", "not"):
        raise SojournError("bad_rules", "A group has exactly one of the keys all, any, not.", place)
    key, value = next(iter(tree.items()))
    if key == "not":
        return Group("not", [_parse(value, f"{place}.not", depth + 1)])
    if not isinstance(value, list) or not value:
        raise SojournError("bad_rules", f"“{key}” holds a list with at least one rule.", f"{place}.{key}")
    return Group(key, [_parse(child, f"{place}.{key}.{index}", depth + 1) for index, child in enumerate(value)])


def _refused(error: ValidationError, place: str) -> SojournError:
    """The first thing that is wrong; where settings may be of several kinds, the place names the setting and not the kind."""
    first = error.errors()[0]
    known = [step for step in first["loc"][:1] if isinstance(step, str)]
    known += [str(step) for step in first["loc"][1:] if isinstance(step, int)]
    return SojournError("bad_rules", first["msg"].removeprefix("Value error, ") + ".", ".".join([place, *known]))


def _can_be_kept(tree: Any) -> bool:
    """Whether the database can keep all texts: none holds NUL or half a character."""
    rest = [tree]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            rest += [*value, *value.values()]
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, str) and ("\x00" in value or _HALF.search(value)):
            return False
    return True


def check(tree: Any, database: Database, lookup: Lookup, place: str = "rules") -> list[Problem]:
    """Everything that is wrong with a tree for this database; `place` leads to the setting: `rules.all.0.not.value`."""
    try:
        group = parse_tree(tree, place)
    except SojournError as error:
        return [Problem(error.code, error.message, error.place)]
    lone = "rule" in tree
    return list(_problems(group.children[0] if lone else group, database, lookup, place))


def _problems(node: Group | Rule, database: Database, lookup: Lookup, place: str) -> Iterator[Problem]:
    if isinstance(node, Rule):
        for problem in node.check(database, lookup):
            at = f"{place}.{problem.place}" if problem.place else place
            yield Problem(problem.code, problem.message, at)
        return
    for index, child in enumerate(node.children):
        step = "not" if node.kind == "not" else f"{node.kind}.{index}"
        yield from _problems(child, database, lookup, f"{place}.{step}")


def resolve(tree: Any, lookup: Lookup) -> Tree:
    """The same tree with ids in place of names."""
    if "rule" in tree:
        kind = RULES[tree["rule"]]
        rule = kind.model_validate(tree)  # whose settings are of the right type: a number may be written as 1.0
        named = {name: _resolved(getattr(rule, name), what, lookup) for name, what in kind.references.items()}
        return {key: named.get(key, value) for key, value in tree.items()}
    key, value = next(iter(tree.items()))
    return {key: resolve(value, lookup) if key == "not" else [resolve(child, lookup) for child in value]}


def _resolved(value: Any, kind: str, lookup: Lookup) -> Any:
    if value is None:
        return None
    return [lookup.find(kind, one) for one in value] if isinstance(value, list) else lookup.find(kind, value)


def describe(tree: Any, language: Language, database: Database, lookup: Lookup) -> str:
    """The tree as one sentence."""

    def words(node: Group | Rule) -> str:
        if isinstance(node, Rule):
            return node.text(language, database, lookup)
        parts = [
            f"({words(child)})" if isinstance(child, Group) and len(child.children) > 1 else words(child)
            for child in node.children
        ]
        if node.kind == "not":
            return f"{_JOIN[language]['not']} ({parts[0]})"
        return _JOIN[language][node.kind].join(parts)

    return words(parse_tree(tree))
