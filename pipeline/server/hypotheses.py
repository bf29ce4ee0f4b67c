"""What Whisper may have heard, best first, by one pass of its encoder: its own guesses, and those with boosted phrases.

Each text is scored by the probability that the model gives its tokens after the sound, so that all are comparable; a
boosted phrase in it then adds what it is worth.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ctranslate2
import numpy as np
import numpy.typing as npt

from pipeline.server import boosting
from pipeline.server.boosting import Boosts
from pipeline.voice import RATE_HZ

_BEAM = 8
_GUESSES = 3  # of the model, whose words may give way to boosted phrases
_STARTS = 24  # phrases that begin as the sound does, as texts of their own
_SHORT = 3  # words of a guess, in place of which the whole utterance may be a phrase
_FRAMES, _FRAMES_A_SECOND = 1500, 50  # of the encoder
# Of the silence that the sound is filled up with to 30 s: texts are scored by what was said, at a tenth of the time.
_BEHIND_S = 1.0
_LEAST = 1e-10
_NEAR = 7.0  # natural logarithms behind the best guess: what is less likely was not said


@dataclass(frozen=True)
class Hypothesis:
    """A text and its words' tokens; ``log_probability`` of the whole, ``score`` with what its phrases add."""

    text: str
    tokens: tuple[int, ...]
    log_probability: float
    score: float

    @property
    def confidence(self) -> float:
        """0..1: the mean probability of a token."""
        return math.exp(min(0.0, self.log_probability / max(1, len(self.tokens))))


@dataclass(frozen=True)
class Found:
    """The best hypothesis, then the model's own others; ``encoded`` for further questions about the same sound."""

    hypotheses: tuple[Hypothesis, ...]
    encoded: Any


def found(model: Any, tokenizer: Any, audio: npt.NDArray[np.float32], expected: Boosts, *, silent: float, unsure: float,
          looping: float) -> Found | None:  # fmt: skip
    """What may have been said in up to 30 s of ``audio``; texts that differ in marks alone are one.

    None where the model hears no speech (more than ``silent`` of 1, and a mean log probability under ``unsure``), or
    where its best guess repeats itself (compresses better than ``looping``): then there is nothing to choose from.
    """
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.transcribe import get_suppressed_tokens

    encoded = model.encode(pad_or_trim(model.feature_extractor(audio)))
    prompt = model.get_prompt(tokenizer, [], without_timestamps=True)
    made = model.model.generate(
        encoded,
        [prompt],
        beam_size=_BEAM,
        num_hypotheses=_BEAM,
        return_scores=True,
        return_no_speech_prob=True,
        suppress_tokens=get_suppressed_tokens(tokenizer, (-1,)),
    )[0]
    guesses: dict[str, str] = {}
    for tokens in made.sequences_ids:
        text = tokenizer.decode(tokens).strip()
        if boosting.plain(text):
            guesses.setdefault(boosting.plain(text), text)
    own = list(guesses.values())
    if not own or (made.no_speech_prob > silent and made.scores[0] < unsure) or _repetition(own[0]) > looping:
        return None
    texts = own
    if expected.nats:
        phrases = _beginning(model, tokenizer, encoded, prompt, own, expected)
        near = boosting.variants(own[:_GUESSES], expected)
        texts = list({boosting.plain(text): text for text in (*phrases, *near, *own)}.values())
    kept = min(_FRAMES, round((len(audio) / RATE_HZ + _BEHIND_S) * _FRAMES_A_SECOND))
    scored = sorted(_scored(model, tokenizer, encoded, kept, texts, expected), key=lambda one: -one.score)
    guessed = [one for one in scored[1:] if boosting.plain(one.text) in guesses and one.score > scored[0].score - _NEAR]
    return Found((scored[0], *guessed), encoded)


def _beginning(
    model: Any, tokenizer: Any, encoded: Any, prompt: Sequence[int], own: Sequence[str], expected: Boosts
) -> list[str]:
    """The phrases whose first token is likeliest after the sound, where a few words are all that was said."""
    if len(boosting.plain(own[0]).split()) > _SHORT:
        return []
    phrases = [phrase for phrase, nats in expected.nats.items() if nats > 0]
    first = model.model.generate(
        encoded, [list(prompt)], beam_size=1, max_length=len(prompt) + 1, return_logits_vocab=True
    )[0]
    likely = np.asarray(first.logits[0][0])
    starts = {phrase: tokenizer.encode(" " + phrase)[0] for phrase in phrases}
    ranked = sorted(phrases, key=lambda phrase: -(float(likely[starts[phrase]]) + expected.nats[phrase]))
    mark = own[0][-1] if own[0][-1] in ".?!" else ""
    return [phrase + mark for phrase in ranked[:_STARTS]]


def _scored(
    model: Any, tokenizer: Any, encoded: Any, kept: int, texts: Sequence[str], expected: Boosts
) -> list[Hypothesis]:
    tokens = [tokenizer.encode(" " + text) for text in texts]
    sound = np.repeat(np.asarray(encoded)[:, :kept], len(texts), axis=0)
    aligned = model.model.align(
        ctranslate2.StorageView.from_array(sound), list(tokenizer.sot_sequence), tokens, 2 * kept
    )
    scored = []
    for text, ids, one in zip(texts, tokens, aligned, strict=True):
        log_probability = sum(math.log(max(probability, _LEAST)) for probability in one.text_token_probs)
        scored.append(Hypothesis(text, tuple(ids), log_probability, log_probability + expected.worth(text)))
    return scored


def _repetition(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))
