"""A stand-in for a real Riva: hears utterances made of tones, each final a fixed time after its end, and labels texts.

An utterance is a tone whose loudness is its number (see `utterance`), so a test can count what became of each. Real
gRPC and NVIDIA's protos; ``python -m tests.bench.standin [PORT] [DELAY_MS]`` says ``ready HOST:PORT``.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import riva.client.proto.riva_asr_pb2 as asr
import riva.client.proto.riva_asr_pb2_grpc as asr_grpc
import riva.client.proto.riva_nlp_pb2 as nlp
import riva.client.proto.riva_nlp_pb2_grpc as nlp_grpc

RATE_HZ = 16_000
_QUIETEST, _STEP = 2000, 100
_LOUD = 1000
_GAP = RATE_HZ // 20  # samples of silence that end an utterance


def utterance(number: int, seconds: float = 1.0) -> npt.NDArray[np.int16]:
    """A tone that the stand-in hears as ``Utterance <number>.``; numbers go from 0 to 250."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    loudness = _QUIETEST + _STEP * number
    tone = loudness * np.sin(2 * np.pi * 400 * t)
    return np.round(tone).astype(np.int16)


@dataclass
class _Ear:
    """One stream's utterances as they end."""

    at: int = 0  # samples heard
    began: int | None = None
    loud_at: int = 0
    peak: int = 0
    found: list[tuple[int, float, float]] = field(default_factory=list)  # number, start and end in seconds

    def feed(self, samples: npt.NDArray[np.int16]) -> None:
        """Note what ended in these samples."""
        size = np.abs(samples.astype(np.int32))
        loud = np.flatnonzero(size > _LOUD)
        for group in np.split(loud, np.flatnonzero(np.diff(loud) > _GAP) + 1) if len(loud) else ():
            first, last = int(group[0]), int(group[-1])
            if self.began is not None and self.at + first - self.loud_at > _GAP:
                self.end()
            if self.began is None:
                self.began, self.peak = self.at + first, 0
            self.peak = max(self.peak, int(size[first : last + 1].max()))
            self.loud_at = self.at + last
        self.at += len(samples)
        if self.began is not None and self.at - self.loud_at > _GAP:
            self.end()

    def end(self) -> None:
        """Whatever goes on ends here."""
        if self.began is not None:
            number = round((self.peak - _QUIETEST) / _STEP)
            self.found.append((number, self.began / RATE_HZ, self.loud_at / RATE_HZ))
            self.began = None


class StandIn(asr_grpc.RivaSpeechRecognitionServicer, nlp_grpc.RivaLanguageUnderstandingServicer):  # type: ignore[misc]
    """The services; each final comes ``delay_s`` after the audio that ends its utterance."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._open = 0  # streams
        self._stop_history_ms = 0  # that the newest stream asked for

    async def StreamingRecognize(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """A final for each utterance; a partial with each piece of one, where they are wanted."""
        self._open += 1
        try:
            async for answer in self._hear(requests):
                yield answer
        finally:
            self._open -= 1

    async def _hear(self, requests: Any) -> AsyncIterator[Any]:
        first = await anext(aiter(requests))
        self._stop_history_ms = first.streaming_config.config.endpointing_config.stop_history
        ear = _Ear()
        async for request in requests:
            ear.feed(np.frombuffer(request.audio_content, "<i2"))
            async for answer in self._finals(ear):
                yield answer
            if ear.began is not None and first.streaming_config.interim_results:
                text = asr.SpeechRecognitionAlternative(transcript="Utter")
                yield asr.StreamingRecognizeResponse(
                    results=[asr.StreamingRecognitionResult(alternatives=[text], stability=0.5)]
                )
        ear.end()
        async for answer in self._finals(ear):
            yield answer

    async def Recognize(self, request: Any, context: Any) -> Any:  # noqa: N802
        """All utterances of a recording."""
        ear = _Ear()
        ear.feed(np.frombuffer(request.audio, "<i2"))
        ear.end()
        results = [asr.SpeechRecognitionResult(alternatives=[_heard(*one)]) for one in ear.found]
        return asr.RecognizeResponse(results=results)

    async def GetRivaSpeechRecognitionConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Two recognisers; how many streams are open, and what the newest asked for, for tests that look."""
        seen = {"open_streams": str(self._open), "stop_history_ms": str(self._stop_history_ms)}
        config = asr.RivaSpeechRecognitionConfigResponse.Config
        return asr.RivaSpeechRecognitionConfigResponse(
            model_config=[
                config(
                    model_name=f"stand-in-{kind}",
                    parameters={"type": kind, "language_code": "en-US", "version": "1", **seen},
                )
                for kind in ("offline", "online")
            ]
        )

    async def ClassifyText(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Negative where the number of the utterance is odd."""

        def result(text: str) -> Any:
            odd = any(int(part) % 2 for part in text.strip(".").split() if part.isdigit())
            names = ("negative", "neutral", "positive") if odd else ("positive", "neutral", "negative")
            labels = [nlp.Classification(class_name=n, score=s) for n, s in zip(names, (0.8, 0.15, 0.05), strict=True)]
            return nlp.ClassificationResult(labels=labels)

        return nlp.TextClassResponse(results=[result(text) for text in request.text])

    async def AnalyzeIntent(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Always out of scope."""
        return nlp.AnalyzeIntentResponse(intent=nlp.Classification(class_name="unknown", score=0.9))

    async def GetRivaNLPConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The two models that are asked about."""
        config = nlp.RivaNLPConfigResponse.Config
        models = [config(model_name=name, parameters={"version": "1"}) for name in ("sentiment", "intent_slot")]
        return nlp.RivaNLPConfigResponse(model_config=models)

    async def _finals(self, ear: _Ear) -> AsyncIterator[Any]:
        while ear.found:
            number, start_s, end_s = ear.found.pop(0)
            await asyncio.sleep(self._delay_s)
            result = asr.StreamingRecognitionResult(
                alternatives=[_heard(number, start_s, end_s)], is_final=True, audio_processed=end_s
            )
            yield asr.StreamingRecognizeResponse(results=[result])


def _heard(number: int, start_s: float, end_s: float) -> Any:
    middle_s = (start_s + end_s) / 2
    words = [("Utterance", start_s, middle_s), (f"{number}.", middle_s, end_s)]
    infos = [asr.WordInfo(word=w, start_time=round(a * 1000), end_time=round(b * 1000)) for w, a, b in words]
    return asr.SpeechRecognitionAlternative(transcript=f"Utterance {number}. ", words=infos)


@dataclass(frozen=True)
class Seen:
    """What a stand-in tells of itself: streams that are open, and the silence that ends the newest's utterances."""

    open_streams: int
    stop_history_ms: int


def seen(address: str) -> Seen:
    """What the stand-in at ``address`` tells of itself now."""
    with grpc.insecure_channel(address) as channel:
        stub = asr_grpc.RivaSpeechRecognitionStub(channel)
        answer = stub.GetRivaSpeechRecognitionConfig(asr.RivaSpeechRecognitionConfigRequest(), wait_for_ready=True)
    parameters = answer.model_config[0].parameters
    return Seen(int(parameters["open_streams"]), int(parameters["stop_history_ms"]))


@contextmanager
def running(port: int = 0, delay_ms: int = 50) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A stand-in in a process of its own: its address, and the process, which may be killed."""
    argv = [sys.executable, "-m", "tests.bench.standin", str(port), str(delay_ms)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready ")
        yield line.split()[1], process


async def _serve(port: int, delay_s: float) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    standin = StandIn(delay_s)
    asr_grpc.add_RivaSpeechRecognitionServicer_to_server(standin, server)
    nlp_grpc.add_RivaLanguageUnderstandingServicer_to_server(standin, server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print(f"ready 127.0.0.1:{bound}", flush=True)
    await asyncio.to_thread(os.read, 0, 1)  # until our parent is gone
    await server.stop(None)


if __name__ == "__main__":
    given = [int(value) for value in sys.argv[1:]] + [0, 50][len(sys.argv[1:]) :]
    asyncio.run(_serve(given[0], given[1] / 1000))
