"""Verdicts on alerts are changes in the feed, and agents say which suggestions they used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and the table; verdicts from before stay outside the feed."""
    op.add_column("verdicts", sa.Column("change", Number))
    op.add_column("verdicts", sa.Column("stored_at", Time))
    op.create_index("ix_verdicts_change", "verdicts", ["change"], unique=True)
    op.create_table(
        "suggestion_marks",
        sa.Column("number", Number, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("idx", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_suggestion_marks"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_suggestion_marks_call_id", ondelete="CASCADE"),
    )
    op.create_index("ix_suggestion_marks_call", "suggestion_marks", ["call_id", "idx"])
    op.create_index("ix_suggestion_marks_agent", "suggestion_marks", ["agent", "at"])
