"""The audience: segments, suppression lists, relations, scheduled imports, and what subscriptions and fields need beyond the foundation."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the SQL text that lies beside this file."""
    text = Path(__file__).with_name("0002_audience.sql").read_text(encoding="utf-8")
    # One round trip: psycopg sends a text without parameters by the simple protocol, which takes many statements.
    op.get_bind().connection.cursor().execute(text)
