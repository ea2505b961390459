"""A rule tree as a SQL predicate that is true or false, never null: a rule that cannot be answered must never widen an audience."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.segments.rule import Reads, Rule, RuleContext
from sojourn.segments.tree import Group, Tree, parse_tree


@dataclass(frozen=True)
class Predicate:
    """The SQL and what it reads."""

    sql: str
    """True or false, never null."""
    filter: str
    """The same for a WHERE, where null counts as false: in a form in which the planner can turn rules into joins."""
    reads: Reads

    @property
    def needs_profile(self) -> bool:
        """Whether the profile's row must be joined."""
        return any(name.startswith("profile.") for name in self.reads)


def predicate(tree: Tree, context: RuleContext) -> Predicate:
    """Compile a tree for the row that `context` describes."""
    group = parse_tree(tree)
    reads: Reads = frozenset().union(*(rule.reads_in(context) for rule in group.rules()))
    return Predicate(_sql(group, context, exact=True), _sql(group, context, exact=False), reads)


def _sql(node: Group | Rule, context: RuleContext, *, exact: bool) -> str:
    """`exact`: null must not come out. Above a NOT it may, since the whole is asked for truth; below it would turn into *not false*."""
    if isinstance(node, Rule):
        sql = node.sql(context)
        return f"(({sql}) IS TRUE)" if exact else f"({sql})"
    if node.kind == "not":
        return f"(NOT {_sql(node.children[0], context, exact=True)})"
    parts = [_sql(child, context, exact=exact) for child in node.children]
    return "(" + (" AND " if node.kind == "all" else " OR ").join(parts) + ")"
