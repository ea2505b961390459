"""Writes the generated parts of the reference from the code: `python docs/generate.py`, or `--check` to only compare.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; tests/docs holds it equal to the code.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sojourn.cli.wiring import connect_rooms
from sojourn.delivery.codes import Channel, Reason, State
from sojourn.events import EventKind
from sojourn.profiles.matching import MATCHINGS
from sojourn.scenarios.node_type import NodeType
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.nodes.update_profile import FORBIDDEN, Change
from sojourn.scenarios.references import LABELS
from sojourn.segments import RULES
from sojourn.segments.catalogue import GROUPS
from sojourn.segments.mailbox_providers import DOMAIN_GROUPS
from sojourn.segments.operators import OPERATORS
from sojourn.segments.rule import Rule
from sojourn.web.v1.methods import METHODS

connect_rooms()
FOLDER = Path(__file__).parent / "reference"
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z0-9_]+) -->\n)(?P<text>.*?)(<!-- end -->)", re.DOTALL)


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(heading)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


# ------------------------------------------------------------------------------------------------ nodes


def nodes() -> str:
    """All node types."""
    return "\n".join(_node(node_type) for node_type in node_types().values())


def _node(node_type: NodeType) -> str:
    ports = node_type.ports(node_type.settings.model_construct())
    outputs = ", ".join(f"`{port.id}`" + (" (optional)" if port.optional else "") for port in ports)
    text = f"### `{node_type.code}` — {node_type.title['en']}\n\n{node_type.description['en']} Outputs: {outputs}.\n"
    settings = _settings(node_type.settings)
    return f"{text}\n{settings}" if settings else text


def _settings(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    required = set(schema.get("required", ()))
    shown = {name: field for name, field in schema.get("properties", {}).items() if not field.get("x-hidden")}
    if not shown:
        return ""
    return table(
        ("setting", "value", "default", "meaning"),
        [
            (f"`{name}`", _kind(field), _default(name, field, required), _meaning(field))
            for name, field in shown.items()
        ],
    )


def _default(name: str, field: dict[str, Any], required: set[str]) -> str:
    if name in required:
        return "needed"
    value = field.get("default")
    if value is None or value in ({}, [], ""):
        return "–"
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: dict[str, Any]) -> str:
    title, text = str(field.get("title", "")), str(field.get("description", ""))
    return f"{title}. {text}".strip() if text else title


def _kind(field: dict[str, Any]) -> str:
    if source := field.get("x-source"):
        return f"name or id of a {LABELS.get(source, source)}"
    if widget := {"rules": "[rules](rules.md)", "changes": "list of changes", "duration": "duration"}.get(
        field.get("x-widget", "")
    ):
        return widget
    if choices := field.get("enum"):
        return ", ".join(f"`{choice}`" for choice in choices)
    if field.get("format") == "date":
        return "day"
    if "const" in field:
        return f"`{field['const']}`"
    options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        return " or ".join(dict.fromkeys(_kind(option) for option in options))
    word = {
        "string": "text",
        "integer": "number",
        "number": "number",
        "boolean": "`true`, `false`",
        "object": "names with texts",
        "array": "list",
    }.get(field.get("type", ""), "any value")
    return word + _bounds(field)


def _bounds(field: dict[str, Any]) -> str:
    low, above, high = field.get("minimum"), field.get("exclusiveMinimum"), field.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    if above is not None and high is not None:
        return f", above {above}, at most {high:g}"
    return ""


def changes() -> str:
    """The operations of *update profile*."""
    from sojourn.profiles.sql import OPERATIONS

    rows = [(f"`{name}`", ", ".join(f"`{kind}`" for kind in sorted(kinds))) for name, kinds in OPERATIONS.items()]
    fields = ", ".join(f"`{name}`" for name in Change.model_fields)
    forbidden = ", ".join(f"`{name}`" for name in sorted(FORBIDDEN))
    return f"A change has {fields}. It may name any field but {forbidden}.\n\n" + table(
        ("operation", "fits fields of type"), rows
    )


# ------------------------------------------------------------------------------------------------ rules


def rules() -> str:
    """All rules with their settings."""
    order = sorted(RULES.items(), key=lambda pair: list(GROUPS).index(pair[1].group))
    return "\n".join(_rule(name, rule) for name, rule in order)


def _rule(name: str, rule: type[Rule]) -> str:
    schema = rule.model_json_schema()
    required = set(schema.get("required", ()))
    about = " ".join((rule.__doc__ or "").split())
    rows = []
    for key, field in schema["properties"].items():
        if key == "rule":
            continue
        title = rule.titles.get(key, {}).get("en", "")
        rows.append((f"`{key}`", _rule_setting(rule, key, field), _default(key, field, required), title))
    return f"### `{name}` — {rule.title['en']}\n\n{about}\n\n" + table(("key", "value", "default", "meaning"), rows)


_WIDGETS = {
    "operator": "an [operator](#operators-of-field) of the field's type",
    "value": "what the operator needs",
    "path": "`key.sub_key`",
    "date_comparison": "`{operator, value}` with an operator of dates",
    "text_comparison": "`{operator, value}` with an operator of texts",
    "custom_comparison": "`{name, type, operator, value}`; type is `line`, `float`, `boolean` or `date`",
}


def _rule_setting(rule: type[Rule], key: str, field: dict[str, Any]) -> str:
    if key in rule.references:
        label = LABELS[rule.references[key]]
        article = "an" if label[0] in "aeiou" else "a"
        return f"list of names or ids of {label}s" if "array" in str(field) else f"name or id of {article} {label}"
    if widget := _WIDGETS.get(rule.widgets.get(key, "")):
        return widget
    if choices := field.get("items", {}).get("enum"):
        return "one, or a list of: " + ", ".join(f"`{choice}`" for choice in choices)
    return _kind(field)


_SHAPES = {
    "none": "–", "one": "a value of the field", "many": "a list of values", "text": "a text", "texts": "a list of texts", "range": "two values, from and to",
    "days": "a number of days", "days_range": "two numbers of days from today, from and to", "count": "a number", "weekdays": "numbers of weekdays, Monday is 1",
    "months": "numbers of months", "groups": "names of providers", "countries": "countries by two letters (ISO 3166)", "pattern": "a pattern",
}  # fmt: skip


def operators() -> str:
    """Operators of the rule `field`, with the types of field they are for."""
    rows = [
        (f"`{operator.code}`", operator.words["en"], _SHAPES[operator.shape], ", ".join(sorted(operator.types)))
        for operator in OPERATORS.values()
    ]
    return table(("operator", "in words", "value", "types of field"), rows)


def domain_groups() -> str:
    """Providers of mailboxes."""
    return table(("name", "domains"), [(f"`{name}`", ", ".join(domains)) for name, domains in DOMAIN_GROUPS.items()])


# ------------------------------------------------------------------------------------------------ codes


def events() -> str:
    """Kinds of events."""
    return table(("number", "word"), [(str(int(kind)), f"`{kind.word}`") for kind in EventKind])


def states() -> str:
    """States of the ledger."""
    return table(("number", "state"), [(str(int(state)), _words(state.name)) for state in State])


def reasons() -> str:
    """Reasons of the ledger."""
    return table(("number", "reason"), [(str(int(reason)), _words(reason.name)) for reason in Reason])


def channels() -> str:
    """Channels."""
    return table(
        ("number", "channel"),
        [(str(int(channel)), _words(channel.name)) for channel in Channel if channel is not Channel.REQUEST],
    )


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


# ------------------------------------------------------------------------------------------------ integration API


def v1_methods() -> str:
    """Methods of `/api/v1.1`."""
    roles = {"viewer": "any token", "editor": "editor", "master": "master"}
    return table(
        ("method", "token", "changes"),
        [(f"`{path}`", roles[method.role], "✓" if method.changes else "") for path, method in METHODS.items()],
    )


_MATCHING_WORDS = {
    "email": ("`email`", "e-mail of the profile or of a subscription"),
    "email_profile": ("`email`", "e-mail of the profile"),
    "email_sub": ("`email`", "e-mail of a subscription"),
    "phone": ("`phone`, or the first of `phones`", "phone of the profile or of a subscription"),
    "phone_sub": ("`phone`", "phone of a subscription"),
    "email_phone": ("`email`, `phone`", "e-mail of the profile; if nobody has it, phone of the profile"),
    "email_phone_sub": ("`email`, `phone`", "the same by subscriptions"),
    "profile_id": ("`profile_id`", "the id: 24 hexadecimal digits"),
    "push_sub": ("`provider`, `subscription_id`", "push subscription"),
    "custom_sub": (
        "`field_name` (a channel: `telegram`, `whatsapp`, `viber`, `notify`), `field_value`",
        "subscriptions of that channel",
    ),
    "custom": ("`field_name`, `field_value`", "a custom field that was made findable"),
}


def matchings() -> str:
    """Ways of finding a profile."""
    return table(
        ("`matching`", "keys", "looks for"),
        [(f"`{word}`", *_MATCHING_WORDS[word]) for word in _MATCHING_WORDS if word in MATCHINGS],
    ) + (
        ""
        if set(_MATCHING_WORDS) == MATCHINGS - {"none"}
        else f"\nNot described: {sorted(MATCHINGS - {'none'} ^ set(_MATCHING_WORDS))}\n"
    )


PARTS: dict[str, Callable[[], str]] = {
    "nodes": nodes, "changes": changes, "rules": rules, "operators": operators, "domain_groups": domain_groups, "events": events, "states": states, "reasons": reasons, "channels": channels,
    "v1_methods": v1_methods, "matchings": matchings,
}  # fmt: skip


def rendered(text: str) -> str:
    """A page with its generated parts as they should be."""
    return _PART.sub(
        lambda found: f"{found[1]}{PARTS[found['name']]()}{found[4]}" if found["name"] in PARTS else found[0], text
    )


def pages() -> list[Path]:
    """The pages that have generated parts."""
    return sorted(path for path in FOLDER.glob("*.md") if _PART.search(path.read_text(encoding="utf-8")))


def main(check: bool) -> int:
    """Write all pages, or tell which differ."""
    stale = [path for path in pages() if rendered(path.read_text(encoding="utf-8")) != path.read_text(encoding="utf-8")]
    for path in stale:
        print(f"{path}: {'differs from the code' if check else 'written'}")
        if not check:
            path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
