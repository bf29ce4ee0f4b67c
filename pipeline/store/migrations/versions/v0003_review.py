"""How sure a sentiment is, what models said when a person labelled, labels taken back, and second opinions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and tables; the margins of stored sentiments are worked out from their probabilities."""
    op.add_column("predictions", sa.Column("margin", sa.Double))
    op.add_column("labels", sa.Column("said", sa.JSON))
    op.create_table(
        "retractions",
        sa.Column("label", Number, nullable=False, autoincrement=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("label", name="pk_retractions"),
        sa.ForeignKeyConstraint(["label"], ["labels.number"], name="fk_retractions_label", ondelete="CASCADE"),
    )
    op.create_table(
        "second_opinions",
        sa.Column("number", Number, nullable=False),
        sa.Column("sentence", Number, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_second_opinions"),
        sa.ForeignKeyConstraint(
            ["sentence"], ["sentences.number"], name="fk_second_opinions_sentence", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("sentence", "reviewer", name="uq_second_opinions_sentence_reviewer"),
    )
    op.execute(_MARGINS[op.get_bind().dialect.name])
    for name, columns, current in (
        ("ix_predictions_margin", ["margin", "sentence"], sa.true()),
        ("ix_predictions_beside", ["model", "sentence"], sa.false()),
    ):
        where = sa.column("current", sa.Boolean) == current
        op.create_index(name, "predictions", columns, sqlite_where=where, postgresql_where=where)


# The highest probability minus the second, which is what is left of the sum without the highest and the lowest.
_MARGIN = """
    UPDATE predictions
    SET margin = {most}(p.a, p.b, p.c) * 2 + {least}(p.a, p.b, p.c) - (p.a + p.b + p.c)
    FROM (
        SELECT sentence, model, {negative} AS a, {neutral} AS b, {positive} AS c
        FROM predictions WHERE kind = 'sentiment'
    ) AS p
    WHERE predictions.kind = 'sentiment' AND predictions.sentence = p.sentence AND predictions.model = p.model
"""
_LABELS = ("negative", "neutral", "positive")
_MARGINS = {
    "sqlite": _MARGIN.format(
        most="max", least="min", **{label: f"json_extract(scores, '$.{label}')" for label in _LABELS}
    ),
    "postgresql": _MARGIN.format(
        most="greatest", least="least", **{label: f"(scores->>'{label}')::float8" for label in _LABELS}
    ),
}
