"""The data scientist's verbs: thin, heavy imports inside them; `overtone` hands them on to here."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import click

from finetune.cli import encoder, evaluate, labels, nemo, snapshot, train
from pipeline.errors import OvertoneError
from pipeline.settings import Settings

_EXTRA = ("torch", "transformers", "onnx", "matplotlib", "tokenizers")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Train, evaluate and keep the models."""
    # Our own warnings; the quantiser's advice, which it gives by the root logger, is no news.
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for ours in ("finetune", "pipeline"):
        logging.getLogger(ours).setLevel(logging.WARNING)
    ctx.obj = Settings.from_env(os.environ)


for _verb in (train.train, evaluate.evaluate, labels.labels, snapshot.snapshot, nemo.nemo, encoder.sentence_encoder):
    cli.add_command(_verb)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb; errors of ours become one line on standard error and exit code 1 (2: wrong usage)."""
    try:
        cli.main(None if arguments is None else list(arguments), prog_name="overtone", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped; the same command goes on from the last checkpoint", err=True)
        sys.exit(130)
    except OvertoneError as error:
        click.echo(f"overtone: {error}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        click.echo(
            f"overtone: training needs {error.name}: pip install 'overtone[train]' (see docs/training.md)", err=True
        )
        sys.exit(1)
