"""What a tree of rules probably does not mean: hints for whoever edits it. They never stop anybody."""

from __future__ import annotations

from sojourn.segments.operators import OPERATORS
from sojourn.segments.rule import Language, Rule
from sojourn.segments.tree import Group, Tree, parse_tree

_NEGATIVE = frozenset(one.code for one in OPERATORS.values() if one.opposite_of and one.code != "not_set")
_NEGATIVE_WORDS = frozenset({"never", "not_in", "never_entered", "not_inside", "none"})
_MANY = 3
_TEXTS: dict[str, dict[Language, str]] = {
    "or_of_negations": {
        "en": "“Not this or not that” only leaves out people who have both. To leave out everybody who has one of them, join the conditions by “all”.",
        "ru": "«Не то или не это» исключает только тех, у кого есть и то, и другое. Чтобы исключить всех, у кого есть хотя бы одно, соедините условия через «все».",
    },
    "many_negations": {
        "en": "There are many negative conditions. One positive condition is usually clearer and quicker to calculate.",
        "ru": "Много отрицательных условий. Обычно одно положительное условие понятнее и считается быстрее.",
    },
    "not_in_segment": {
        "en": "“Is not in a segment” compares with the whole segment. Copying its conditions with the opposite meaning is often quicker.",
        "ru": "«Не состоит в сегменте» сравнивает со всем сегментом. Часто быстрее скопировать его условия с обратным смыслом.",
    },
}  # fmt: skip


def hints(tree: Tree, language: Language) -> list[str]:
    """Hints for a tree that is in order."""
    group = parse_tree(tree)
    found = []
    if _has_or_of_negations(group):
        found.append("or_of_negations")
    if sum(_negative(rule) for rule in group.rules()) + _nots(group) > _MANY:
        found.append("many_negations")
    if any(rule.segments and getattr(rule, "membership", "") == "not_in" for rule in group.rules()):
        found.append("not_in_segment")
    return [_TEXTS[code][language] for code in found]


def _negative(node: Group | Rule) -> bool:
    if isinstance(node, Group):
        return node.kind == "not"
    values = (getattr(node, name, None) for name in ("operator", "happened", "membership", "participation", "presence"))
    return any(value in _NEGATIVE | _NEGATIVE_WORDS for value in values)


def _has_or_of_negations(group: Group) -> bool:
    here = group.kind == "any" and sum(_negative(child) for child in group.children) > 1
    return here or any(_has_or_of_negations(child) for child in group.children if isinstance(child, Group))


def _nots(group: Group) -> int:
    return (group.kind == "not") + sum(_nots(child) for child in group.children if isinstance(child, Group))
