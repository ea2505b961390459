"""Connections: outside databases and file servers that imports and rules read from. Their secrets are encrypted at rest."""

from sojourn.connections.kind import FileKind, Kind, Opened, RemoteFile, RowKind, Rows, Surroundings
from sojourn.connections.store import (
    KINDS,
    Link,
    change_link,
    create_link,
    delete_link,
    draft,
    keep_learnt,
    kind_named,
    link,
    list_links,
    opened,
)

__all__ = [
    "KINDS", "FileKind", "Kind", "Link", "Opened", "RemoteFile", "RowKind", "Rows", "Surroundings", "change_link", "create_link", "delete_link", "draft", "keep_learnt",
    "kind_named", "link", "list_links", "opened",
]  # fmt: skip
