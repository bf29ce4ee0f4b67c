"""What is in use and what is wrong: the checks behind `overtone doctor`, each with a way to mend it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import httpx2

from pipeline import audio, dialog, embedded, weights
from pipeline.assistant import ACTIONS
from pipeline.backends import Backends
from pipeline.errors import OvertoneError
from pipeline.settings import EMBEDDED, Settings

Status = Literal["ok", "warning", "failed"]
_LOW_DISK_BYTES = 2 * 2**30
_HEALTH_TIMEOUT_S = 3.0
_SLOW_STORE_S = 5.0
_GET_VOICE = "make setup, or pip install 'overtone[tts]'"
_WEIGHTS = (
    "whisper-tiny.en", "moonshine-tiny-en", "silero-vad", "sentiment", "punctuation", "intent_slot", "sentence_encoder",
)  # fmt: skip


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
    yield _guard("understanding", lambda: _understanding(settings, backends))
    yield _guard(
        "speech synthesis", lambda: _service("speech synthesis", settings.tts_uri, list(backends.speaker.voices))
    )
    yield from _gateway(settings)
    yield _guard("flows", lambda: _flows(settings.flows))
    yield _guard("fulfilment", lambda: _fulfilment(settings, backends))


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


def _understanding(settings: Settings, backends: Backends) -> Check:
    """Asks for one intent: a server that lists the model may still not serve the call."""
    backends.understander.understand("Will it rain in Denver tomorrow?")
    return _service("understanding", settings.nlp_uri, [backends.understander.identity])


def _gateway(settings: Settings) -> Iterator[Check]:
    """How the gateway of this home does, where one runs."""
    found = embedded.find_gateway(settings)
    if found is None:
        return
    try:
        health = httpx2.get(f"{found}/health", timeout=_HEALTH_TIMEOUT_S).raise_for_status().json()
    except (httpx2.HTTPError, ValueError) as error:
        yield Check("gateway", "failed", f"{found} does not answer: {error}", "see its log, or start it again")
        return
    detail = f"{found}: {health['calls']} live calls, sentences {health['lag_s']:.1f} s behind"
    if health["overload"] != "none":
        remedy = "recognise on another machine (OVERTONE_ASR_URI), or send fewer calls at once"
        yield Check("gateway", "warning", f"{detail}, overloaded: {health['overload']}", remedy)
    elif health["store_delay_s"] > _SLOW_STORE_S:
        waiting = f"{health['unstored']} sentences wait for the store"
        yield Check("gateway", "warning", f"{detail}, {waiting}", "see whether the database is locked or away")
    else:
        late = f", {health['late_sentences']} came late" if health["late_sentences"] else ""
        yield Check("gateway", "ok", detail + late)


def _flows(folder: Path) -> Check:
    defects = dialog.check(folder, actions=ACTIONS)
    if not defects:
        return Check("flows", "ok", f"{folder}: {len(dialog.load(folder).states)} states")
    errors = sum(defect.severity == "error" for defect in defects)
    found = f"{folder}: {errors} errors and {len(defects) - errors} warnings, the first: {defects[0]}"
    return Check("flows", "failed" if errors else "warning", found, f"overtone flows check {folder} lists them all")


def _fulfilment(settings: Settings, backends: Backends) -> Check:
    """Opens the services; an API is not asked, since each call may cost."""
    _ = backends.fulfilment
    catalogue = "your catalogue" if settings.catalogue_url else "sample catalogue"
    weather = settings.weather or ("weatherstack" if settings.weather_key else EMBEDDED)
    serving = {
        "weather": "sample weather" if weather == EMBEDDED else f"{weather} (API)",
        "places": "Yelp (API)" if settings.places_key else catalogue,
        "products": "eBay (API)" if settings.products_key else catalogue,
        "hand-over": "OVERTONE_HAND_OVER" if settings.hand_over else "nowhere",
    }
    return Check("fulfilment", "ok", ", ".join(f"{what}: {who}" for what, who in serving.items()))


def _service(name: str, uri: str, models: list[str]) -> Check:
    where = "embedded server" if uri == EMBEDDED else uri
    if not models:
        return Check(name, "warning", f"{where} answers and offers no model", "see the server's own log")
    return Check(name, "ok", f"{where}: {', '.join(models)}")
