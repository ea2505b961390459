"""The foundation: all tables of profiles, events, templates, delivery, loyalty, triggers and scenarios."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the SQL text that lies beside this file."""
    text = Path(__file__).with_name("0001_foundation.sql").read_text(encoding="utf-8")
    # One round trip: psycopg sends a text without parameters by the simple protocol, which takes many statements.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(text)
    cursor.execute(SchemaManager.get_schema())  # the tables of procrastinate, which carries background jobs
