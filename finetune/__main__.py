"""Commands of the data scientist: `python -m finetune train --config CONFIG --datasets FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.errors import OvertoneError


@click.group()
def main() -> None:
    """Train and export the text models."""


@main.command()
@click.option("--config", "config_path", required=True, type=click.Path(path_type=Path), help="YAML file of the run.")
@click.option("--datasets", required=True, type=click.Path(path_type=Path), help="Folder of the public data sets.")
@click.option("--repository", default=Path(), type=click.Path(path_type=Path), help="Folder that holds data/.")
@click.option("--work", default=Path("build/finetune"), type=click.Path(path_type=Path), help="Checkpoints and caches.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder of the model; data/models/TASK by default.")
def train(config_path: Path, datasets: Path, repository: Path, work: Path, output: Path | None) -> None:
    """Train the model of a config; the same command continues a run that was killed.

    Example: python -m finetune train --config finetune/configs/sentiment.yml --datasets ../datasets
    """
    from tqdm import tqdm

    from finetune import config, runs
    from finetune.train import Step

    try:
        read = config.load(config_path)
        notes_path = config_path.with_suffix(".notes.md")
        notes = notes_path.read_text(encoding="utf-8") if notes_path.exists() else ""
        places = runs.Places(
            repository, datasets, work, output or repository / "data" / "models" / read.task.replace("-", "_")
        )
        with tqdm(unit="step", file=sys.stderr, mininterval=1.0) as bar:

            def show(step: Step) -> None:
                bar.total = step.total
                bar.set_postfix(loss=f"{step.loss:.3f}", refresh=False)
                bar.update(step.number - bar.n)

            runs.train_model(
                read, places, notes=notes, on_step=show, say=lambda line: tqdm.write(line, file=sys.stderr)
            )
    except OvertoneError as exc:
        click.echo(f"error: {exc}", err=True)
        raise SystemExit(1) from exc


if __name__ == "__main__":
    main()
