"""Verbs for the assistant's dialog flows."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.cli.options import PATHS, opened
from pipeline.settings import Settings


@click.group()
def flows() -> None:
    """Check, draw and test the dialog flows of the assistant."""


@flows.command("check")
@click.argument("folder", type=PATHS)
def flows_check(folder: Path) -> None:
    """Name every defect of the flow files in FOLDER with file, line and state; exit code 1 where one is an error."""
    from pipeline.assistant import ACTIONS
    from pipeline.dialog import check
    from pipeline.dialog.checks import in_words

    defects = check(folder, actions=ACTIONS)
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
@click.option("--model", is_flag=True, help="Let the model understand the words, in place of the written intents.")
@click.option("--audio", is_flag=True, help="Let the words be spoken over a telephone, recognised and understood.")
@click.pass_obj
def flows_test(settings: Settings, folder: Path, model: bool, audio: bool) -> None:
    """Run the conversations in FOLDER/tests; exit code 1 where one goes otherwise than written.

    With --model a conversation goes as written when the answers do, and with --audio when it comes to the states and
    actions that it should; turns that were heard or understood otherwise are listed. Conversations that can only be
    typed, such as those in other languages, are left out of --audio.
    """
    from fulfillment.times import utc_now
    from pipeline.assistant.listening import Listener
    from pipeline.dialog import load
    from pipeline.dialog.cases import read_cases
    from pipeline.dialog.tests_as_data import Hear, report, run
    from pipeline.rehearse import by_model, by_voice

    loaded, cases = load(folder), read_cases(folder / "tests")
    with opened(settings) as backends:
        hear: Hear | None = None
        if model or audio:
            services = backends.fulfilment
            listener = Listener(backends.understander, services.cities, utc_now, things=services.things)
            hear = by_model(listener)
        if audio:
            cache = settings.home / "cache" / "voices"
            hear = by_voice(backends.speaker, backends.recogniser, listener, cache, voice=settings.voice)
            spoken = tuple(case for case in cases if not case.typed)
            if len(spoken) < len(cases):
                click.echo(f"{len(cases) - len(spoken)} conversations can only be typed: left out", err=True)
            cases = spoken
        outcome = run(loaded, cases, hear, judge="course" if audio else "answers" if model else "understanding")
    click.echo(report(outcome))
    if not outcome.passed:
        sys.exit(1)
