"""The first schema: calls, sentences, predictions, labels, events and the counter that numbers changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make all tables and start the counter at 0."""
    counter = op.create_table(
        "counter",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("value", Number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counter"),
    )
    op.bulk_insert(counter, [{"id": 1, "value": 0}])
    op.create_table(
        "calls",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("agent", sa.Text),
        sa.Column("customer", sa.Text),
        sa.Column("speakers", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("stored_at", Time, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("sentences", sa.Integer, nullable=False),
        sa.Column("negative", sa.Integer, nullable=False),
        sa.Column("neutral", sa.Integer, nullable=False),
        sa.Column("positive", sa.Integer, nullable=False),
        sa.Column("mood", sa.Double),
        sa.Column("curves", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_started_at", "calls", ["started_at", "id"])
    op.create_index("ix_calls_agent", "calls", ["agent", "started_at"])
    op.create_index("ix_calls_customer", "calls", ["customer", "started_at"])
    op.create_index("ix_calls_status", "calls", ["status"])
    op.create_index("ix_calls_mood", "calls", ["mood"])
    op.create_table(
        "sentences",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("idx", sa.Integer, nullable=False),
        sa.Column("channel", sa.Integer, nullable=False),
        sa.Column("speaker", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("start_s", sa.Double, nullable=False),
        sa.Column("end_s", sa.Double, nullable=False),
        sa.Column("recogniser", sa.Text, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_sentences"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_sentences_call_id", ondelete="CASCADE"),
        sa.UniqueConstraint("call_id", "revision", "idx", name="uq_sentences_call_id_revision_idx"),
    )
    op.create_table(
        "predictions",
        sa.Column("sentence", Number, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("current", sa.Boolean, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("scores", sa.JSON, nullable=False),
        sa.Column("slots", sa.JSON),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("sentence", "kind", "model", name="pk_predictions"),
        sa.ForeignKeyConstraint(["sentence"], ["sentences.number"], name="fk_predictions_sentence", ondelete="CASCADE"),
    )
    op.create_index(
        "ix_predictions_current",
        "predictions",
        ["sentence", "kind"],
        unique=True,
        sqlite_where=sa.text("current = 1"),
        postgresql_where=sa.text("current"),
    )
    op.create_table(
        "labels",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("idx", sa.Integer, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("stored_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_labels"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_labels_call_id", ondelete="CASCADE"),
    )
    op.create_index("ix_labels_call", "labels", ["call_id", "revision", "idx"])
    op.create_table(
        "events",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
    )
    op.create_index("ix_events_call", "events", ["call_id"])
