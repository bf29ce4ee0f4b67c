"""The tables of the store as the code of today uses them; `migrations/` brings a database there.

One counter numbers every row that is a change (sentences, labels, events), so that the feed of changes is a merge of
three ranges of primary keys. Whoever writes moves the counter first and so holds its row until the commit: there is one
writer at a time, on both databases, and numbers grow in the order of the commits.
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
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
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
)
Index(
    "ix_predictions_current",
    predictions.c.sentence,
    predictions.c.kind,
    unique=True,
    sqlite_where=predictions.c.current == true(),
    postgresql_where=predictions.c.current == true(),
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
    Index("ix_labels_call", "call_id", "revision", "idx"),
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
