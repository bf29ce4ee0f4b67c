"""A recording or a live call in, its annotated sentences out."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pipeline import audio, sentences, voice
from pipeline.asr import Final, Partial, Recogniser, Recognition
from pipeline.audio import Channel
from pipeline.calls import Call, Sentence, Word
from pipeline.nlp import BATCH, Classifier
from pipeline.sentences import Said

_IN_FLIGHT = 2  # requests the recogniser has at once: one computes while the other travels and queues
_BLOCK_S = 32 * voice.FRAME_S  # whole frames, and short: blocks of silence cost nothing
_CHUNK_S = 0.1
_ASKED_S = 1.0  # longest time between two questions whether a live call goes on
_EDGE_S = 0.06  # voice that the model hears late or not at all at the edges of a word


def recording(
    call: Call,
    channels: Sequence[Channel],
    recogniser: Recogniser,
    classifier: Classifier,
    vad_model: Path,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[Sentence]:
    """The sentences of a recorded call in the order of the conversation, with times, words and sentiment.

    ``call.speakers`` says who speaks on which channel. Only the speech, found by ``vad_model`` (Silero's weights), is
    sent to the recogniser, packed into pieces of up to 28 s; the channels are read in blocks. ``on_progress`` gets the
    share of the work done, rising to 1, in this thread; an exception it raises ends the analysis. Raises BackendError.
    """
    report = on_progress or (lambda share: None)
    words: list[list[Word]] = [[] for _ in channels]
    model = ""
    ears = [voice.Ear(vad_model) for _ in channels]
    for number, pack, recognition, share in _recognised(channels, recogniser, ears):
        words[number] += sentences.without_loops(_placed(pack, ears[number], recognition.words))
        model = recognition.model
        report(0.98 * share)
    said = sentences.merge(
        sentences.join(heard, channel.number) for channel, heard in zip(channels, words, strict=True)
    )
    for first in range(0, len(said), BATCH):
        yield from _annotated(call, said[first : first + BATCH], first, model, classifier)
        report(0.98 + 0.02 * min(first + BATCH, len(said)) / len(said))
    report(1.0)


def live(
    call: Call,
    channels: Sequence[Iterable[bytes]],
    recogniser: Recogniser,
    classifier: Classifier,
    *,
    first_index: int = 0,
    on_partial: Callable[[int, str], None] | None = None,
) -> Iterator[Sentence]:
    """The sentences of a call that is going on, each as soon as the recogniser is done with it, with rising index.

    Each of ``channels`` yields 16-bit mono audio at 16 kHz at the pace it comes; times count from its start. What is
    being said right now goes to ``on_partial`` (channel from 1, text), from the channels' threads. Ends when all
    channels have ended; closing the iterator ends them. Raises BackendError and what a channel raises.
    """
    stopping = threading.Event()
    streams = [recogniser.stream(_until(stopping, chunks), interim=on_partial is not None) for chunks in channels]
    index = first_index
    try:
        for number, final in finals(streams, name=call.id, on_partial=on_partial):
            said = spoken(final, number)
            yield from _annotated(call, said, index, final.model, classifier)
            index += len(said)
    finally:
        stopping.set()


def finals(
    streams: Sequence[Iterable[Partial | Final]],
    *,
    name: str,
    on_partial: Callable[[int, str], None] | None = None,
    going_on: Callable[[], bool] | None = None,
) -> Iterator[tuple[int, Final]]:
    """Channel (from 1) and utterance as they come from any of the ``streams``, each read in a thread of its own.

    ``name`` is the threads'; ``on_partial`` is called in them. ``going_on`` is asked in the caller's thread, at least
    every second; where it says no, this ends without waiting for the streams. Else it ends when all of them have;
    raises what one raises.
    """
    events: queue.Queue[tuple[int, Final | BaseException | None]] = queue.Queue()

    def follow(number: int, stream: Iterable[Partial | Final]) -> None:
        try:
            for event in stream:
                if isinstance(event, Partial):
                    if on_partial:
                        on_partial(number, event.transcript)
                else:
                    events.put((number, event))
            events.put((number, None))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            events.put((number, error))

    for number, stream in enumerate(streams, start=1):
        threading.Thread(target=follow, args=(number, stream), name=f"{name}/{number}", daemon=True).start()
    left = len(streams)
    while left and (going_on is None or going_on()):
        try:
            number, event = events.get(timeout=None if going_on is None else _ASKED_S)
        except queue.Empty:
            continue
        if event is None:
            left -= 1
        elif isinstance(event, BaseException):
            raise event
        else:
            yield number, event


def spoken(final: Final, channel: int) -> list[Said]:
    """The sentences of one utterance on ``channel`` (from 1)."""
    return sentences.join(sentences.without_loops(final.words), channel)


def realtime(channels: Sequence[Channel], *, speed: float = 1.0, chunk_s: float = _CHUNK_S) -> list[Iterator[bytes]]:
    """The channels as ``live`` takes them, each chunk when its last sample would have been spoken in a real call.

    ``speed`` 2 plays twice as fast. All channels share one clock, which starts when the first one is read.
    """
    started: list[float] = []

    def play(path: Path) -> Iterator[bytes]:
        if not started:
            started.append(time.monotonic())
        for number, block in enumerate(audio.blocks(path, chunk_s), start=1):
            time.sleep(max(0.0, started[0] + number * chunk_s / speed - time.monotonic()))
            yield block.tobytes()

    return [play(channel.path) for channel in channels]


def _recognised(
    channels: Sequence[Channel], recogniser: Recogniser, ears: Sequence[voice.Ear]
) -> Iterator[tuple[int, voice.Pack, Recognition, float]]:
    """Channel (from 0), pack, what was recognised in it and the share of all audio that is done; in order."""
    total_s = sum(channel.duration_s for channel in channels) or 1.0
    before_s = [sum(channel.duration_s for channel in channels[:number]) for number in range(len(channels))]
    waiting: deque[tuple[int, voice.Pack, Future[Recognition]]] = deque()

    def first() -> tuple[int, voice.Pack, Recognition, float]:
        number, pack, future = waiting.popleft()
        recognition = future.result()
        return number, pack, recognition, min((before_s[number] + pack.pieces[-1].end_s) / total_s, 1.0)

    pool = ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="recognise")
    try:
        for number, channel in enumerate(channels):
            samples = (audio.floats(block) for block in audio.blocks(channel.path, _BLOCK_S))
            for pack in voice.packs(ears[number].listen(samples)):
                pcm = b"".join(audio.read(channel.path, piece.start_s, piece.end_s).tobytes() for piece in pack.pieces)
                waiting.append((number, pack, pool.submit(recogniser.recognise, pcm)))
                if len(waiting) > _IN_FLIGHT:  # one more than the server has: it never waits for us to read and pack
                    yield first()
        while waiting:
            yield first()
    finally:
        pool.shutdown(cancel_futures=True)


def _placed(pack: voice.Pack, ear: voice.Ear, words: Iterable[Word]) -> list[Word]:
    """The words with times in the recording; without those heard after the end of the audio.

    A word keeps to what is voiced: recognisers stretch words over the silences beside them.
    """
    placed = []
    for word in pack.placed(word for word in words if word.start_s < pack.duration_s):
        start_s, end_s = word.start_s, word.end_s
        if voiced := ear.voiced(start_s, end_s):
            start_s, end_s = max(start_s, voiced.start_s - _EDGE_S), min(end_s, voiced.end_s + _EDGE_S)
        placed.append(Word(word.text, round(start_s, 3), round(end_s, 3), word.confidence))
    return placed


def _annotated(
    call: Call, said: Sequence[Said], first_index: int, model: str, classifier: Classifier
) -> Iterator[Sentence]:
    moods = classifier.sentiment([one.text for one in said]) if said else []
    for index, (one, mood) in enumerate(zip(said, moods, strict=True), start=first_index):
        yield Sentence(
            call_id=call.id,
            index=index,
            channel=one.channel,
            speaker=call.speakers[one.channel - 1],
            text=one.text,
            start_s=one.start_s,
            end_s=one.end_s,
            words=one.words,
            sentiment=mood,
            recogniser=model,
        )


def _until(stopping: threading.Event, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if stopping.is_set():
            return
        yield chunk
