"""Verbs that run or examine our services."""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import asdict, replace

import click

from pipeline.cli.options import JSON, opened
from pipeline.settings import Settings, describe
from pipeline.terminal import until_signal

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


@click.command()
@click.option("--host", help="Address to listen on, or unix:/path.sock. Default: OVERTONE_SERVE_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one. Default: OVERTONE_SERVE_PORT.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None) -> None:
    """Run the Riva-compatible speech and language server until Ctrl-C.

    \b
    overtone serve --port 50051
    python transcribe_file_offline.py --server localhost:50051 --input-file call.wav
    """
    from pipeline.server.main import serve as run

    logging.getLogger("pipeline").setLevel(logging.INFO)
    changed = replace(settings, serve_host=host or settings.serve_host)
    if port is not None:
        changed = replace(changed, serve_port=port)
    run(changed, ready=lambda uri: click.echo(f"ready {uri}"))


@click.command()
@click.pass_obj
def dashboard(settings: Settings) -> None:
    """Run the dashboard until Ctrl-C."""
    # A layer above this one, so it is started, not imported; in our place, so that signals reach it.
    os.execve(sys.executable, [sys.executable, "-m", "dashboard"], settings.to_env(os.environ))


@click.command()
@click.option("--samples", is_flag=True, help="Ingest the six sample calls the first time, and play one live.")
@click.pass_obj
def up(settings: Settings, samples: bool) -> None:
    """Run everything: the speech server, the gateway and the dashboard, until Ctrl-C."""
    from pipeline.up import run

    with until_signal() as stop:
        run(settings, os.environ, with_samples=samples, stop=stop, say=lambda line: print(line, file=sys.stderr))


@click.command()
@JSON
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Check everything and list the settings; exit code 1 when something does not work."""
    from pipeline.doctor import examine

    with opened(settings) as backends:
        checks = []
        for check in examine(settings, backends):
            checks.append(check)
            if not as_json:
                remedy = f"  -> {check.remedy}" if check.remedy else ""
                click.echo(f"{_MARKS[check.status]} {check.name}: {check.detail}{remedy}")
    if as_json:
        click.echo(json.dumps({"checks": [asdict(c) for c in checks], "settings": describe(settings)}, indent=1))
    else:
        click.echo("\nSettings (environment variable = value, * where it is not the default):")
        for row in describe(settings):
            click.echo(
                f"{' ' if row['value'] == row['default'] else '*'} {row['variable']}={row['value']}  {row['help']}"
            )
    if any(check.status == "failed" for check in checks):
        sys.exit(1)
