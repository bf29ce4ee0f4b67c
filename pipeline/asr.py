"""Speech recognition by a Riva server, whole pieces and streams; the only place where milliseconds become seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

import grpc
import riva.client
import riva.client.proto.riva_asr_pb2 as wire
import riva.client.proto.riva_asr_pb2_grpc as wire_grpc
from riva.client.proto.riva_audio_pb2 import AudioEncoding

from pipeline import rpc
from pipeline.calls import Word
from pipeline.errors import CapabilityAbsent, InputError
from pipeline.remembered import Audio

RATE_HZ = 16_000
BYTES_A_SECOND = 2 * RATE_HZ
_LETTERS_A_SECOND = 14.0  # of conversational English; places words where nobody gives times


@dataclass(frozen=True)
class Expected:
    """Phrases that are likely to be said, and how much so on Riva's scale (about 20 to 100): its SpeechContext."""

    phrases: tuple[str, ...]
    boost: float


@dataclass(frozen=True)
class Recognition:
    """What was said in one piece of audio; word times are seconds from its start."""

    words: tuple[Word, ...]
    transcript: str
    confidence: float | None  # 0..1, None where the recogniser has none
    model: str  # "name@version"
    others: tuple[str, ...] = ()  # what it may have been instead, best first; only where asked for


@dataclass(frozen=True)
class Partial:
    """What a stream's recogniser thinks is being said right now; the next one replaces it."""

    transcript: str
    stability: float  # 0..1; 1: the first pass heard the end of the utterance
    end_s: float | None = None  # up to where it heard, in seconds from the start of the stream; None: not told


@dataclass(frozen=True)
class Final:
    """An utterance that a stream's recogniser is done with; seconds from the start of the stream."""

    words: tuple[Word, ...]
    transcript: str
    start_s: float
    end_s: float
    confidence: float | None
    model: str  # "name@version"


@dataclass(frozen=True)
class Endpointing:
    """When a stream's speech counts as begun and ended: Riva's EndpointingConfig; None leaves it to the server.

    The pair ``stop_*_eou`` is a first, shorter end that may be taken back: the partial of stability 1.
    """

    start_history_ms: int | None = None
    start_threshold: float | None = None  # 0..1, of the frames in that window
    stop_history_ms: int | None = None
    stop_threshold: float | None = None
    stop_history_eou_ms: int | None = None
    stop_threshold_eou: float | None = None


@dataclass(frozen=True)
class Model:
    """A recogniser that the server offers."""

    name: str
    kind: str  # "offline" | "online"
    language: str
    version: str


class Recogniser:
    """The recogniser behind one connection to a Riva server. Threads may share it; the connection's owner closes it."""

    def __init__(
        self,
        auth: riva.client.Auth,
        *,
        address: str,
        language: str = "en-US",
        model: str = "",
        live_model: str = "",
        timeout_s: float = 120.0,
        patience_s: float = 20.0,
        setting: str = "OVERTONE_ASR_URI",
        connect: Callable[[], riva.client.Auth] | None = None,
    ) -> None:
        """``model`` and ``live_model`` are Riva names for pieces and for streams; empty: the server's choice.

        ``connect`` opens one more connection, for the event loop it is called in; `streams.Streams` needs it.
        """
        self.connect = connect
        self._service = rpc.Service("speech recognition", address, setting, timeout_s, patience_s)
        self._metadata = auth.get_auth_metadata()
        self._stub = wire_grpc.RivaSpeechRecognitionStub(auth.channel)
        self._language, self._model, self._live_model = language, model, live_model

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """The recognisers that the server offers, asked once; BackendError as for any call."""
        answer = rpc.call(
            self._service,
            self._stub.GetRivaSpeechRecognitionConfig,
            wire.RivaSpeechRecognitionConfigRequest(),
            self._metadata,
            asked="the list of recognisers",
        )
        return tuple(_model(config.model_name, config.parameters) for config in answer.model_config)

    @property
    def live_identity(self) -> str:
        """``name@version`` of the recogniser of streams; BackendError as for any call."""
        return self._identity(self._live_model, "online")

    def recognise(self, pcm: bytes, *, expected: Sequence[Expected] = (), alternatives: int = 1) -> Recognition:
        """What is said in ``pcm``, 16-bit little-endian mono at 16 kHz, with times and punctuation.

        Phrases that are ``expected`` are preferred where they sound alike. Of up to ``alternatives`` texts for a short
        piece, all but the best are its ``others``.

        Raises BackendError or CapabilityAbsent; InputError for more audio than a request may hold (half an hour).
        """
        if len(pcm) > rpc.LARGEST_BYTES - 65_536:
            raise InputError(f"{len(pcm) / BYTES_A_SECOND:.0f} s of audio are too much for one request; send pieces")
        answer = rpc.call(
            self._service,
            self._stub.Recognize,
            wire.RecognizeRequest(config=self._config(self._model, expected, alternatives), audio=pcm),
            self._metadata,
            asked=self._asked(self._model, "offline"),
        )
        best = [result.alternatives[0] for result in answer.results if result.alternatives]
        transcript = " ".join(alternative.transcript.strip() for alternative in best).strip()
        heard = _words(word for alternative in best for word in alternative.words)
        return Recognition(
            tuple(timed(transcript, heard, 0.0, len(pcm) / BYTES_A_SECOND)),
            transcript,
            _confidence(best),
            self._identity(self._model, "offline"),
            _others(answer.results),
        )

    def stream(
        self,
        chunks: Iterable[bytes],
        *,
        interim: bool = True,
        endpointing: Endpointing | None = None,
        expected: Sequence[Expected] = (),
        patience_s: float | None = None,
    ) -> Iterator[Partial | Final]:
        """What is said in ``chunks``, 16-bit mono at 16 kHz, as it is understood; ends when they have ended.

        ``chunks`` is read at its own pace, in another thread; an exception of it ends the stream and comes out here. A
        stream that breaks is opened again and goes on from the last final utterance. Raises BackendError when the
        server stays away (for ``patience_s``; None: as long as for any call), CapabilityAbsent when it has no
        recogniser for streams.
        """
        audio = Audio(chunks, BYTES_A_SECOND)
        patience = self.patience(patience_s)
        done_s = 0.0
        while True:
            position, origin_s = audio.begin()
            requests = self._requests(audio, position, interim=interim, endpointing=endpointing, expected=expected)
            answers = self._stub.StreamingRecognize(requests, metadata=self._metadata)
            try:
                for answer in answers:
                    patience.renew()
                    for event in self.events(answer, origin_s, done_s, audio.sent_s, lambda: self.live_identity):
                        if isinstance(event, Final):
                            done_s = event.end_s
                            audio.forget(done_s)
                        yield event
                audio.check()
                return
            except grpc.RpcError as error:
                audio.check()
                patience.bear(error, self.asked_live)
            finally:
                answers.cancel()

    @property
    def asked_live(self) -> str:
        """What a stream asks for, in words."""
        return self._asked(self._live_model, "online")

    def patience(self, patience_s: float | None) -> rpc.Patience:
        """How long a stream bears with the server; None: as long as any call."""
        return rpc.Patience(self._service.within(patience_s))

    def opening(
        self, interim: bool, endpointing: Endpointing | None, expected: Sequence[Expected] = ()
    ) -> wire.StreamingRecognizeRequest:
        """The first request of a stream."""
        config = wire.StreamingRecognitionConfig(
            config=self._config(self._live_model, expected), interim_results=interim
        )
        if endpointing is not None:
            config.config.endpointing_config.CopyFrom(_endpointing(endpointing))
        return wire.StreamingRecognizeRequest(streaming_config=config)

    def events(
        self,
        answer: wire.StreamingRecognizeResponse,
        origin_s: float,
        done_s: float,
        sent_s: float,
        model: Callable[[], str],
    ) -> Iterator[Partial | Final]:
        """What an answer of a stream says, in seconds of the audio.

        The stream began at ``origin_s``, what comes before ``done_s`` was final before, and ``sent_s`` were sent.
        ``model`` is asked for ``name@version`` where there is something final.
        """
        partials = []
        for result in answer.results:
            if not result.alternatives:
                continue
            best = result.alternatives[0]
            if not result.is_final:
                partials.append((best.transcript, result.stability, result.audio_processed))
            elif best.transcript.strip():
                heard = _words(best.words, origin_s)
                end_s = origin_s + result.audio_processed if result.audio_processed else sent_s
                spoken_s = len(best.transcript) / _LETTERS_A_SECOND
                start_s = max(done_s, min(end_s - spoken_s, end_s))
                words = timed(best.transcript, heard, start_s, end_s)
                yield Final(
                    tuple(words),
                    best.transcript.strip(),
                    words[0].start_s,
                    words[-1].end_s,
                    _confidence([best]),
                    model(),
                )
        if partials:
            text = "".join(transcript for transcript, _, _ in partials).strip()
            processed_s = partials[-1][2]
            end_s = origin_s + processed_s if processed_s else None
            yield Partial(text, min(stability for _, stability, _ in partials), end_s)

    def _requests(
        self,
        audio: Audio,
        position: int,
        *,
        interim: bool,
        endpointing: Endpointing | None,
        expected: Sequence[Expected],
    ) -> Iterator[wire.StreamingRecognizeRequest]:
        yield self.opening(interim, endpointing, expected)
        while (chunk := audio.chunk(position)) is not None:
            yield wire.StreamingRecognizeRequest(audio_content=chunk)
            position += 1

    def _config(self, model: str, expected: Sequence[Expected] = (), alternatives: int = 1) -> wire.RecognitionConfig:
        return wire.RecognitionConfig(
            encoding=AudioEncoding.LINEAR_PCM,
            sample_rate_hertz=RATE_HZ,
            language_code=self._language,
            audio_channel_count=1,
            max_alternatives=alternatives,
            enable_word_time_offsets=True,
            enable_automatic_punctuation=True,
            speech_contexts=[wire.SpeechContext(phrases=one.phrases, boost=one.boost) for one in expected],
            model=model,
        )

    def _identity(self, model: str, kind: Literal["offline", "online"]) -> str:
        try:
            models = self.models
        except CapabilityAbsent:  # a NIM without the list: its name is all we know
            models = ()
        named = [m for m in models if m.name == model]
        fitting = [m for m in models if m.kind == kind and m.language in ("", self._language)]
        found = named or ([] if model else fitting)
        return rpc.identity(found[0].name, found[0].version) if found else model or f"riva-{kind}"

    def _asked(self, model: str, kind: str) -> str:
        return (
            f"recogniser {model!r} ({kind}, {self._language})" if model else f"a recogniser ({kind}, {self._language})"
        )


def timed(transcript: str, words: Sequence[Word], start_s: float, end_s: float) -> list[Word]:
    """The words of ``transcript``, as punctuated and written there, with the times of the recognised ``words``.

    The two differ where numbers are written out or a server punctuates only the transcript: what does not match shares
    the time of what it stands for, by length. Without ``words`` the whole of ``start_s`` to ``end_s`` is shared.
    """
    tokens = transcript.split()
    if not tokens:
        return list(words)
    if not words:
        return _share(tokens, start_s, end_s)
    placed: list[Word] = []
    matcher = SequenceMatcher(a=[_key(t) for t in tokens], b=[_key(w.text) for w in words], autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal" or i2 - i1 == j2 - j1:
            placed += [
                Word(token, word.start_s, word.end_s, word.confidence)
                for token, word in zip(tokens[i1:i2], words[j1:j2], strict=True)
            ]
        elif i2 > i1:
            low_s = words[j1].start_s if j1 < j2 else (words[j1 - 1].end_s if j1 else words[0].start_s)
            high_s = words[j2 - 1].end_s if j1 < j2 else (words[j1].start_s if j1 < len(words) else words[-1].end_s)
            placed += _share(tokens[i1:i2], low_s, max(low_s, high_s))
    return placed


def _share(tokens: Sequence[str], start_s: float, end_s: float) -> list[Word]:
    """The tokens one after the other from ``start_s`` to ``end_s``, each as long as its letters and one more."""
    lengths = [len(token) + 1 for token in tokens]
    second = (end_s - start_s) / sum(lengths)
    return [
        Word(token, start_s + second * sum(lengths[:i]), start_s + second * sum(lengths[: i + 1]))
        for i, token in enumerate(tokens)
    ]


def _endpointing(wanted: Endpointing) -> wire.EndpointingConfig:
    return wire.EndpointingConfig(
        start_history=wanted.start_history_ms,
        start_threshold=wanted.start_threshold,
        stop_history=wanted.stop_history_ms,
        stop_threshold=wanted.stop_threshold,
        stop_history_eou=wanted.stop_history_eou_ms,
        stop_threshold_eou=wanted.stop_threshold_eou,
    )


def _words(infos: Iterable[wire.WordInfo], origin_s: float = 0.0) -> list[Word]:
    """The words with seconds for milliseconds, never backwards; none where the server gave no times."""
    words: list[Word] = []
    at_s = origin_s
    for info in infos:
        at_s = max(at_s, origin_s + info.start_time / 1000)
        end_s = max(at_s, origin_s + info.end_time / 1000)
        if text := info.word.strip():
            words.append(Word(text, at_s, end_s, min(max(info.confidence, 0.0), 1.0) if info.confidence else None))
    return words if any(word.end_s > origin_s for word in words) else []


def _others(results: Sequence[wire.SpeechRecognitionResult]) -> tuple[str, ...]:
    """The further texts of audio that came back in one piece; those of several pieces cannot be put together."""
    if len(results) != 1:
        return ()
    return tuple(text for other in results[0].alternatives[1:] if (text := other.transcript.strip()))


def _confidence(alternatives: Sequence[wire.SpeechRecognitionAlternative]) -> float | None:
    """Mean confidence, None where none is given (0) or it is not a probability (Riva's older scores are log sums)."""
    given = [a.confidence for a in alternatives if 0 < a.confidence <= 1]
    return sum(given) / len(given) if given else None


def _model(name: str, parameters: Mapping[str, str]) -> Model:
    return Model(name, parameters["type"], parameters["language_code"], parameters["version"])


def _key(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())
