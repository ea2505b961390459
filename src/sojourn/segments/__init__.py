"""Who: rule trees that say which profiles are meant, and their SQL.

The same tree serves conditions of scenarios, and later filters, mailings, goals and reports. A rule is one module in `rules/`.
"""

import sojourn.segments.rules  # noqa: F401 - offers the rules of this room
from sojourn.segments.predicate import Predicate, predicate
from sojourn.segments.registry import RULES, register_rule
from sojourn.segments.rule import Lookup, Reads, RuleContext, Scope
from sojourn.segments.tree import Tree, check, describe, parse_tree, resolve

__all__ = [
    "RULES",
    "Lookup",
    "Predicate",
    "Reads",
    "RuleContext",
    "Scope",
    "Tree",
    "check",
    "describe",
    "parse_tree",
    "predicate",
    "register_rule",
    "resolve",
]
