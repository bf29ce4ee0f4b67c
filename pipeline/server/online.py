"""The online recogniser: Moonshine tiny-en on segments that our own endpointing cuts out of a stream.

Moonshine's time grows with the length of the speech (0.1 s for 3 s, 0.4 s for 11 s on two cores), where Whisper
always pays for 30 s: that makes it the engine of live calls. It gives no word times, so they are shared out by
length, and no confidence. Its own voice activity detection keeps one global state that leaks from stream to stream;
it is switched off.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline import weights
from pipeline.calls import Word
from pipeline.errors import ConfigError
from pipeline.server.endpointing import LEAD_S, PAD_S
from pipeline.server.heard import RecogniserCard
from pipeline.voice import RATE_HZ

_NAME = "moonshine-tiny-en"
_OPTIONS = {"vad_threshold": "0", "vad_max_segment_duration": "60", "return_audio_data": "false"}
_SHORTEST = RATE_HZ // 2  # samples
# Silence behind the words: without it the model takes a sentence to go on. Measured with what LEAD_S gains: words wrong
# in single words over a telephone 58.6 % before, 51.7 with the lead, 41.4 with both; in sentences 16.3, 13.8, 12.3; in
# our sample calls 4.5, 3.5, 3.5. Longer silences, louder sound, and silence in front gain nothing on all of them.
_TAIL = np.zeros(round(0.3 * RATE_HZ), dtype=np.float32)
_ECHO = 3  # words; fewer are a person's own repetition: no, no
_FASTEST = 4.5  # words a second; people talk at 2 to 4
_OLD = re.compile(r"\bto-(?:day|morrow|night)\b|\bgood-bye\b|\bto morrow\b|\bto night\b(?=[.,?!]|$)", re.IGNORECASE)


class Moonshine:
    """The loaded model; it works on one segment at a time, so call it from one thread at a time."""

    def __init__(self, models: Path) -> None:
        """Load the weights. Raises ConfigError when they are missing, changed, or not to the engine's taste."""
        folder = weights.find(_NAME, models)
        self.vad = weights.find("silero-vad", models)
        from moonshine_voice.errors import MoonshineError
        from moonshine_voice.moonshine_api import ModelArch
        from moonshine_voice.transcriber import Transcriber

        try:
            self._model = Transcriber(folder, ModelArch.TINY, options=_OPTIONS)
        except (MoonshineError, OSError) as error:
            raise ConfigError(f"cannot load {_NAME} from {folder}: {error}") from error
        self.card = RecogniserCard(
            name=_NAME,
            type="online",
            languages=("en",),
            version=weights.version(_NAME, models),
            parameters={
                "word_times": "estimated",
                "confidence": "False",
                "max_alternatives": "1",
                "word_boosting": "False",
            },
        )

    def recognise(self, samples: npt.NDArray[np.float32]) -> str:
        """What is said in the 16 kHz ``samples`` of one segment, cased and punctuated; empty where nothing is heard."""
        length_s = len(samples) / RATE_HZ
        # Its first layers have no answer to less than a few hundred samples.
        samples = np.pad(np.concatenate((samples, _TAIL)), (0, max(0, _SHORTEST - len(samples) - len(_TAIL))))
        # The binding unpacks its argument into a C array item by item: thrice as fast from a list as from an array.
        found = self._model.transcribe_without_streaming(samples.tolist(), RATE_HZ)
        text = " ".join(text for line in found.lines if (text := line.text.strip()))
        return modern(without_echo(text, length_s))


def without_echo(text: str, length_s: float) -> str:
    """``text`` without its beginning said once more at its end, where that is more than anyone says in ``length_s``.

    After a short sentence Moonshine sometimes starts it again: "It was the age of wisdom. It was the age".
    """
    words = text.split()
    bare = [word.strip(".,!?").lower() for word in words]
    if len(words) <= _FASTEST * max(0.1, length_s - LEAD_S - PAD_S):
        return text
    for count in range(len(words) // 2, _ECHO - 1, -1):
        if bare[-count:] == bare[:count]:
            return " ".join(words[:-count])
    return text


def modern(text: str) -> str:
    """``text`` with words that Moonshine learnt from old books in today's spelling: "to-morrow", "Good-bye"."""
    return _OLD.sub(lambda found: found[0][0] + re.sub(r"[- ]", "", found[0][1:]).lower(), text)


def estimated_words(text: str, start_s: float, end_s: float) -> tuple[Word, ...]:
    """The words of a segment with times that share its length out by their letters; no confidence."""
    words = text.split()
    if not words:
        return ()
    length_s = end_s - start_s  # with the silence that endpointing leaves around the words
    start_s, end_s = start_s + min(LEAD_S, length_s / 3), end_s - min(PAD_S, length_s / 4)
    ends = np.cumsum([len(word) + 1 for word in words])
    times = [start_s, *(start_s + (end_s - start_s) * float(end) / float(ends[-1]) for end in ends)]
    return tuple(Word(word, times[i], times[i + 1]) for i, word in enumerate(words))
