"""Verbs for the archive of conversations with the assistant."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from pipeline.cli.options import JSON, PATHS, opened
from pipeline.settings import Settings


def _day(context: click.Context, option: click.Parameter, raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise click.BadParameter(f"{raw!r} is no day; write e.g. 2026-11-20") from None


@click.group()
def archive() -> None:
    """Export the conversations with the assistant, or delete old ones."""


@archive.command("export")
@click.option("--day", required=True, callback=_day, metavar="DAY", help="The day in UTC, e.g. 2026-11-20.")
@click.option("--to", type=PATHS, metavar="FOLDER", help="Where the day's folder goes. Default: archive/ in the home.")
@JSON
@click.pass_obj
def archive_export(settings: Settings, day: date, to: Path | None, as_json: bool) -> None:
    """Write all turns of a day as CSV, and those that people reviewed as training rows, to FOLDER/DAY.

    The training rows are a folder in NeMo's intent-slot format, and only there when a turn of the day was reviewed on
    the dashboard. Running it again replaces the day's folder.
    """
    from pipeline.archive import export

    with opened(settings) as backends:
        done = export(backends.store, day, to or settings.home / "archive")
    if as_json:
        click.echo(json.dumps(asdict(done) | {"folder": str(done.folder)}))
        return
    click.echo(f"{done.folder}: {done.turns} turns, {done.reviewed} of them as training rows")
    if done.waiting:
        print(f"{done.waiting} turns wait for review on the dashboard's page Conversations", file=sys.stderr)


@archive.command("delete")
@click.option("--before", required=True, callback=_day, metavar="DAY", help="The first day in UTC that is kept.")
@click.pass_obj
def archive_delete(settings: Settings, before: date) -> None:
    """Delete all conversations that began before DAY, with their turns and reviews; exported files stay."""
    from pipeline.archive import delete_before

    with opened(settings) as backends:
        count = delete_before(backends.store, before)
    click.echo(f"{count} conversations deleted")
