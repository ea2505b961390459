"""Scenarios: time zones and the clock on the wall, edits with people inside."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the statements of the SQL text that lies beside this file."""
    text = Path(__file__).with_name("0003_scenarios.sql").read_text(encoding="utf-8")
    # One round trip: psycopg sends a text without parameters by the simple protocol, which takes many statements.
    op.get_bind().connection.cursor().execute(text)
