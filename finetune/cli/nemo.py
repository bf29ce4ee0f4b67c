"""Verbs for NeMo."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.settings import DATA, Settings

_PATH = click.Path(path_type=Path)
_STEPS = click.option("--steps", type=click.IntRange(min=1), default=200, show_default=True, help="Steps to train.")
_BATCH = click.option("--batch-size", type=click.IntRange(min=1), default=16, show_default=True, help="Rows a step.")


def _say(line: str) -> None:
    click.echo(line, err=True)


@click.group()
def nemo() -> None:
    """Train NVIDIA's models with NeMo, each release in an environment of its own."""


@nemo.command("setup")
@click.argument("what", type=click.Choice(["intent-slot", "asr", "riva"]))
@click.option(
    "--python", "base", default="", show_default="this one; python3.10 for riva", help="The Python that makes it."
)
@click.pass_obj
def setup(settings: Settings, what: str, base: str) -> None:
    """Install NeMo for WHAT into a folder of OVERTONE_HOME: intent-slot (2.4.1), asr (3.0.0) or riva (nemo2riva)."""
    from finetune import nemo_environment

    click.echo(nemo_environment.setup(settings.home, what, base=base, say=_say))


@nemo.command("intent-slot")
@click.option("--data", type=_PATH, default=DATA / "training" / "nara", show_default="ours", help="NeMo folder.")
@click.option("--output", type=_PATH, required=True, help="The .nemo file to write.")
@click.option("--query", "queries", multiple=True, help="Try the model on this sentence afterwards.")
@click.option("--learning-rate", type=float, default=2e-4, show_default=True, help="Of AdamW.")
@_STEPS
@_BATCH
@click.pass_obj
def intent_slot(
    settings: Settings,
    data: Path,
    output: Path,
    queries: tuple[str, ...],
    learning_rate: float,
    steps: int,
    batch_size: int,
) -> None:
    """Train a joint intent and slot model with NeMo 2.4.1 from a folder in its format.

    \b
    overtone nemo setup intent-slot
    overtone nemo intent-slot --output intents.nemo --steps 20 --query "will it rain in denver"
    """
    from finetune import nemo_training

    schedule = nemo_training.Schedule(steps, batch_size, learning_rate)
    found = nemo_training.intents(
        data, output, settings.home, schedule, queries=queries or ("is it sunny in denver",), say=_say
    )
    for name in ("before", "after"):
        click.echo(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in sorted(found[name].items())))
    click.echo(f"{found['steps']} steps; {found['output']}")


@nemo.command("asr")
@click.option("--model", type=_PATH, required=True, help="The .nemo file to start from.")
@click.option("--output", type=_PATH, required=True, help="The .nemo file to write.")
@click.option(
    "--references", type=_PATH, default=DATA / "samples", show_default="the sample calls", help="Folder of transcripts."
)
@click.option("--learning-rate", type=float, default=1e-4, show_default=True, help="Of AdamW.")
@_STEPS
@_BATCH
@click.pass_obj
def asr(
    settings: Settings, model: Path, output: Path, references: Path, learning_rate: float, steps: int, batch_size: int
) -> None:
    """Train a speech model with NeMo 3 from the stored calls that have a reference transcript.

    \b
    overtone ingest data/samples
    overtone nemo asr --model conformer.nemo --output ours.nemo --steps 20
    """
    from finetune import nemo_training
    from pipeline.store import open_store

    schedule = nemo_training.Schedule(steps, batch_size, learning_rate)
    with open_store(settings.store_url) as store:
        found = nemo_training.speech(
            model, output, store, settings.audio_folder, references, settings.home, schedule, say=_say
        )
    click.echo(
        f"{found.steps} steps on {found.train} sentences; word error rate on {found.measured} others: "
        f"{100 * found.before:.1f} % before, {100 * found.after:.1f} % after; {found.output}"
    )


@nemo.command("riva")
@click.argument("kind", type=click.Choice(["intent-slot", "asr"]))
@click.argument("model", type=_PATH)
@click.option("--name", default="overtone", show_default=True, help="What the Riva server will call the model.")
@click.pass_obj
def riva(settings: Settings, kind: str, model: Path, name: str) -> None:
    """Write NAME.riva beside a .nemo file, and NAME.sh with the command lines that deploy it."""
    from finetune import nemo_environment, riva_export

    target = model.with_name(f"{name}.riva")
    script = model.with_name(f"{name}.sh")
    script.write_text(riva_export.command_lines(kind, target, name=name), encoding="utf-8")
    python = nemo_environment.python_of(settings.home, nemo_environment.RIVA)
    click.echo(riva_export.convert(python, model, target))
