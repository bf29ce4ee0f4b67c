"""Verbs for recordings and stored calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.options import AGENT, CHANNELS, CUSTOMER, JSON, PATHS, moment, opened, roles
from pipeline.media import shown
from pipeline.settings import Settings
from pipeline.terminal import ProgressBar, clock, one_line

if TYPE_CHECKING:
    from pipeline.backends import Backends


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATHS)
@AGENT
@CUSTOMER
@click.option("--started-at", metavar="TIME", help="When the calls began, ISO 8601. Default: each file's date.")
@CHANNELS
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Calls to work on at a time.")
@JSON
@click.pass_obj
def ingest(
    settings: Settings,
    paths: tuple[Path, ...],
    agent: str | None,
    customer: str | None,
    started_at: str | None,
    channels: str | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Store recordings with their sentences and moods; PATHS are files or folders.

    Any format that ffmpeg reads. A recording that is stored already is passed by, so a run that was interrupted is
    finished by running it again. A file that cannot be used is named with the reason; the others are stored all the
    same, and the exit code is then 1.

    \b
    overtone ingest calls/ --agent Dana
    overtone ingest call.mp3 --started-at 2026-11-20T09:30:00+01:00 --channels customer,agent
    """
    from pipeline.ingest import Details, Outcome
    from pipeline.ingest import ingest as work

    details = Details(agent, customer, moment(started_at, option="--started-at"), roles(channels, settings))
    counts = {"stored": 0, "already": 0, "failed": 0}
    with opened(settings) as backends, ProgressBar(quiet=as_json) as bar:

        def tell(outcome: Outcome) -> None:
            counts[outcome.status] += 1
            if as_json:
                row = asdict(outcome) | {"source": shown(outcome.source)}
                click.echo(json.dumps(row))
            elif outcome.status == "stored":
                bar.say(f"{outcome.call_id}  {shown(outcome.source)}: {outcome.sentences} sentences" + _note(outcome))
            if outcome.status == "failed":
                bar.say(outcome.message, error=True)

        for outcome in work(
            paths,
            store=backends.store,
            services=backends.services,
            audio_folder=settings.audio_folder,
            details=details,
            jobs=jobs,
            on_progress=lambda progress: bar.move(progress.share, progress.files_done, progress.files),
        ):
            tell(outcome)
    if not as_json:
        print(
            f"{counts['stored']} stored, {counts['already']} already there, {counts['failed']} failed", file=sys.stderr
        )
    if counts["failed"]:
        sys.exit(1)


@click.command()
@click.option("--limit", type=click.IntRange(min=1), help="How many, newest first. Default: all.")
@JSON
@click.pass_obj
def calls(settings: Settings, limit: int | None, as_json: bool) -> None:
    """List the stored calls, newest first."""
    from pipeline.report import summary_row

    with opened(settings) as backends:
        rows = [summary_row(summary) for summary in _every_call(backends, limit)]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        mood = "" if row["mood"] is None else f"{row['mood']:+.2f}"
        people = " / ".join(name for name in (row["agent"], row["customer"]) if name)
        named = one_line(row["source"]) + (f"  ({one_line(people)})" if people else "")
        click.echo(
            f"{row['id']}  {row['started_at'][:16].replace('T', ' ')}  {clock(row['duration_s']):>8}  "
            f"{row['sentences']:>4} sentences  {mood:>5}  {named}"
        )
    if not rows:
        print("no calls yet: overtone ingest RECORDINGS", file=sys.stderr)


@click.command()
@click.argument("call")
@JSON
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to standard output.")
@click.pass_obj
def report(settings: Settings, call: str, as_json: bool, as_csv: bool) -> None:
    """Show one call, sentence by sentence; CALL is its id or the beginning of it."""
    from pipeline.report import call_csv, call_json

    if as_json and as_csv:
        raise click.UsageError("give --json or --csv, not both")
    with opened(settings) as backends:
        if as_csv:
            click.echo(call_csv(backends.store, call), nl=False)
            return
        found = call_json(backends.store, call)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    head = found["call"]
    click.echo(f"{head['id']}  {one_line(head['source'])}  {head['started_at']}  {clock(head['duration_s'])}")
    for row in found["sentences"]:
        mood = row["corrected"] or (row["sentiment"] or {}).get("label", "")
        click.echo(f"{clock(row['start_s']):>8}  {row['speaker']:<8}  {mood:<8}  {one_line(row['text'])}")


def _every_call(backends: Backends, limit: int | None) -> Iterator[Any]:
    page_size, offset = 500, 0
    while True:
        wanted = page_size if limit is None else min(page_size, limit - offset)
        page = backends.store.calls(limit=wanted, offset=offset) if wanted > 0 else None
        if page is None or not page.rows:
            return
        yield from page.rows
        offset += len(page.rows)


def _note(outcome: Any) -> str:
    return "" if outcome.sentences else " (nobody speaks in it)"
