"""Only the owner of a table writes it: INSERT, UPDATE, DELETE and TRUNCATE on a table stand in the package that owns it and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "sojourn"
SCHEMA = SOURCE / "kernel" / "database" / "migrations" / "versions"
_WRITE = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE)\s+(?:ONLY\s+)?([a-z_]+)\b")
_SECTION = re.compile(r"^-- -{20,} (\w+)", re.M)
_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.M)


def owners() -> dict[str, str]:
    """Table → package, from the sections of the schema."""
    text = "\n".join(file.read_text() for file in sorted(SCHEMA.glob("*.sql")))
    marks = [(found.start(), found.group(1)) for found in _SECTION.finditer(text)]
    found = {}
    for table in _TABLE.finditer(text):
        found[table.group(1)] = [name for at, name in marks if at < table.start()][-1]
    return found


def test_no_package_writes_a_foreign_table() -> None:
    known = owners()
    wrong = []
    for file in SOURCE.rglob("*.py"):
        package = file.relative_to(SOURCE).parts[0]
        for found in _WRITE.finditer(file.read_text()):
            owner = known.get(found.group(1))
            if owner and owner != package and not (owner == "kernel" and package == "cli"):
                wrong.append(f"{file.relative_to(SOURCE)} writes {found.group(1)} of {owner}")
    assert not wrong, "\n".join(wrong)
