"""A rule tree as a SQL predicate that is true or false, never null: a rule that cannot be answered must never widen an audience."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.segments.rule import Reads, Rule, RuleContext
from sojourn.segments.tree import Group, Tree, parse_tree


@dataclass(frozen=True)
class Predicate:
    """The SQL and what it reads."""

    sql: str
    reads: Reads

    @property
    def needs_profile(self) -> bool:
        """Whether the profile's row must be joined."""
        return any(name.startswith("profile.") for name in self.reads)


def predicate(tree: Tree, context: RuleContext) -> Predicate:
    """Compile a tree for the row that `context` describes."""
    group = parse_tree(tree)
    reads: Reads = frozenset().union(*(rule.reads(context.database) for rule in group.rules()))
    return Predicate(_sql(group, context), reads)


def _sql(node: Group | Rule, context: RuleContext) -> str:
    if isinstance(node, Rule):
        return f"(({node.sql(context)}) IS TRUE)"
    parts = [_sql(child, context) for child in node.children]
    if node.kind == "not":
        return f"(NOT {parts[0]})"
    return "(" + (" AND " if node.kind == "all" else " OR ").join(parts) + ")"
