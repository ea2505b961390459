"""Templates in the database, and the compiled ones that each process keeps."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from sojourn.kernel import Clock, SojournError
from sojourn.kernel.errors import Conflict, NotFound
from sojourn.templates.check import content_problems
from sojourn.templates.compiled import CompiledTemplate
from sojourn.templates.content import TemplateContent

_KEPT = 256
_MOST_LINKS = 2_000
_compiled: OrderedDict[tuple[str, int, int], CompiledTemplate] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True)
class TemplateSummary:
    """A template without its texts."""

    id: int
    name: str
    channel: int
    confirmation: bool
    current_version: int
    created_at: datetime
    updated_at: datetime
    subject: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A template with the content of one version."""

    id: int
    name: str
    channel: int
    confirmation: bool
    version: int
    created_at: datetime
    content: TemplateContent


def save_template(
    connection: psycopg.Connection[Any],
    clock: Clock,
    name: str,
    channel: int,
    content: TemplateContent,
    *,
    confirmation: bool = False,
) -> tuple[int, int]:
    """Make or change the template of this name; a new version only if the content differs. Gives (template id, version).

    Raises:
        SojournError: `template_invalid` with the problems, each with its place (`html:12:5` is line 12, column 5).
        Conflict: a template of this name exists for another channel.
    """
    name, content = name.strip(), content.cleaned()
    if not name or len(name) > 200:
        raise SojournError("name", "A template needs a name of at most 200 characters.", "name")
    if problems := content_problems(content, channel, confirmation):
        raise SojournError("template_invalid", "The template cannot be saved.", problems=problems)
    with connection.transaction():
        template_id, version = _reserve(connection, clock, name, channel, confirmation)
        if version and _content(connection, template_id, version) == content:
            return template_id, version
        compiled = CompiledTemplate(template_id, version + 1, name, channel, confirmation, content)
        if len(compiled.links) > _MOST_LINKS:
            raise SojournError("too_many_links", f"A letter has at most {_MOST_LINKS} links.", "html")
        connection.execute(
            """INSERT INTO template_version (template_id, version, created_at, subject, html, mjml, text, from_name, from_email, reply_to, links)
               VALUES (%(id)s, %(version)s, %(now)s, %(subject)s, %(html)s, %(mjml)s, %(text)s, %(from_name)s, %(from_email)s, %(reply_to)s, %(links)s)""",
            {
                **asdict(content),
                "id": template_id,
                "version": version + 1,
                "now": clock.now(),
                "links": Jsonb([link.as_dict() for link in compiled.links]),
            },
        )
        connection.execute(
            "UPDATE template SET current_version = %s, updated_at = %s WHERE id = %s",
            (version + 1, clock.now(), template_id),
        )
        return template_id, version + 1


def _reserve(
    connection: psycopg.Connection[Any], clock: Clock, name: str, channel: int, confirmation: bool
) -> tuple[int, int]:
    """The locked row of this name and its newest version, 0 for a new template."""
    row = connection.execute(
        """INSERT INTO template (name, channel, confirmation, current_version, created_at, updated_at) VALUES (%s, %s, %s, 0, %s, %s)
           ON CONFLICT (account_id, name) DO UPDATE SET confirmation = excluded.confirmation RETURNING id, channel, current_version""",
        (name, channel, confirmation, clock.now(), clock.now()),
    ).fetchone()
    assert row
    if row[1] != channel:
        raise Conflict("channel", "A template of this name exists for another channel.", "name")
    return row[0], row[2]


def _content(connection: psycopg.Connection[Any], template_id: int, version: int) -> TemplateContent:
    with connection.cursor(row_factory=class_row(TemplateContent)) as cursor:
        found = cursor.execute(
            "SELECT subject, html, mjml, text, from_name, from_email, reply_to FROM template_version WHERE template_id = %s AND version = %s",
            (template_id, version),
        ).fetchone()
    if found is None:
        raise NotFound("template_version", f"Template {template_id} has no version {version}.", "version")
    return found


def get(connection: psycopg.Connection[Any], template_id: int, version: int | None = None) -> Template:
    """A template with the content of its current version, or of the one asked for.

    Raises:
        NotFound: there is no such template or version.
    """
    row = connection.execute(
        "SELECT name, channel, confirmation, current_version, created_at FROM template WHERE id = %s", (template_id,)
    ).fetchone()
    if row is None:
        raise NotFound("template", f"There is no template {template_id}.", "template_id")
    name, channel, confirmation, current, created_at = row
    version = version or current
    return Template(
        template_id, name, channel, confirmation, version, created_at, _content(connection, template_id, version)
    )


def find(connection: psycopg.Connection[Any], name: str) -> int | None:
    """The id of the template of this name."""
    row = connection.execute("SELECT id FROM template WHERE account_id = 1 AND name = %s", (name,)).fetchone()
    return row[0] if row else None


def list_templates(
    connection: psycopg.Connection[Any],
    *,
    channel: int | None = None,
    search: str = "",
    after: int = 0,
    limit: int = 50,
) -> list[TemplateSummary]:
    """Templates by id, those behind `after`, at most `limit` (1 to 200); `search` is a part of the name."""
    pattern = "%" + search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    with connection.cursor(row_factory=class_row(TemplateSummary)) as cursor:
        return cursor.execute(
            """SELECT t.id, t.name, t.channel, t.confirmation, t.current_version, t.created_at, t.updated_at, v.subject
                 FROM template t JOIN template_version v ON v.template_id = t.id AND v.version = t.current_version
                WHERE t.id > %(after)s AND (%(channel)s::smallint IS NULL OR t.channel = %(channel)s) AND t.name ILIKE %(pattern)s
                ORDER BY t.id LIMIT %(limit)s""",
            {"after": after, "channel": channel, "pattern": pattern, "limit": min(max(limit, 1), 200)},
        ).fetchall()


def load(connection: psycopg.Connection[Any], template_id: int, version: int | None = None) -> CompiledTemplate:
    """The compiled current version (or the one asked for): one small query; compiled once per process and version.

    Raises:
        NotFound: there is no such template or version.
    """
    row = connection.execute("SELECT current_version FROM template WHERE id = %s", (template_id,)).fetchone()
    if row is None:
        raise NotFound("template", f"There is no template {template_id}.", "template_id")
    key = (_database(connection), template_id, version or row[0])
    with _lock:
        if key in _compiled:
            _compiled.move_to_end(key)
            return _compiled[key]
    found = get(connection, template_id, key[2])
    compiled = CompiledTemplate(found.id, found.version, found.name, found.channel, found.confirmation, found.content)
    with _lock:
        _compiled[key] = compiled
        while len(_compiled) > _KEPT:
            _compiled.popitem(last=False)
    return compiled


def _database(connection: psycopg.Connection[Any]) -> str:
    info = connection.info
    return f"{info.host}:{info.port}/{info.dbname}"
