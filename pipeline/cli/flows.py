"""Verbs for the assistant's dialog flows."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.cli.options import PATHS


@click.group()
def flows() -> None:
    """Check, draw and test the dialog flows of the assistant."""


@flows.command("check")
@click.argument("folder", type=PATHS)
def flows_check(folder: Path) -> None:
    """Name every defect of the flow files in FOLDER with file, line and state; exit code 1 where one is an error."""
    from pipeline.dialog import check
    from pipeline.dialog.checks import in_words

    defects = check(folder)
    click.echo(in_words(defects) if defects else "no defects")
    if any(defect.severity == "error" for defect in defects):
        sys.exit(1)


@flows.command("draw")
@click.argument("folder", type=PATHS)
@click.option("--only", default="", metavar="FLOW", help="Only the flow of this name.")
def flows_draw(folder: Path, only: str) -> None:
    """Write the state diagram of the flows in FOLDER as Mermaid text."""
    from pipeline.dialog import draw, load

    click.echo(draw(load(folder), only))


@flows.command("test")
@click.argument("folder", type=PATHS)
def flows_test(folder: Path) -> None:
    """Run the conversations in FOLDER/tests as text; exit code 1 where one goes otherwise than written."""
    from pipeline.dialog import load
    from pipeline.dialog.cases import read_cases
    from pipeline.dialog.tests_as_data import report, run

    outcome = run(load(folder), read_cases(folder / "tests"))
    click.echo(report(outcome))
    if not outcome.passed:
        sys.exit(1)
