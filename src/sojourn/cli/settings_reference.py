"""The pages about settings, made from the model: `python -m sojourn.cli.settings_reference` writes them into a source checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sojourn.kernel.settings import Settings

PAGE, EXAMPLE = Path("docs/reference/settings.md"), Path("sojourn.toml.example")
_HEAD = """# Settings

*This page is made from `sojourn/kernel/settings.py` by `python -m sojourn.cli.settings_reference`; a test holds the two equal.*

A setting is given as an environment variable or in the file `sojourn.toml` of the working directory (another file:
`SOJOURN_CONFIG=/path/to/file.toml`); the environment wins. In the file a setting has its name without `SOJOURN_`, in lower case.
Lists are written as JSON in the environment: `SOJOURN_PRIVATE_HOSTS='["crm.internal:8080"]'`.

| environment | file | default | meaning |
|---|---|---|---|
"""
_EXAMPLE_HEAD = """# Settings of Sojourn. Copy this file to sojourn.toml and take the # from what you want to change.
# Environment variables SOJOURN_… win over this file. All settings: docs/reference/settings.md
"""


def reference() -> str:
    """The page of the reference."""
    return _HEAD + "".join(
        f"| `SOJOURN_{'__'.join(path).upper()}` | `{'.'.join(path)}` | {_shown(default)} | {_cell(meaning)} |\n"
        for path, default, meaning in _settings(Settings)
    )


def example() -> str:
    """The example of a file: every top setting with its default, commented out."""
    text = _EXAMPLE_HEAD
    section = ""
    for path, default, meaning in _settings(Settings):
        *parents, name = path
        if parents and section != parents[0]:
            section = parents[0]
            text += f"\n# [{section}]\n"
        text += f"\n# {meaning}\n# {name} = {_toml(default)}\n" if not parents else f"# {name} = {_toml(default)}\n"
    return text


def _settings(
    model: type[BaseModel], above: tuple[str, ...] = (), about: str = ""
) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Path, default and meaning of every setting; groups come after the single ones, as TOML wants it."""
    groups = []
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            groups.append((name, annotation, field.description or ""))
            continue
        default = None if field.default is PydanticUndefined else field.default
        meaning = field.description or about
        choices = [str(choice) for choice in get_args(annotation) if isinstance(choice, str)]
        if choices:
            meaning = f"{meaning} One of: {', '.join(choices)}.".strip()
        yield (*above, name), default, meaning
    for name, group, description in groups:
        yield from _settings(group, (*above, name), description)


def _shown(default: Any) -> str:
    if default is None:
        return "—"
    text = default if isinstance(default, str) else str(default) if isinstance(default, Path) else json.dumps(default)
    return f"`{_cell(text)}`" if text else "(empty)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _toml(default: Any) -> str:
    if default is None:
        return '""'
    if isinstance(default, Path):
        return json.dumps(str(default))
    if isinstance(default, dict):
        return "{}"
    return json.dumps(default, ensure_ascii=False)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    EXAMPLE.write_text(example(), encoding="utf-8")
