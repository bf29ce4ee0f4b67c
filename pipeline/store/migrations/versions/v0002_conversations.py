"""Conversations with the assistant, clocks of live sentences, alerts with verdicts, and notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; those of the first schema stay as they are."""
    _of_calls()
    _of_conversations()


def _of_calls() -> None:
    op.create_table(
        "clocks",
        sa.Column("sentence", Number, nullable=False, autoincrement=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("spoken_at", Time),
        sa.Column("heard_at", Time),
        sa.Column("labelled_at", Time),
        sa.Column("stored_at", Time),
        sa.Column("sent_at", Time),
        sa.Column("painted_at", Time),
        sa.PrimaryKeyConstraint("sentence", name="pk_clocks"),
        sa.ForeignKeyConstraint(["sentence"], ["sentences.number"], name="fk_clocks_sentence", ondelete="CASCADE"),
    )
    op.create_index("ix_clocks_at", "clocks", ["at"])
    op.create_table(
        "alerts",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("idx", sa.Integer),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("stored_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_alerts"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_alerts_call_id", ondelete="CASCADE"),
        sa.UniqueConstraint("id", name="uq_alerts_id"),
    )
    op.create_index("ix_alerts_call", "alerts", ["call_id"])
    op.create_index("ix_alerts_at", "alerts", ["at"])
    op.create_index("ix_alerts_rule", "alerts", ["rule", "at"])
    op.create_table(
        "verdicts",
        sa.Column("number", Number, nullable=False),
        sa.Column("alert", Number, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_verdicts"),
        sa.ForeignKeyConstraint(["alert"], ["alerts.number"], name="fk_verdicts_alert", ondelete="CASCADE"),
    )
    op.create_index("ix_verdicts_alert", "verdicts", ["alert"])
    op.create_table(
        "notes",
        sa.Column("number", Number, nullable=False, autoincrement=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("stored_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_notes"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_notes_call_id", ondelete="CASCADE"),
    )
    op.create_index("ix_notes_call", "notes", ["call_id"])


def _of_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("ended_at", Time),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("lowest_score", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_started_at", "conversations", ["started_at", "id"])
    op.create_index("ix_conversations_lowest_score", "conversations", ["lowest_score"])
    op.create_table(
        "turns",
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("user_text", sa.Text, nullable=False),
        sa.Column("intent", sa.Text),
        sa.Column("score", sa.Double),
        sa.Column("slots", sa.JSON),
        sa.Column("model", sa.Text),
        sa.Column("path", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actions", sa.JSON, nullable=False),
        sa.Column("replies", sa.JSON, nullable=False),
        sa.Column("timings_ms", sa.JSON, nullable=False),
        sa.Column("recogniser", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "number", name="pk_turns"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_turns_conversation_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_turns_at", "turns", ["at"])
    op.create_index("ix_turns_intent", "turns", ["intent", "conversation_id"])
    op.create_table(
        "turn_labels",
        sa.Column("number", Number, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("slots", sa.JSON, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_turn_labels"),
        sa.ForeignKeyConstraint(
            ["conversation_id", "turn"],
            ["turns.conversation_id", "turns.number"],
            name="fk_turn_labels_conversation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_turn_labels_turn", "turn_labels", ["conversation_id", "turn"])
