"""The verb that trains."""

from __future__ import annotations

import os
import pwd
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.settings import DATA, Settings

if TYPE_CHECKING:
    from finetune.train import Step

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("task", required=False)
@click.option("--config", type=click.Path(path_type=Path), help="YAML file of the run. Default: the one we ship.")
@click.option("--datasets", type=_FOLDER, help="Folder of public data sets. Default: OVERTONE_DATASETS, or none.")
@click.option("--repository", type=_FOLDER, help="Folder that holds data/. Default: where Overtone is installed.")
@click.option("--reviewed", is_flag=True, help="Train on the corrections in the store too (7 of 10 reviewed calls).")
@click.option("--archive", "archives", multiple=True, type=_FOLDER, help="Train on a NeMo intent-slot folder too.")
@click.option("--snapshot", type=_FOLDER, help="Train again from this restored snapshot.")
@click.option("--no-snapshot", is_flag=True, help="Do not keep a snapshot.")
@click.option("--output", type=_FOLDER, help="Write the model to this folder instead of registering it.")
@click.option("--work", type=_FOLDER, help="Folder of checkpoints. Default: training/ in OVERTONE_HOME.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda; auto takes a GPU that is there.")
@click.option(
    "--precision", default="auto", show_default=True, help="auto, float32 or bfloat16; auto: bfloat16 on a GPU."
)
@click.option(
    "--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that train together."
)
@click.pass_obj
def train(
    settings: Settings,
    task: str | None,
    config: Path | None,
    datasets: Path | None,
    repository: Path | None,
    reviewed: bool,
    archives: tuple[Path, ...],
    snapshot: Path | None,
    no_snapshot: bool,
    output: Path | None,
    work: Path | None,
    device: str,
    precision: str,
    processes: int,
) -> None:
    """Train TASK (sentiment, punctuation, intent-slot) and register the model as a new version.

    The same command goes on where a run was interrupted, and ends in the same model. The new version is not in use
    until it is promoted.

    \b
    overtone train sentiment --datasets ../datasets
    overtone train sentiment --reviewed
    overtone evaluate sentiment@VERSION --against sentiment
    overtone models promote sentiment VERSION
    """
    if sum(given is not None for given in (task or config, snapshot)) != 1:
        raise click.UsageError("give a TASK or --config, or --snapshot")
    if processes > 1:
        _several(processes)
    from tqdm import tqdm

    from finetune import loop, machine, runs
    from finetune.snapshots.places import store_of
    from pipeline.registry import Registry
    from pipeline.store import open_store

    made_in = work or settings.home / "training"
    public = datasets or (Path(settings.datasets) if settings.datasets else None)
    with ExitStack() as stack:
        mine = stack.enter_context(machine.opened(device, precision))
        store = stack.enter_context(open_store(settings.store_url)) if reviewed else None
        bars: list[Any] = []

        def say(line: str) -> None:
            if mine.leads:
                tqdm.write(line, file=sys.stderr)

        def show(step: Step) -> None:
            if not bars:
                shown = tqdm(unit="step", file=sys.stderr, mininterval=1.0, total=step.total, initial=step.number - 1)
                bars.append(stack.enter_context(shown))
            (bar,) = bars
            bar.set_postfix(loss=f"{step.loss:.3f}", left=_clock(step.seconds_left), refresh=False)
            bar.update(step.number - bar.n)

        if snapshot is not None:
            order = loop.restored(snapshot, made_in)
        else:
            chosen = config or loop.shipped_config(str(task))
            order = loop.Order(chosen, made_in, public, repository or DATA.parent, archives=archives)
        read, path, places = loop.prepared(order, mine, store=store, say=say)
        if output is not None:
            notes = path.with_suffix(".notes.md")
            text = notes.read_text(encoding="utf-8") if notes.exists() else ""
            runs.train_model(read, runs.moved(places, output), notes=text, on_step=show, say=say)
            return
        version = loop.train(
            read,
            path,
            places,
            registry=Registry.of(settings),
            snapshots=None if no_snapshot else store_of(settings),
            by=pwd.getpwuid(os.getuid()).pw_name,
            on_step=show,
            say=say,
        )
    if version is not None:
        click.echo(version.identity)
        click.echo(
            f"not in use yet: overtone evaluate {version.identity} --against {version.task}, "
            f"then overtone models promote {version.task} {version.version}",
            err=True,
        )


def _several(processes: int) -> None:
    """Start this very command as several processes, in our place."""
    given = sys.argv[1:]
    place = next(i for i, word in enumerate(given) if word.partition("=")[0] == "--processes")
    rest = given[:place] + given[place + (1 if "=" in given[place] else 2) :]
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", "finetune"]
    os.execv(sys.executable, [sys.executable, *launch, *rest])


def _clock(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
