"""The first use of every engine, before anybody waits for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from pipeline.asr import RATE_HZ
from pipeline.assistant import ACTIONS, Assistant
from pipeline.backends import Backends
from pipeline.dialog import load
from pipeline.live.resampling import Resampler
from pipeline.tts import RATE_HZ as VOICE_HZ

# Figures in it: the library that reads them out is loaded with the first ones.
_SAMPLE = "It is 21 degrees in Denver."
_ASKED = "Will it rain in Denver tomorrow?"

log = logging.getLogger(__name__)


def warm(backends: Backends) -> bool:
    """Whether there is a voice and a recogniser of streams, after each engine has worked once.

    Understanding, dialog and fulfilment are asked a question without anything being archived. Raises BackendError.
    """
    began = time.monotonic()
    flows = load(backends.settings.flows, actions=ACTIONS)
    with Assistant(flows, backends.understander, backends.fulfilment) as rehearsing:
        rehearsing.begin("text").consider(_ASKED)
    if not backends.speaker.voices:
        log.warning("no voice is installed: the assistant answers in writing")
        return False
    pcm = b"".join(backends.speaker.say_online(_SAMPLE, backends.settings.voice))
    resampler = Resampler(VOICE_HZ, RATE_HZ)
    heard = list(backends.recogniser.stream(_chunks(resampler.feed(pcm) + resampler.finish())))
    log.info("warm after %.1f s (%d results of recognition)", time.monotonic() - began, len(heard))
    return True


def _chunks(pcm: bytes) -> Iterator[bytes]:
    step = RATE_HZ // 5
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]
