"""The verb that measures."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from pipeline.settings import DATA, Settings

_FILE = click.Path(path_type=Path)
# Measured where no --data is given: never trained on.
_DEFAULT = {
    "sentiment": tuple(
        f"training/sentiment/{name}.tsv"
        for name in ("calls_dev", "calls_dev_asr", "calls_natural", "calls_natural_asr", "calls_unseen")
    ),
    "intent_slot": tuple(f"training/nara/{name}.tsv" for name in ("test", "natural", "everyday")),
}


@click.command()
@click.argument("model")
@click.option("--data", "files", multiple=True, type=_FILE, help="File of labelled sentences. Default: our own.")
@click.option("--reviewed", is_flag=True, help="Measure on reviewers' labels in the store that nothing was trained on.")
@click.option("--calls", is_flag=True, help="Measure on stored calls that have a reference transcript.")
@click.option(
    "--references", type=_FILE, default=DATA / "samples", show_default="the sample calls", help="Folder of transcripts."
)
@click.option("--against", metavar="MODEL", help="Another model to compare with, on the same sentences.")
@click.option("--task", type=click.Choice(["sentiment", "intent-slot"]), help="Which model of a server is meant.")
@click.option("--json", "json_file", type=_FILE, help="Write all figures to this file.")
@click.option("--plots", type=_FILE, help="Write plots as PNG into this folder.")
@click.pass_obj
def evaluate(
    settings: Settings,
    model: str,
    files: tuple[Path, ...],
    reviewed: bool,
    calls: bool,
    references: Path,
    against: str | None,
    task: str | None,
    json_file: Path | None,
    plots: Path | None,
) -> None:
    """Measure MODEL: a folder, a version (sentiment@VERSION), a task's version in use, or host:port of a Riva.

    Every figure comes with its 95 % interval. --data takes our TSV files, `label TAB text`, and NeMo's intent-slot
    folders by their X.tsv. --calls measures what recognition does to sentiment.

    \b
    overtone evaluate sentiment
    overtone evaluate sentiment@VERSION --against sentiment --json figures.json --plots plots/
    overtone evaluate localhost:50051 --data my_sentences.tsv
    overtone ingest data/samples && overtone evaluate sentiment --calls
    """
    from finetune import evaluation, heard, judges, labels
    from pipeline.store import open_store

    wanted = (task or "").replace("-", "_")
    told: dict[str, Any] = {"sets": []}
    with ExitStack() as stack:
        judge = stack.enter_context(judges.opened(model, settings, os.environ, task=wanted))
        other = stack.enter_context(judges.opened(against, settings, os.environ, task=judge.task)) if against else None
        told |= {"model": judge.identity, "task": judge.task, "against": other.identity if other else None}
        if other is not None and other.task != judge.task:
            raise click.UsageError(f"{other.identity} is a model for {other.task}, not for {judge.task}")
        store = stack.enter_context(open_store(settings.store_url)) if reviewed or calls else None
        sets = evaluation.read(list(files))
        if reviewed and store is not None:
            _, kept = labels.held_out(labels.reviewed(store))
            sets.append(evaluation.of_reviewed(kept))
        if not sets and not calls:
            sets = evaluation.read([DATA / name for name in _DEFAULT[judge.task]])
        click.echo(judge.identity + (f" against {other.identity}" if other else ""))
        for texts in sets:
            outcome = evaluation.evaluate(texts, judge, other)
            told["sets"].append(evaluation.told(outcome))
            click.echo("\n".join(evaluation.lines(outcome)))
            if plots is not None:
                from finetune import plots as drawing

                drawing.draw(outcome.figures, plots, outcome.name, other=outcome.other)
        if calls and store is not None:
            rows, missing = heard.from_store(store, references)
            if missing:
                click.echo(f"not in the store: {', '.join(missing)}; overtone ingest brings them in", err=True)
            found = heard.measured(rows, judge)
            told["calls"] = heard.told(found)
            click.echo("\n".join(evaluation.pipeline_lines(found)))
            if other is not None:
                beside = heard.measured(rows, other)
                told["calls_against"] = heard.told(beside)
                click.echo("\n".join([f"the other model, {other.identity}:", *evaluation.pipeline_lines(beside)]))
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
