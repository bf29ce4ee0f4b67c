"""Recordings played as live calls, at the pace of time: each sentence is stored the moment it is understood."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline import analyse, audio, claims
from pipeline.backends import Backends
from pipeline.calls import Call, Sentence, SpeakerRole
from pipeline.ingest import speakers_of


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
    """The stored call after ``source`` was played through to its end, or until ``stop`` was set.

    The call starts now and gets an id of its own, so that the recording can still be ingested as itself. Whatever ends
    the replay, what was heard until then stays and the call is closed. Raises InputError for a file that is no
    recording, BackendError.
    """
    stopping = stop or threading.Event()
    started_at = datetime.now(UTC)
    seed = f"{audio.digest(source)} {started_at.isoformat()}".encode()
    call_id = hashlib.sha256(seed).hexdigest()[:16]
    folder = backends.settings.audio_folder / call_id
    folder.parent.mkdir(parents=True, exist_ok=True)
    with claims.claim(folder) as scratch:
        channels = audio.split(source, scratch / "channels")
        call = Call(
            id=call_id,
            source=source.name,
            started_at=started_at,
            duration_s=0.0,
            speakers=speakers_of(source, len(channels), speakers),
            agent=agent,
            customer=customer,
            status="live",
            attributes=dict(attributes or {}),
        )
        clock = _Clock(stopping)
        # Services are opened before the call appears: loading models takes seconds, and live means now.
        recogniser, classifier, store = backends.recogniser, backends.classifier, backends.store
        store.begin(call)
        try:
            heard = [clock.until_stop(chunks) for chunks in analyse.realtime(channels, speed=speed)]
            for sentence in analyse.live(call, heard, recogniser, classifier):
                store.append(call_id, [sentence])
                if on_sentence:
                    on_sentence(sentence)
        finally:
            claims.publish(scratch / "channels", folder)
            store.finish(call_id, clock.longest_s)
    return store.call(call_id)


class _Clock:
    """How much of the channels was played, and the end of all of them when somebody stops the replay."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.longest_s = 0.0

    def until_stop(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        played_s = 0.0
        for chunk in chunks:
            if self._stop.is_set():
                return
            yield chunk
            played_s += len(chunk) / 2 / audio.RATE_HZ
            self.longest_s = max(self.longest_s, played_s)
