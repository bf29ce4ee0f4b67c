"""The tables of the store as the code of today uses them; `migrations/` brings a database there.

One counter numbers every row that is a change (sentences, labels, events, alerts, verdicts, notes), so that the feed of
changes is a merge of ranges of unique keys. Whoever writes one moves the counter first and so holds its row until the
commit: there is one such writer at a time, on both databases, and numbers grow in the order of the commits.
Conversations, clocks, marks on suggestions and second models' predictions are no changes, and on PostgreSQL their
writers do not wait for it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    true,
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps no zone, so it is stored as UTC there and given its zone back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives a rowid table only to a plain INTEGER key.
Number = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

counter = Table(
    "counter",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("value", Number, nullable=False),  # number of the newest change
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("day", Date, nullable=False),  # of started_at, UTC
    Column("duration_s", Double, nullable=False),
    Column("agent", Text),
    Column("customer", Text),
    Column("speakers", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("stored_at", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False),  # of the sentences that count; older ones stay for audit
    Column("sentences", Integer, nullable=False),  # this and what follows sums up those sentences (tally.py)
    Column("negative", Integer, nullable=False),
    Column("neutral", Integer, nullable=False),
    Column("positive", Integer, nullable=False),
    Column("mood", Double),
    Column("curves", JSON, nullable=False),
    Index("ix_calls_started_at", "started_at", "id"),
    Index("ix_calls_agent", "agent", "started_at"),
    Index("ix_calls_customer", "customer", "started_at"),
    Index("ix_calls_status", "status"),
    Index("ix_calls_mood", "mood"),
)

sentences = Table(
    "sentences",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("channel", Integer, nullable=False),
    Column("speaker", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("start_s", Double, nullable=False),
    Column("end_s", Double, nullable=False),
    Column("recogniser", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("words", JSON, nullable=False),  # [[text, start_s, end_s, confidence], ...]
    UniqueConstraint("call_id", "revision", "idx"),
)

# One row per model version that looked at a sentence: a newer model is written beside the older, never over it.
predictions = Table(
    "predictions",
    metadata,
    Column("sentence", Number, ForeignKey("sentences.number", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),  # sentiment | intent
    Column("model", Text, primary_key=True),  # name@version
    Column("current", Boolean, nullable=False),  # the one that is shown
    Column("label", Text, nullable=False),
    Column("scores", JSON, nullable=False),  # {label: probability}
    Column("slots", JSON(none_as_null=True)),  # of an intent: [[name, value, text, start, end, score], ...]
    Column("created_at", UtcTime, nullable=False),
    Column("margin", Double),  # of a sentiment: its highest probability minus the second; what is reviewed first
)
Index(
    "ix_predictions_current",
    predictions.c.sentence,
    predictions.c.kind,
    unique=True,
    sqlite_where=predictions.c.current == true(),
    postgresql_where=predictions.c.current == true(),
)
Index(
    "ix_predictions_margin",
    predictions.c.margin,
    predictions.c.sentence,
    sqlite_where=predictions.c.current == true(),
    postgresql_where=predictions.c.current == true(),
)
Index(
    "ix_predictions_beside",
    predictions.c.model,
    predictions.c.sentence,
    sqlite_where=predictions.c.current == false(),
    postgresql_where=predictions.c.current == false(),
)

labels = Table(
    "labels",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("idx", Integer, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("stored_at", UtcTime, nullable=False),
    Column("said", JSON(none_as_null=True)),  # by the models at that time: [[model, label, {label: probability}], ...]
    Index("ix_labels_call", "call_id", "revision", "idx"),
)

# Labels that their reviewer took back: the label's row stays, and no longer counts.
retractions = Table(
    "retractions",
    metadata,
    Column("label", Number, ForeignKey("labels.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
)

# Sentences that a reviewer wants another one to look at.
second_opinions = Table(
    "second_opinions",
    metadata,
    Column("number", Number, primary_key=True),
    Column("sentence", Number, ForeignKey("sentences.number", ondelete="CASCADE"), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("sentence", "reviewer"),
)

# No foreign key: "deleted" outlives its call.
events = Table(
    "events",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # began | finished | stored | deleted
    Column("call_id", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_events_call", "call_id"),
)

# When a sentence of a live call passed each stage; `clocks.py` says which sentences that are.
clocks = Table(
    "clocks",
    metadata,
    Column("sentence", Number, ForeignKey("sentences.number", ondelete="CASCADE"), primary_key=True),
    Column("at", UtcTime, nullable=False),  # the first stage that is known
    Column("spoken_at", UtcTime),
    Column("heard_at", UtcTime),
    Column("labelled_at", UtcTime),
    Column("stored_at", UtcTime),
    Column("sent_at", UtcTime),
    Column("painted_at", UtcTime),
    Index("ix_clocks_at", "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("idx", Integer),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),  # info | warning | critical
    Column("message", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("stored_at", UtcTime, nullable=False),
    UniqueConstraint("id"),
    Index("ix_alerts_call", "call_id"),
    Index("ix_alerts_at", "at"),
    Index("ix_alerts_rule", "rule", "at"),
)

# What people said of an alert, all of it; the row with the highest number counts.
verdicts = Table(
    "verdicts",
    metadata,
    Column("number", Number, primary_key=True),
    Column("alert", Number, ForeignKey("alerts.number", ondelete="CASCADE"), nullable=False),
    Column("verdict", Text, nullable=False),  # right | wrong
    Column("reviewer", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column(
        "change", Number
    ),  # its number in the feed; NULL for one that came with its alert, or before the feed had them
    Column("stored_at", UtcTime),  # NULL where `change` is
    Index("ix_verdicts_alert", "alert"),
    Index("ix_verdicts_change", "change", unique=True),
)

# Whether agents used what was suggested to them, all that they said of it; the row with the highest number counts.
suggestion_marks = Table(
    "suggestion_marks",
    metadata,
    Column("number", Number, primary_key=True),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("idx", Integer, nullable=False),  # of the customer's sentence as it came live, whatever replaced it since
    Column("text", Text, nullable=False),  # what was suggested
    Column("used", Boolean, nullable=False),
    Column("agent", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_suggestion_marks_call", "call_id", "idx"),
    Index("ix_suggestion_marks_agent", "agent", "at"),
)

notes = Table(
    "notes",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("call_id", Text, ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    Column("at_s", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("stored_at", UtcTime, nullable=False),
    Index("ix_notes_call", "call_id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started_at", UtcTime, nullable=False),
    Column("channel", Text, nullable=False),  # text | voice | phone
    Column("person", Text, nullable=False),
    Column("ended_at", UtcTime),
    Column("attributes", JSON, nullable=False),
    Column("turns", Integer, nullable=False),  # this and what follows sums up the turns, so that a list is one read
    Column("errors", Integer, nullable=False),  # turns that had to apologise
    Column("lowest_score", Double),  # of the turns' intents
    Index("ix_conversations_started_at", "started_at", "id"),
    Index("ix_conversations_lowest_score", "lowest_score"),
)

turns = Table(
    "turns",
    metadata,
    Column("conversation_id", Text, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("event", Text, nullable=False),  # opened | said | silence | time-out | reset | undo
    Column("user_text", Text, nullable=False),
    Column("intent", Text),  # this and the three that follow are NULL where nothing was understood
    Column("score", Double),
    Column("slots", JSON(none_as_null=True)),  # [[name, value, text, start, end, score], ...]
    Column("model", Text),
    Column("path", JSON, nullable=False),  # [[state, label, state], ...]
    Column("state", Text, nullable=False),
    Column("actions", JSON, nullable=False),  # [{name, request, status, answer, source, as_of}, ...]
    Column("replies", JSON, nullable=False),
    Column("timings_ms", JSON, nullable=False),
    Column("recogniser", Text, nullable=False),
    Column("error", Text, nullable=False),
    Index("ix_turns_at", "at"),
    Index("ix_turns_intent", "intent", "conversation_id"),
)

# What people say a turn meant, all of it; the row with the highest number counts.
turn_labels = Table(
    "turn_labels",
    metadata,
    Column("number", Number, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("intent", Text, nullable=False),
    Column("slots", JSON, nullable=False),  # as in turns
    Column("reviewer", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    ForeignKeyConstraint(["conversation_id", "turn"], ["turns.conversation_id", "turns.number"], ondelete="CASCADE"),
    Index("ix_turn_labels_turn", "conversation_id", "turn"),
)
