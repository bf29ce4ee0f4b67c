"""The verb that talks with the assistant at a terminal."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.calls import Turn
from pipeline.cli.options import JSON, PATHS, opened
from pipeline.settings import Settings
from pipeline.terminal import one_line

if TYPE_CHECKING:
    from pipeline.assistant import Talk
    from pipeline.backends import Backends

_PROMPT = "> "


@click.command()
@click.option("--voice", "voices", type=PATHS, multiple=True, metavar="FILE", help="A spoken turn; repeat for more.")
@click.option("--out", type=PATHS, metavar="WAV", help="Write the spoken answers to this file.")
@click.option("--show", is_flag=True, help="Show what was understood, done and measured under each turn.")
@click.option("--person", default="", metavar="NAME", help="Who talks, for the archive.")
@JSON
@click.pass_obj
def chat(
    settings: Settings, voices: tuple[Path, ...], out: Path | None, show: bool, person: str, as_json: bool
) -> None:
    """Talk with the assistant: type, or pipe in lines, or give recordings as spoken turns.

    It ends with a goodbye or the end of the input. `!undo` takes the last turn back, `!reset` begins again. The
    conversation is kept in the archive.

    \b
    overtone chat --show
    echo "will it rain in Boston tomorrow" | overtone chat --json
    overtone chat --voice question.wav --voice next.wav --out answers.wav
    """
    from pipeline.archive import turn_row
    from pipeline.rehearse import Answers

    def tell(turn: Turn) -> None:
        if as_json:
            click.echo(json.dumps(turn_row(turn), ensure_ascii=False))
        else:
            click.echo("".join(f"{line}\n" for line in _in_words(turn, show)), nl=False)

    with opened(settings) as backends, _talking(backends, "voice" if voices else "text", person) as talk:
        answers = Answers(backends.speaker, settings.voice) if out else None
        turns = _spoken_turns(backends, talk, voices, quiet=as_json) if voices else _typed_turns(talk)
        for turn in _each(talk, turns):
            tell(turn)
            if answers:
                answers.add(turn.replies)
        if answers and out:
            answers.write(out)


@contextlib.contextmanager
def _talking(backends: Backends, channel: str, person: str) -> Iterator[Talk]:
    talk = backends.assistant.begin("voice" if channel == "voice" else "text", person)
    try:
        yield talk
    finally:
        talk.close()


def _each(talk: Talk, turns: Iterable[Turn]) -> Iterator[Turn]:
    """The opening and the turns, up to the goodbye."""
    yield talk.opening
    for turn in turns:
        yield turn
        if talk.ended:
            return


def _typed_turns(talk: Talk) -> Iterator[Turn]:
    for line in _lines():
        if line.strip():
            yield talk.say(line)


def _lines() -> Iterator[str]:
    """What is typed at the prompt, or piped in; broken bytes in it become replacement characters."""
    if not sys.stdin.isatty():
        for raw in sys.stdin.buffer:
            yield raw.decode(errors="replace")
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - importing it gives the prompt its editing keys
    while True:
        try:
            yield input(_PROMPT)
        except EOFError:
            click.echo()
            return
        except UnicodeDecodeError:
            print("that was no UTF-8 text; please type it again", file=sys.stderr)


def _spoken_turns(backends: Backends, talk: Talk, files: Iterable[Path], *, quiet: bool) -> Iterator[Turn]:
    from pipeline.rehearse import heard_in

    for path in files:
        heard = heard_in(path, backends.recogniser)
        if not quiet:
            click.echo(f"{_PROMPT}{one_line(heard.text) or '(nothing was heard)'}")
        yield talk.say(heard.text, recogniser=heard.recogniser, timings_ms={"recognise_ms": heard.recognise_ms})


def _in_words(turn: Turn, show: bool) -> Iterator[str]:
    yield from (one_line(reply) for reply in turn.replies)
    if show:
        yield from (f"    {line}" for line in _details(turn))


def _details(turn: Turn) -> Iterator[str]:
    if turn.intent:
        slots = " ".join(f"{slot.name}={slot.value!r}" for slot in turn.intent.slots)
        yield f"intent   {turn.intent.name} ({turn.intent.score:.2f})  {one_line(slots)}".rstrip()
    path = [edge[2] for edge in turn.path]
    yield f"state    {' -> '.join(path) or turn.state}"
    for action in turn.actions:
        asked = " ".join(f"{key}={value!r}" for key, value in action.request.items())
        source = f" by {action.source}" if action.source else ""
        yield f"action   {action.name} {one_line(asked)}: {action.status}{one_line(source)}"
    yield "timings  " + "  ".join(f"{stage} {ms:.1f}" for stage, ms in turn.timings_ms.items())
    if turn.error:
        yield f"error    {one_line(turn.error)}"
