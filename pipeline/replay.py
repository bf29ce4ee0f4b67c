"""Recordings played as live calls, at the pace of time, through the same calls that phone systems make."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from pipeline import analyse, audio
from pipeline.backends import Backends
from pipeline.calls import Call, Sentence, SpeakerRole
from pipeline.errors import BackendError, CapabilityAbsent
from pipeline.ingest import speakers_of
from pipeline.live.calls import LiveCall, Start
from pipeline.live.switchboard import Switchboard

_STORED_S = 60.0  # for the store to take the last sentences
_SECOND_PASS_S = 3600.0


def replay(
    source: Path,
    backends: Backends,
    *,
    agent: str | None = None,
    customer: str | None = None,
    speakers: Sequence[SpeakerRole],
    speed: float = 1.0,
    attributes: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    on_sentence: Callable[[Sentence], None] | None = None,
) -> Call:
    """The stored call after ``source`` was played through to its end, or until ``stop`` was set; see `replay_all`."""
    (call,) = replay_all(
        [source],
        backends,
        agent=agent,
        customer=customer,
        speakers=speakers,
        speed=speed,
        attributes=attributes,
        stop=stop,
        on_sentence=None if on_sentence is None else lambda source, sentence: on_sentence(sentence),
    )
    return call


def replay_all(
    sources: Sequence[Path],
    backends: Backends,
    *,
    agent: str | None = None,
    customer: str | None = None,
    speakers: Sequence[SpeakerRole],
    speed: float = 1.0,
    attributes: Mapping[str, str] | None = None,
    second_pass: bool = False,
    stop: threading.Event | None = None,
    on_sentence: Callable[[Path, Sentence], None] | None = None,
) -> list[Call]:
    """The stored calls after all ``sources`` were played at once, each to its end, or until ``stop`` was set.

    Each call starts now and gets an id of its own, so that the recording can still be ingested as itself. With
    ``second_pass`` each is heard once more at the end. ``on_sentence`` is called from other threads, one at a time.
    Whatever ends the replay, what was heard until then stays and the calls are closed. Raises InputError for a file
    that is no recording, before any is played, and BackendError.
    """
    stopping = stop or threading.Event()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        played = []
        for number, source in enumerate(sources):
            channels = audio.split(source, scratch / str(number))
            start = Start(
                protocol="replay",
                phone_id="",
                speakers=speakers_of(source, len(channels), speakers),
                encoding="s16",
                rate_hz=audio.RATE_HZ,
                source=source.name,
                agent=agent,
                customer=customer,
                attributes=dict(attributes or {}),
            )
            played.append((source, channels, start))
        # Asked before the calls appear: loading models takes seconds, and live means now.
        with contextlib.suppress(CapabilityAbsent):
            _ = backends.recogniser.models
        settings = replace(backends.settings, live_pace=0.0)
        switchboard = Switchboard(settings, backends, recover=False, second_pass=second_pass)
        stack.enter_context(contextlib.closing(switchboard))
        one_by_one = threading.Lock()
        with ThreadPoolExecutor(len(played)) as pool:
            calls = [
                pool.submit(
                    _play,
                    switchboard,
                    start,
                    source,
                    analyse.realtime(channels, speed=speed),
                    stopping,
                    _Told(source, on_sentence, one_by_one),
                )
                for source, channels, start in played
            ]
        ids = [call.result() for call in calls]
        if not switchboard.drain(_SECOND_PASS_S if second_pass else _STORED_S):
            raise BackendError("the last sentences are not stored yet; `overtone live` stores them when it next runs")
    return [backends.store.call(call_id) for call_id in ids]


def _play(
    switchboard: Switchboard,
    start: Start,
    source: Path,
    channels: Sequence[Iterator[bytes]],
    stop: threading.Event,
    told: _Told,
) -> str:
    """The id of the call after its channels were fed to the end, side by side."""
    call = switchboard.open(start, told, source=audio.digest(source))
    try:
        with ThreadPoolExecutor(len(channels)) as pool:
            feeding = [pool.submit(_feed, call, number, chunks, stop) for number, chunks in enumerate(channels, 1)]
        for one in feeding:
            one.result()
    finally:
        call.end("it was stopped" if stop.is_set() else "")
        call.wait()
    return call.id


def _feed(call: LiveCall, channel: int, chunks: Iterator[bytes], stop: threading.Event) -> None:
    for chunk in chunks:
        if stop.is_set():
            return
        call.feed(channel, chunk)


class _Told:
    """Who wants to hear of the sentences, one at a time."""

    def __init__(
        self, source: Path, on_sentence: Callable[[Path, Sentence], None] | None, one_by_one: threading.Lock
    ) -> None:
        self._source, self._on_sentence, self._lock = source, on_sentence, one_by_one

    def sentence(self, sentence: Sentence) -> None:
        if self._on_sentence:
            with self._lock:
                self._on_sentence(self._source, sentence)

    def partial(self, channel: int, text: str) -> None:
        """Nobody asked."""

    def ended(self, reason: str) -> None:
        """It is seen at the feeding."""
