"""Verbs for snapshots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pipeline.settings import Settings


@click.group()
def snapshot() -> None:
    """Keep, compare and restore what models were trained from; every training makes one by itself."""


@snapshot.command("create")
@click.option("--config", required=True, type=click.Path(path_type=Path), help="YAML file of a run.")
@click.option("--datasets", type=click.Path(path_type=Path), help="Folder of public data sets.")
@click.option("--model", "model_folder", type=click.Path(path_type=Path), help="Folder of the model that came of it.")
@click.option("--reviewed", is_flag=True, help="The corrections in the store too.")
@click.option("--note", default="", help="A line for the list.")
@click.pass_obj
def create(
    settings: Settings, config: Path, datasets: Path | None, model_folder: Path | None, reviewed: bool, note: str
) -> None:
    """Keep the data, labels, config and code of a run as they are now."""
    import dataclasses
    from contextlib import ExitStack

    from finetune import loop, machine
    from finetune.snapshots import gathered
    from finetune.snapshots.places import store_of
    from pipeline.registry import Registry
    from pipeline.store import open_store

    public = datasets or (Path(settings.datasets) if settings.datasets else None)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(settings.store_url)) if reviewed else None
        order = loop.Order(config, settings.home / "training", public)
        read, path, places = loop.prepared(order, machine.CPU, store=store, say=lambda line: click.echo(line, err=True))
    manifest, files = gathered(read, path, places)
    if model_folder is not None:
        manifest, files = loop.with_model(manifest, files, model_folder.resolve(), Registry.of(settings))
    made = store_of(settings).create(dataclasses.replace(manifest, note=note), files)
    click.echo(made.id)


@snapshot.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output, for machines.")
@click.pass_obj
def listed(settings: Settings, as_json: bool) -> None:
    """List the snapshots, oldest first."""
    from finetune.snapshots.places import store_of

    found = store_of(settings).list()
    rows: list[dict[str, Any]] = [
        {
            "id": one.id,
            "created_at": one.created_at.isoformat(timespec="seconds") if one.created_at else "",
            "task": one.task,
            "model": one.model,
            "files": len(one.files),
            "bytes": sum(entry.size for entry in one.files.values()),
            "commit": one.code.get("commit", ""),
            "not_committed": bool(one.code.get("not_committed")),
            "note": one.note,
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        code = f"{row['commit'][:9] or 'no commit'}{' and changes' if row['not_committed'] else ''}"
        click.echo(
            f"{row['id'][:12]}  {row['created_at'][:16].replace('T', ' ')}  {row['task']:<11}  "
            f"{row['model'] or 'no model':<36}  {row['files']:>3} files  {row['bytes'] / 1e6:>6.1f} MB  {code}  "
            f"{row['note']}"
        )


@snapshot.command("diff")
@click.argument("old")
@click.argument("new")
@click.pass_obj
def diff(settings: Settings, old: str, new: str) -> None:
    """Name what differs between two snapshots, with the lines that came and went in text files."""
    from finetune.snapshots import difference
    from finetune.snapshots.places import store_of

    store = store_of(settings)
    changes = difference(store, store.find(old), store.find(new))
    for change in changes:
        lines = "" if change.lines_added is None else f"  +{change.lines_added} -{change.lines_removed} lines"
        click.echo(f"{change.kind:<8} {change.name}{lines}")
    if not changes:
        click.echo("no difference")


@snapshot.command("restore")
@click.argument("wanted", metavar="ID")
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def restore(settings: Settings, wanted: str, folder: Path) -> None:
    """Write a snapshot's files into FOLDER, each checked against its hash.

    \b
    overtone snapshot restore 3fa8c1d2 /tmp/again
    overtone train --snapshot /tmp/again
    """
    from finetune.snapshots.places import store_of

    store = store_of(settings)
    found = store.find(wanted)
    store.restore(found, folder)
    click.echo(f"{len(found.files)} files in {folder}; overtone train --snapshot {folder} trains from them", err=True)
