"""The root of the command line: its verbs, and errors of ours as one line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import click

from pipeline.cli import archive, assistant, calls, flows, live, models, services
from pipeline.errors import OvertoneError
from pipeline.settings import Settings


class _Verbs(click.Group):
    """The verbs in the order in which they are added here, not of the alphabet."""

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


for _verb in (
    calls.ingest,
    calls.calls,
    calls.report,
    live.live,
    live.latency,
    services.serve,
    services.dashboard,
    services.up,
    services.doctor,
    flows.flows,
    models.models,
    models.relabel,
    *models.HANDED_ON,
    assistant.chat,
    archive.archive,
):
    cli.add_command(_verb)


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
