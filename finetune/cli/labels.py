"""The verb for reviewers' corrections."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.settings import Settings


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="Write the rows to this TSV file.")
@click.pass_obj
def labels(settings: Settings, to: Path | None) -> None:
    """Tell how many sentences people labelled and how far they agree; --to writes them as training rows.

    The text is the one that was heard, the label the last one that was given.
    """
    from finetune import labels as reviewed
    from pipeline.store import open_store

    with open_store(settings.store_url) as store:
        rows = reviewed.reviewed(store)
    agreed = reviewed.agreement(rows)
    corrected = sum(row.corrected for row in rows)
    click.echo(f"{len(rows)} sentences labelled, {corrected} of them otherwise than the model had said", err=True)
    if agreed.pairs:
        alpha = "" if agreed.alpha is None else f", Krippendorff's alpha {agreed.alpha:.2f}"
        click.echo(
            f"{agreed.sentences} of them by several people, who agree in {100 * agreed.agreed:.0f} %{alpha}", err=True
        )
    if to is not None:
        reviewed.write(rows, to)
