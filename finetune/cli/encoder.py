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
    """Train the sentence encoder on the meanings in data/training/meanings and make the int8 file.

    Takes a quarter of an hour on two cores.

    \b
    python -m finetune sentence-encoder --output /tmp/sentence_encoder
    """
    from finetune import sentence_encoder as made

    def on_step(step: int, steps: int, loss: float) -> None:
        if step % 20 == 0 or step == steps:
            click.echo(f"step {step} of {steps}, loss {loss:.2f}", err=True)

    found = made.build(output, work or settings.home / "training", on_step=on_step)
    click.echo(
        f"{output}: similarities differ by {found.mean_gap:.3f} on average and {found.largest_gap:.3f} at most "
        f"from the weights in float32, over {found.sentences} sentences",
        err=True,
    )
