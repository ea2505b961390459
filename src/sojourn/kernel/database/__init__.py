"""The database: our own PostgreSQL out of a wheel, or any PostgreSQL 18 by address; connections, migrations, partitions."""

from sojourn.kernel.database.connect import connect, connect_async, with_database
from sojourn.kernel.database.migrate import migrate, pending
from sojourn.kernel.database.partitions import ensure_partitions
from sojourn.kernel.database.server import DatabaseServer, own_server_url

__all__ = [
    "DatabaseServer",
    "connect",
    "connect_async",
    "ensure_partitions",
    "migrate",
    "own_server_url",
    "pending",
    "with_database",
]
