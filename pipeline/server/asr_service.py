"""Riva's speech recognition service over our two recognisers: Recognize is offline, StreamingRecognize is online."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import numpy as np
import riva.client.proto.riva_asr_pb2 as pb

from pipeline.calls import Word
from pipeline.server import asr_config, captions
from pipeline.server.asr_config import Forms
from pipeline.server.current import Current
from pipeline.server.endpointing import Listener
from pipeline.server.guard import Refusal
from pipeline.server.heard import Heard, RecogniserCard
from pipeline.server.listening import RATE_HZ, AudioConfig, AudioReader
from pipeline.server.offline import Pcm, Whisper, Wish
from pipeline.server.online import Moonshine
from pipeline.server.punctuator import Punctuator
from pipeline.server.stream import Guesses, Result, Stream
from pipeline.server.wav import Samples
from pipeline.server.work import Work
from pipeline.voice import Pack

_FEED_BYTES = 1 << 20
_LONGEST_S = 3 * 3600  # compressed, more fits into one message than into memory


class SpeechRecognition:
    """The servicer of RivaSpeechRecognition."""

    def __init__(
        self,
        offline: Whisper,
        online: Moonshine,
        punctuator: Current[Punctuator] | None,
        *,
        recordings: Work,
        streams: Work,
        hearing: Work,
    ) -> None:
        """Queues: ``recordings`` before Whisper, ``streams`` before Moonshine, ``hearing`` where streams are read."""
        self._offline, self._online, self._punctuator = offline, online, punctuator
        self._recordings, self._streams, self._hearing = recordings, streams, hearing
        self._guesses = Guesses()

    async def GetRivaSpeechRecognitionConfig(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """The models and their parameters; all of them, or the one that is asked for."""
        cards = [card for card in (self._offline.card, self._online.card) if request.model_name in ("", card.name)]
        if not cards:
            raise Refusal(f"Error: Unavailable model requested. Model: {request.model_name}")
        return pb.RivaSpeechRecognitionConfigResponse(
            model_config=[
                pb.RivaSpeechRecognitionConfigResponse.Config(model_name=card.name, parameters=_parameters(card))
                for card in cards
            ]
        )

    async def Recognize(self, request: Any, context: Any) -> Any:  # noqa: N802  the rpc's name
        """The transcript of a whole recording: one result per 28 s of speech, none where nobody speaks."""
        config = request.config
        wish = asr_config.wish(config, self._offline.card)
        forms, audio = Forms(config), asr_config.audio(config)
        if not request.audio:
            raise Refusal("Error: the request holds no audio")
        response = pb.RecognizeResponse(id=_id(request))
        with self._recordings.admit(len(request.audio)) as slot:
            pcm = await slot.run(_decode, request.audio, audio)
            packs = await slot.run(self._offline.packs, pcm)
            for start in range(0, len(packs), slot.threads):
                group = packs[start : start + slot.threads]
                heard = [slot.run(self._heard, pcm, pack, wish, forms.punctuated) for pack in group]
                response.results.extend(
                    pb.SpeechRecognitionResult(
                        alternatives=_alternatives(one, forms, words=wish.words),
                        channel_tag=1,
                        audio_processed=one.end_s,
                    )
                    for one in await asyncio.gather(*heard)
                    if one.text
                )
        return response

    def _heard(self, pcm: Pcm, pack: Pack, wish: Wish, punctuated: bool) -> Heard:
        heard = self._offline.recognise(pcm, pack, wish)
        return captions.mended(heard, self._punctuator.get().punctuate) if punctuated and self._punctuator else heard

    async def StreamingRecognize(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Results while the audio comes in; the first message carries the config, all others audio."""
        first = await anext(requests, None)
        if first is None or first.WhichOneof("streaming_request") != "streaming_config":
            raise Refusal("Error: the first message of a stream must be streaming_config")
        config = first.streaming_config.config
        asr_config.language(config, self._online.card)
        forms, reader = Forms(config), AudioReader(asr_config.audio(config))
        listener = Listener(self._online.vad, asr_config.endpointing(config))
        with self._streams.admit() as decoding, self._hearing.admit() as hearing:
            stream = Stream(
                self._online,
                reader,
                listener,
                decoding=decoding,
                hearing=hearing,
                guesses=self._guesses,
                interim=first.streaming_config.interim_results,
            )
            async for result in stream.results(_chunks(requests)):
                yield pb.StreamingRecognizeResponse(
                    results=[_streaming(result, forms, words=config.enable_word_time_offsets)], id=_id(first)
                )


def _id(request: Any) -> Any | None:
    return request.id if request.HasField("id") else None


async def _chunks(requests: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for request in requests:
        kind = request.WhichOneof("streaming_request")
        if kind == "streaming_config":
            raise Refusal("Error: streaming_config may only be the first message of a stream")
        if kind == "audio_content":
            yield request.audio_content


def _decode(audio: bytes, config: AudioConfig) -> Pcm:
    """16 kHz samples of a whole recording, in 16 bits: half the memory of what the recogniser takes."""
    reader = AudioReader(config)
    try:
        blocks: list[Pcm] = []
        length = 0
        for start in range(0, len(audio), _FEED_BYTES):
            blocks.append(_narrow(reader.feed(audio[start : start + _FEED_BYTES])))
            length += len(blocks[-1])
            if length > _LONGEST_S * RATE_HZ:
                raise Refusal(f"Error: more than {_LONGEST_S // 3600} hours of audio in one request: split it")
        blocks.append(_narrow(reader.finish()))
    finally:
        reader.close()
    return np.concatenate(blocks)


def _narrow(samples: Samples) -> Pcm:
    pcm: Pcm = np.clip(np.rint(samples * np.float32(1 << 15)), -(1 << 15), (1 << 15) - 1).astype(np.int16)
    return pcm


def _parameters(card: RecogniserCard) -> dict[str, str]:
    return {
        "type": card.type,
        "language_code": card.language_code,
        "streaming": str(card.type == "online"),
        "sample_rate": str(RATE_HZ),
        "vad": "True",
        "version": card.version,
        **card.parameters,
    }


def _streaming(result: Result, forms: Forms, *, words: bool) -> Any:
    heard = result.heard
    return pb.StreamingRecognitionResult(
        alternatives=_alternatives(heard, forms, words=words and result.final),
        is_final=result.final,
        stability=result.stability,
        channel_tag=1,
        audio_processed=heard.end_s,
    )


def _alternatives(heard: Heard, forms: Forms, *, words: bool) -> list[Any]:
    best = pb.SpeechRecognitionAlternative(
        transcript=forms.text(heard.text),
        confidence=heard.confidence,
        words=_words(forms.words(heard.words)) if words else (),
    )
    return [
        best,
        *(
            pb.SpeechRecognitionAlternative(transcript=forms.text(other.text), confidence=other.confidence)
            for other in heard.alternatives
        ),
    ]


def _words(words: Iterable[Word]) -> Iterable[Any]:
    for word in words:
        yield pb.WordInfo(
            start_time=round(word.start_s * 1000),
            end_time=round(word.end_s * 1000),
            word=word.text,
            confidence=word.confidence or 0.0,
        )
