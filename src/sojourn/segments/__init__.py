"""Who: rule trees that say which profiles are meant, and their SQL.

The same tree serves conditions of scenarios, and later filters, mailings, goals and reports. A rule is one module in `rules/`.
"""

from sojourn.segments.predicate import Predicate, predicate
from sojourn.segments.rule import Lookup, Reads, RuleContext, Scope
from sojourn.segments.tree import Tree, check, describe, parse_tree, resolve

__all__ = [
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
    "resolve",
]
