"""A Riva server that answers from a script: real gRPC and NVIDIA's own protos, so that the true clients can be led into
every situation a server can put them in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import riva.client
import riva.client.proto.riva_asr_pb2 as asr_wire
import riva.client.proto.riva_asr_pb2_grpc as asr_grpc
import riva.client.proto.riva_nlp_pb2 as nlp_wire
import riva.client.proto.riva_nlp_pb2_grpc as nlp_grpc
import riva.client.proto.riva_tts_pb2 as tts_wire
import riva.client.proto.riva_tts_pb2_grpc as tts_grpc

from pipeline import rpc
from pipeline.asr import Recogniser
from pipeline.nlp import Classifier, Understander
from pipeline.tts import Speaker

RATE = 32_000  # bytes a second
SPOKEN = "Hello there. I am very happy with this. "


class Refusal(Exception):  # noqa: N818 - not an error: an answer
    """Raised by a script: the call ends with this status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code, self.details = code, details


def words_for(seconds: float) -> list[tuple[str, float, float]]:
    """What the server hears by default in ``seconds`` of audio: SPOKEN over and over, a word each half second."""
    text = SPOKEN.split()
    return [(text[n % len(text)], n / 2, n / 2 + 0.4) for n in range(int(seconds * 2))]


def heard(words: list[tuple[str, float, float]]) -> asr_wire.SpeechRecognitionAlternative:
    """The words as an alternative on the wire."""
    infos = [
        asr_wire.WordInfo(word=w, start_time=round(a * 1000), end_time=round(b * 1000), confidence=0.9)
        for w, a, b in words
    ]
    text = "".join(f"{w} " for w, _, _ in words)
    return asr_wire.SpeechRecognitionAlternative(transcript=text, confidence=0.9, words=infos)


def recognised(words: list[tuple[str, float, float]]) -> asr_wire.RecognizeResponse:
    """The words as the one result of an offline request."""
    return asr_wire.RecognizeResponse(results=[asr_wire.SpeechRecognitionResult(alternatives=[heard(words)])])


def final(words: list[tuple[str, float, float]], processed_s: float = 0.0) -> asr_wire.StreamingRecognizeResponse:
    """The words as a final result of a stream."""
    result = asr_wire.StreamingRecognitionResult(
        alternatives=[heard(words)], is_final=True, audio_processed=processed_s
    )
    return asr_wire.StreamingRecognizeResponse(results=[result])


def partial(text: str, stability: float = 0.5) -> asr_wire.StreamingRecognizeResponse:
    """An interim result of a stream."""
    alternative = asr_wire.SpeechRecognitionAlternative(transcript=text)
    result = asr_wire.StreamingRecognitionResult(alternatives=[alternative], stability=stability)
    return asr_wire.StreamingRecognizeResponse(results=[result])


def classified(request: nlp_wire.TextClassRequest) -> nlp_wire.TextClassResponse:
    """Positive where "happy" is said, else neutral."""

    def result(text: str) -> nlp_wire.ClassificationResult:
        first, second = ("positive", "neutral") if "happy" in text else ("neutral", "positive")
        labels = [(first, 0.8), (second, 0.15), ("negative", 0.05)][: request.top_n or 1]
        return nlp_wire.ClassificationResult(
            labels=[nlp_wire.Classification(class_name=name, score=score) for name, score in labels]
        )

    return nlp_wire.TextClassResponse(results=[result(text) for text in request.text])


def understood(request: nlp_wire.AnalyzeIntentRequest) -> nlp_wire.AnalyzeIntentResponse:
    """A greeting, with the first word as a slot."""
    word = request.query.split()[0]
    start = request.query.index(word)
    slot = nlp_wire.TokenClassValue(
        token=word,
        label=[nlp_wire.Classification(class_name="first", score=0.75)],
        span=[nlp_wire.Span(start=start, end=start + len(word) - 1)],
    )
    intent = nlp_wire.Classification(class_name="greeting", score=0.5)
    return nlp_wire.AnalyzeIntentResponse(intent=intent, slots=[slot])


class ScriptedRiva(
    asr_grpc.RivaSpeechRecognitionServicer,  # type: ignore[misc]  # grpc's bases have no types
    nlp_grpc.RivaLanguageUnderstandingServicer,  # type: ignore[misc]
    tts_grpc.RivaSpeechSynthesisServicer,  # type: ignore[misc]
):
    """The scripts, to be replaced by tests; each may raise Refusal. ``calls`` counts the requests by name."""

    def __init__(self) -> None:
        self.uri = ""
        self.calls: dict[str, int] = {}
        self.asr_requests: list[asr_wire.RecognizeRequest] = []
        self.on_recognise: Callable[[asr_wire.RecognizeRequest], asr_wire.RecognizeResponse] = lambda request: (
            recognised(words_for(len(request.audio) / RATE))
        )
        self.on_stream: Callable[[Iterator[Any]], Iterator[asr_wire.StreamingRecognizeResponse]] = self._stream
        self.on_classify = classified
        self.on_understand = understood
        self.on_say: Callable[[tts_wire.SynthesizeSpeechRequest], bytes] = lambda request: b"\1\0" * len(request.text)
        self.asr_models = [("offline-model", "offline", "7"), ("online-model", "online", "8")]
        self.stream_ended = threading.Event()
        self._lock = threading.Lock()

    def Recognize(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.asr_requests.append(request)
        return self._answer("Recognize", context, lambda: self.on_recognise(request))

    def StreamingRecognize(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        self._count("StreamingRecognize")
        context.add_callback(self.stream_ended.set)
        try:
            yield from self.on_stream(request_iterator)
        except Refusal as refusal:
            context.abort(refusal.code, refusal.details)

    def GetRivaSpeechRecognitionConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        config = asr_wire.RivaSpeechRecognitionConfigResponse.Config
        return self._answer(
            "GetRivaSpeechRecognitionConfig",
            context,
            lambda: asr_wire.RivaSpeechRecognitionConfigResponse(
                model_config=[
                    config(model_name=name, parameters={"type": kind, "language_code": "en-US", "version": version})
                    for name, kind, version in self.asr_models
                ]
            ),
        )

    def ClassifyText(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer("ClassifyText", context, lambda: self.on_classify(request))

    def GetRivaNLPConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        configs = [
            nlp_wire.RivaNLPConfigResponse.Config(model_name=name, parameters={"version": "9"})
            for name in ("sentiment", "intent_slot")
        ]
        return self._answer("GetRivaNLPConfig", context, lambda: nlp_wire.RivaNLPConfigResponse(model_config=configs))

    def AnalyzeIntent(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer("AnalyzeIntent", context, lambda: self.on_understand(request))

    def Synthesize(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer(
            "Synthesize", context, lambda: tts_wire.SynthesizeSpeechResponse(audio=self.on_say(request))
        )

    def SynthesizeOnline(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802
        self._count("SynthesizeOnline")
        try:
            for request in request_iterator:
                pcm = self.on_say(request)
                for first in range(0, len(pcm), 8):
                    yield tts_wire.SynthesizeSpeechResponse(audio=pcm[first : first + 8])
        except Refusal as refusal:
            context.abort(refusal.code, refusal.details)

    def _stream(self, requests: Iterator[Any]) -> Iterator[asr_wire.StreamingRecognizeResponse]:
        """A final of one sentence for every 2 s of audio, with a partial before it."""
        next(requests)
        seconds, done = 0.0, 0
        for request in requests:
            seconds += len(request.audio_content) / RATE
            while seconds >= (done + 1) * 2:
                yield partial("Hello")
                yield final([("Hello", done * 2.0, done * 2 + 0.5), ("there.", done * 2 + 0.6, done * 2 + 1.0)])
                done += 1

    def _count(self, name: str) -> None:
        with self._lock:
            self.calls[name] = self.calls.get(name, 0) + 1

    def _answer(self, name: str, context: Any, answer: Callable[[], Any]) -> Any:
        self._count(name)
        try:
            return answer()
        except Refusal as refusal:
            context.abort(refusal.code, refusal.details)

    def auth(self) -> riva.client.Auth:
        """A connection to this server."""
        return riva.client.Auth(uri=self.uri, options=rpc.OPTIONS)

    def recogniser(self, **options: Any) -> Recogniser:
        """The true client of this server."""
        return Recogniser(self.auth(), address=self.uri, **options)

    def classifier(self, **options: Any) -> Classifier:
        """The true client of this server."""
        return Classifier(self.auth(), address=self.uri, **options)

    def understander(self, **options: Any) -> Understander:
        """The true client of this server."""
        return Understander(self.auth(), address=self.uri, **options)

    def speaker(self, **options: Any) -> Speaker:
        """The true client of this server."""
        return Speaker(self.auth(), address=self.uri, **options)


@contextmanager
def serving(uri: str = "127.0.0.1:0") -> Iterator[ScriptedRiva]:
    """A ScriptedRiva that listens until the block ends."""
    riva_server = ScriptedRiva()
    server = grpc.server(futures.ThreadPoolExecutor(8), options=rpc.OPTIONS)
    asr_grpc.add_RivaSpeechRecognitionServicer_to_server(riva_server, server)
    nlp_grpc.add_RivaLanguageUnderstandingServicer_to_server(riva_server, server)
    tts_grpc.add_RivaSpeechSynthesisServicer_to_server(riva_server, server)
    port = server.add_insecure_port(uri)
    riva_server.uri = uri if uri.startswith("unix:") else f"127.0.0.1:{port}"
    server.start()
    try:
        yield riva_server
    finally:
        server.stop(None).wait()
