"""Verbs for calls that are going on."""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pipeline.calls import Sentence
from pipeline.cli.options import AGENT, CHANNELS, CUSTOMER, JSON, PATHS, moment, opened, roles
from pipeline.media import shown
from pipeline.settings import Settings
from pipeline.terminal import clock, one_line, until_signal


@click.command()
@click.argument("files", nargs=-1, type=PATHS)
@AGENT
@CUSTOMER
@CHANNELS
@click.option("--realtime", is_flag=True, help="At the pace of time, which is what happens anyway.")
@click.option("--speed", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="2 plays twice as fast.")
@click.option("--second-pass", is_flag=True, help="Hear the calls once more with the better recogniser at the end.")
@click.pass_obj
def live(
    settings: Settings,
    files: tuple[Path, ...],
    agent: str | None,
    customer: str | None,
    channels: str | None,
    realtime: bool,
    speed: float,
    second_pass: bool,
) -> None:
    """Run the gateway for phone systems and the assistant, or play FILES as live calls.

    Without FILES the gateway serves until Ctrl-C; docs/gateway.md and docs/live.md tell how to reach it. Recordings
    are played at the pace of time, several at once; watch them on the Live page.

    \b
    overtone live
    overtone live call.wav other.wav
    """
    if not files:
        from pipeline.live.main import serve

        logging.getLogger("pipeline").setLevel(logging.INFO)
        serve(settings, os.environ, ready=lambda address: click.echo(f"ready {address}"))
        return
    from pipeline.replay import replay_all

    def tell(source: Path, sentence: Sentence) -> None:
        mood = sentence.sentiment.label if sentence.sentiment else ""
        prefix = one_line(source.name) + "  " if len(files) > 1 else ""
        said = one_line(sentence.text)
        click.echo(f"{prefix}{clock(sentence.start_s):>8}  {sentence.speaker:<8}  {mood:<8}  {said}")

    with opened(settings) as backends, until_signal() as stop:
        calls = replay_all(
            files,
            backends,
            agent=agent,
            customer=customer,
            speakers=roles(channels, settings),
            speed=speed,
            second_pass=second_pass,
            stop=stop,
            on_sentence=tell,
        )
    for path, call in zip(files, calls, strict=True):
        print(f"{call.id}  {clock(call.duration_s)}  {shown(path)}", file=sys.stderr)


@click.command()
@click.option("--since", metavar="TIME", help="ISO 8601; the last 24 hours if not given.")
@JSON
@click.pass_obj
def latency(settings: Settings, since: str | None, as_json: bool) -> None:
    """Show how long sentences took from the end of speech to the screen: p50, p95 and p99 of each stage in ms.

    The first browser that showed a sentence counts; a stage that no sentence has passed is left out.
    """
    from pipeline.latency import by_stage

    start = moment(since, option="--since") or datetime.now(UTC) - timedelta(hours=24)
    with opened(settings) as backends:
        stages = by_stage(backends.store.clocks(since=start))
    if as_json:
        figures = {name: asdict(row) for name, row in stages.items()}
        click.echo(json.dumps({"since": start.isoformat(), "stages": figures}))
        return
    if not stages:
        click.echo(f"no live sentence has been timed since {start:%Y-%m-%d %H:%M} UTC")
        return
    click.echo(f"{'ms':<10}{'sentences':>10}{'p50':>9}{'p95':>9}{'p99':>9}")
    for name, row in stages.items():
        click.echo(f"{name:<10}{row.count:>10,}{row.p50_ms:>9,.0f}{row.p95_ms:>9,.0f}{row.p99_ms:>9,.0f}")
