"""The verb that makes the sentence encoder that alerts hold meanings against."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.settings import DATA, Settings

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("sentence-encoder")
@click.option(
    "--output",
    type=_FOLDER,
    default=DATA / "models" / "sentence_encoder",
    show_default="the one we ship",
    help="Folder of the model.",
)
@click.option("--work", type=_FOLDER, help="Where the encoder is unpacked. Default: training/ in OVERTONE_HOME.")
@click.pass_obj
def sentence_encoder(settings: Settings, output: Path, work: Path | None) -> None:
    """Make the int8 sentence encoder from the published weights; nothing is trained.

    \b
    python -m finetune sentence-encoder --output /tmp/sentence_encoder
    """
    from finetune import sentence_encoder as made

    found = made.build(output, work or settings.home / "training")
    click.echo(
        f"{output}: similarities differ by {found.mean_gap:.3f} on average and {found.largest_gap:.3f} at most "
        f"from the published weights, over {found.sentences} sentences",
        err=True,
    )
