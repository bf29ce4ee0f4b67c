"""The one command, `overtone`: thin verbs over plain functions; heavy imports stand inside the verb that needs them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.calls import Sentence
from pipeline.errors import OvertoneError
from pipeline.media import shown
from pipeline.settings import Settings, describe, parse_channels
from pipeline.terminal import ProgressBar, clock, one_line, until_signal

if TYPE_CHECKING:
    from pipeline.backends import Backends

_PATHS = click.Path(path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output, for machines.")
_AGENT = click.option("--agent", metavar="NAME", help="Who answered the call.")
_CUSTOMER = click.option("--customer", metavar="NAME", help="Who called.")
_CHANNELS = click.option(
    "--channels", metavar="ROLES", help="Who speaks on each channel, e.g. agent,customer. Default: OVERTONE_CHANNELS."
)


class _Verbs(click.Group):
    """The verbs in the order in which they are defined here, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="overtone")
@click.option("--debug", is_flag=True, help="Show a traceback with an error, and log more.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Listens to phone calls and shows how every sentence of them feels.

    Settings are environment variables: `overtone doctor` lists them all with their values.
    """
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    ctx.obj = Settings.from_env(os.environ)


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=_PATHS)
@_AGENT
@_CUSTOMER
@click.option("--started-at", metavar="TIME", help="When the calls began, ISO 8601. Default: each file's date.")
@_CHANNELS
@click.option("--jobs", type=click.IntRange(min=1), default=2, show_default=True, help="Calls to work on at a time.")
@_JSON
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

    details = Details(agent, customer, _time(started_at), _roles(channels, settings))
    counts = {"stored": 0, "already": 0, "failed": 0}
    with _backends(settings) as backends, ProgressBar(quiet=as_json) as bar:

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


@cli.command()
@click.option("--limit", type=click.IntRange(min=1), help="How many, newest first. Default: all.")
@_JSON
@click.pass_obj
def calls(settings: Settings, limit: int | None, as_json: bool) -> None:
    """List the stored calls, newest first."""
    from pipeline.report import summary_row

    with _backends(settings) as backends:
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


@cli.command()
@click.argument("call")
@_JSON
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV to standard output.")
@click.pass_obj
def report(settings: Settings, call: str, as_json: bool, as_csv: bool) -> None:
    """Show one call, sentence by sentence; CALL is its id or the beginning of it."""
    from pipeline.report import call_csv, call_json

    if as_json and as_csv:
        raise click.UsageError("give --json or --csv, not both")
    with _backends(settings) as backends:
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


@cli.command()
@click.argument("path", type=_PATHS)
@_AGENT
@_CUSTOMER
@_CHANNELS
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

    with _backends(settings) as backends, until_signal() as stop:
        call = replay(
            path,
            backends,
            agent=agent,
            customer=customer,
            speakers=_roles(channels, settings),
            speed=speed,
            stop=stop,
            on_sentence=tell,
        )
    print(f"{call.id}  {clock(call.duration_s)}", file=sys.stderr)


@cli.command()
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


@cli.command()
@click.pass_obj
def dashboard(settings: Settings) -> None:
    """Run the dashboard until Ctrl-C."""
    # A layer above this one, so it is started, not imported; in our place, so that signals reach it.
    os.execve(sys.executable, [sys.executable, "-m", "dashboard"], settings.to_env(os.environ))


@cli.command()
@click.option("--samples", is_flag=True, help="Ingest the six sample calls the first time, and play one live.")
@click.pass_obj
def up(settings: Settings, samples: bool) -> None:
    """Run everything: the speech server and the dashboard, until Ctrl-C."""
    from pipeline.up import run

    with until_signal() as stop:
        run(settings, os.environ, with_samples=samples, stop=stop, say=lambda line: print(line, file=sys.stderr))


@cli.command()
@_JSON
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Check everything and list the settings; exit code 1 when something does not work."""
    from pipeline.doctor import examine

    with _backends(settings) as backends:
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


@cli.group()
def flows() -> None:
    """Check, draw and test the dialog flows of the assistant."""


@flows.command("check")
@click.argument("folder", type=_PATHS)
def flows_check(folder: Path) -> None:
    """Name every defect of the flow files in FOLDER with file, line and state; exit code 1 where one is an error."""
    from pipeline.dialog import check
    from pipeline.dialog.checks import in_words

    defects = check(folder)
    click.echo(in_words(defects) if defects else "no defects")
    if any(defect.severity == "error" for defect in defects):
        sys.exit(1)


@flows.command("draw")
@click.argument("folder", type=_PATHS)
@click.option("--only", default="", metavar="FLOW", help="Only the flow of this name.")
def flows_draw(folder: Path, only: str) -> None:
    """Write the state diagram of the flows in FOLDER as Mermaid text."""
    from pipeline.dialog import draw, load

    click.echo(draw(load(folder), only))


@flows.command("test")
@click.argument("folder", type=_PATHS)
def flows_test(folder: Path) -> None:
    """Run the conversations in FOLDER/tests as text; exit code 1 where one goes otherwise than written."""
    from pipeline.dialog import load
    from pipeline.dialog.cases import read_cases
    from pipeline.dialog.tests_as_data import report, run

    outcome = run(load(folder), read_cases(folder / "tests"))
    click.echo(report(outcome))
    if not outcome.passed:
        sys.exit(1)


_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of ours become one line on standard error and exit code 1 (2: wrong usage)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        cli.main(given, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `overtone calls | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OvertoneError as error:
        if "--debug" in given:
            raise
        print(f"overtone: {error}", file=sys.stderr)
        sys.exit(1)


@contextlib.contextmanager
def _backends(settings: Settings) -> Iterator[Backends]:
    from pipeline.backends import Backends

    with Backends(settings, os.environ) as backends:
        yield backends


def _every_call(backends: Backends, limit: int | None) -> Iterator[Any]:
    page_size, offset = 500, 0
    while True:
        wanted = page_size if limit is None else min(page_size, limit - offset)
        page = backends.store.calls(limit=wanted, offset=offset) if wanted > 0 else None
        if page is None or not page.rows:
            return
        yield from page.rows
        offset += len(page.rows)


def _time(raw: str | None) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        raise click.UsageError(
            f"--started-at {raw!r} is no ISO 8601 time; write e.g. 2026-11-20T09:30:00+01:00"
        ) from None
    return moment.astimezone(UTC)


def _roles(raw: str | None, settings: Settings) -> Any:
    return settings.channels if raw is None else parse_channels(raw, origin="--channels")


def _note(outcome: Any) -> str:
    return "" if outcome.sentences else " (nobody speaks in it)"


if __name__ == "__main__":
    main()
