"""Verbs for calls that are going on."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.calls import Sentence
from pipeline.cli.options import AGENT, CHANNELS, CUSTOMER, PATHS, opened, roles
from pipeline.settings import Settings
from pipeline.terminal import clock, one_line, until_signal


@click.command()
@click.argument("path", type=PATHS)
@AGENT
@CUSTOMER
@CHANNELS
@click.option("--speed", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="2 plays twice as fast.")
@click.pass_obj
def live(
    settings: Settings, path: Path, agent: str | None, customer: str | None, channels: str | None, speed: float
) -> None:
    """Play the recording PATH as a live call, at the pace of time; watch it on the Live page."""
    from pipeline.replay import replay

    def tell(sentence: Sentence) -> None:
        mood = sentence.sentiment.label if sentence.sentiment else ""
        click.echo(f"{clock(sentence.start_s):>8}  {sentence.speaker:<8}  {mood:<8}  {one_line(sentence.text)}")

    with opened(settings) as backends, until_signal() as stop:
        call = replay(
            path,
            backends,
            agent=agent,
            customer=customer,
            speakers=roles(channels, settings),
            speed=speed,
            stop=stop,
            on_sentence=tell,
        )
    print(f"{call.id}  {clock(call.duration_s)}", file=sys.stderr)
