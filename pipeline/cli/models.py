"""Verbs of data scientists: train, evaluate, and choose the models in use.

Training lives in a layer above this one and needs packages that a plain installation lacks, so its verbs are started as
a program of their own, in our place; `python -m finetune` has the same verbs.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import JSON, moment, opened
from pipeline.settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from pipeline.registry import Registry, Version

_HANDED_ON = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": [],
}
# cuBLAS gives the same sums every time only with a workspace of its own, which it reads when it starts.
_REPEATABLE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
TASK = click.argument("task", callback=lambda context, parameter, value: value and value.replace("-", "_"))


def _handed_on(name: str, help: str) -> click.Command:
    """A verb that `python -m finetune` carries out, with all its options."""

    @click.command(name, help=help, context_settings=_HANDED_ON)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    @click.pass_obj
    def verb(settings: Settings, arguments: tuple[str, ...]) -> None:
        environment = settings.to_env(os.environ) | _REPEATABLE
        os.execve(sys.executable, [sys.executable, "-m", "finetune", name, *arguments], environment)

    return verb


train = _handed_on("train", "Train a model and register it as a new version.")
evaluate = _handed_on("evaluate", "Measure a model, alone or against another one.")
labels = _handed_on("labels", "Write the corrections of reviewers as training rows.")
snapshot = _handed_on("snapshot", "Keep, compare and restore what models were trained from.")
nemo = _handed_on("nemo", "Train with NeMo.")
HANDED_ON = (train, evaluate, labels, snapshot, nemo)


@click.group()
def models() -> None:
    """List the versions of our models and choose the one in use; a running server follows without a restart."""


@models.command("list")
@click.argument("task", required=False)
@JSON
@click.pass_obj
def models_list(settings: Settings, task: str | None, as_json: bool) -> None:
    """List the versions of TASK, or of every task; `*` marks the one in use, `+` the shadow."""
    from pipeline.registry import Registry

    registry = Registry.of(settings)
    tasks = [task.replace("-", "_")] if task else registry.tasks()
    rows = [row for name in tasks for row in _rows(registry, name)]
    if as_json:
        history = {name: [_told(move) for move in registry.pointer(name).history] for name in tasks}
        click.echo(json.dumps({"versions": rows, "history": history}, indent=1))
        return
    for row in rows:
        mark = "*" if row["current"] else "+" if row["shadow"] else " "
        shipped = "  (shipped)" if row["shipped"] else f"  snapshot {row['snapshot'][:12] or 'none'}"
        click.echo(f"{mark} {row['task']}  {row['version']:<24} {row['figure']:<40}{shipped}")


@models.command("promote")
@TASK
@click.argument("version")
@click.pass_obj
def models_promote(settings: Settings, task: str, version: str) -> None:
    """Use VERSION of TASK from now on; 0 is the shipped one.

    \b
    overtone models promote sentiment 2026.11.2-3fa8c1d2
    """
    from pipeline.registry import Registry

    found = Registry.of(settings).promote(task, version, by=_person())
    click.echo(f"{found.identity} is in use")


@models.command("rollback")
@TASK
@click.pass_obj
def models_rollback(settings: Settings, task: str) -> None:
    """Use the version of TASK again that was in use before the last promotion."""
    from pipeline.registry import Registry

    found = Registry.of(settings).rollback(task, by=_person())
    click.echo(f"{found.identity} is in use")


@models.command("shadow")
@TASK
@click.argument("version", required=False)
@click.option("--off", is_flag=True, help="End it.")
@click.pass_obj
def models_shadow(settings: Settings, task: str, version: str | None, off: bool) -> None:
    """Let VERSION of TASK score every new sentence too, beside the model in use (while `overtone up` runs)."""
    from pipeline.registry import Registry

    if off == bool(version):
        raise click.UsageError("give a VERSION, or --off")
    if task != "sentiment":
        raise click.UsageError("only sentiment has a shadow: it is what is stored of every sentence")
    found = Registry.of(settings).shadow(task, version or "")
    click.echo(f"{found.identity} runs beside the model in use" if found else "no model runs beside the one in use")


@click.command()
@click.option("--model", required=True, metavar="VERSION", help="Version of sentiment, or a Riva server's model.")
@click.option("--since", metavar="TIME", help="Only calls that began at this time or later, ISO 8601. Default: all.")
@click.option("--promote", is_flag=True, help="Show its scores instead of the old ones, which stay stored.")
@click.pass_obj
def relabel(settings: Settings, model: str, since: str | None, promote: bool) -> None:
    """Score stored sentences with another model, beside the scores that they have.

    What it has scored already is passed by, so a run that was interrupted is finished by running it again. --promote
    changes which scores are shown; promoting the former model takes it back.

    \b
    overtone relabel --model 2026.11.2-3fa8c1d2 --since 2026-11-01
    """
    from pipeline.registry import Registry
    from pipeline.relabel import rescore

    name = model
    if settings.nlp_uri == EMBEDDED:
        name = Registry.of(settings).version("sentiment", model.removeprefix("sentiment@")).identity
    with opened(settings) as backends:
        classifier = backends.classifier_of(name)
        done = rescore(
            backends.store,
            classifier,
            since=moment(since, option="--since"),
            on_progress=lambda count: print(f"{count} sentences", file=sys.stderr),
        )
        click.echo(f"{done} sentences scored by {classifier.identity}")
        if promote:
            click.echo(f"{backends.store.promote_predictions(classifier.identity)} of its scores are shown from now on")


def _rows(registry: Registry, task: str) -> list[dict[str, Any]]:
    pointer = registry.pointer(task)
    return [_row(version, pointer.current, pointer.shadow) for version in registry.versions(task)]


def _row(version: Version, current: str, shadow: str) -> dict[str, Any]:
    name = "0" if version.shipped else version.version
    return {
        "task": version.task,
        "version": version.version,
        "shipped": version.shipped,
        "current": name == current,
        "shadow": name == shadow,
        "figure": _figure(version.card.get("metrics", {})),
        "metrics": version.card.get("metrics", {}),
        "snapshot": version.origin.get("snapshot", ""),
        "registered_at": version.origin.get("registered_at", ""),
        "by": version.origin.get("by", ""),
    }


def _figure(metrics: dict[str, Any]) -> str:
    """The one figure that a list has room for."""
    for name, found in metrics.items():
        if isinstance(found, dict) and "macro_f1" in found:
            value, low, high = found["macro_f1"]
            return f"macro-F1 {100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f}) on {name}"
    if "intent_accuracy" in metrics:
        value, low, high = metrics["intent_accuracy"]
        return f"intents {100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"
    return ""


def _told(move: Any) -> dict[str, Any]:
    return asdict(move) | {"at": move.at.isoformat()}


def _person() -> str:
    return pwd.getpwuid(os.getuid()).pw_name
