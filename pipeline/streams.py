"""Recognition of many streams at once in one event loop: live calls, two streams each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

import grpc
import riva.client
import riva.client.proto.riva_asr_pb2 as wire
import riva.client.proto.riva_asr_pb2_grpc as wire_grpc

from pipeline import rpc
from pipeline.asr import BYTES_A_SECOND, Endpointing, Final, Partial, Recogniser
from pipeline.remembered import AsyncAudio

_STREAMS_A_CONNECTION = 100  # proxies and servers allow so many, and those beyond would wait for others to end


class Streams:
    """Any number of streams in the event loop that it is made in: what `Recogniser.stream` does, without its threads.

    A thread a stream that reads and one that writes are a thousand threads for two hundred calls, and they spend more
    time on waiting for each other than on audio.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        if recogniser.connect is None:
            raise ValueError("this recogniser was made without connect: it can open no connection for an event loop")
        self._recogniser, self._connect = recogniser, recogniser.connect
        self._connections: list[_Connection] = []
        self._metadata: Sequence[tuple[str, str]] = ()
        self._model = ""

    async def listen(
        self,
        source: Callable[[], Awaitable[bytes]],
        *,
        interim: bool = True,
        endpointing: Endpointing | None = None,
        patience_s: float | None = None,
    ) -> AsyncGenerator[Partial | Final, None]:
        """What is said in the chunks that ``source`` gives, as `Recogniser.stream` has it.

        ``source`` gives the next chunk, empty after the last one. It must not raise, and a call of it that is cancelled
        must have taken nothing.
        """
        audio = AsyncAudio(source, BYTES_A_SECOND)
        patience = self._recogniser.patience(patience_s)
        opening = self._recogniser.opening(interim, endpointing)
        done_s = 0.0
        told: grpc.RpcError | None = None  # what the server itself last said of a failure
        while True:
            position, origin_s = audio.begin()
            with self._connection() as stub:
                answers = stub.StreamingRecognize(metadata=self._metadata)
                writing = asyncio.create_task(_write(answers, opening, audio, position))
                try:
                    while (answer := await answers.read()) is not grpc.aio.EOF:
                        patience.renew()
                        told = None
                        if not self._model and any(result.is_final for result in answer.results):
                            self._model = await asyncio.to_thread(lambda: self._recogniser.live_identity)
                        for event in self._recogniser.events(
                            answer, origin_s, done_s, audio.sent_s, lambda: self._model
                        ):
                            if isinstance(event, Final):
                                done_s = event.end_s
                                audio.forget(done_s)
                            yield event
                    return
                except grpc.RpcError as error:
                    told = (told or error) if rpc.broke_off(error) else error
                    pause_s = patience.pause_s(told, self._recogniser.asked_live)
                finally:
                    answers.cancel()
                    writing.cancel()
                    await asyncio.gather(writing, return_exceptions=True)
            await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Closes the connections; streams that go on break."""
        for connection in self._connections:
            await connection.auth.channel.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[wire_grpc.RivaSpeechRecognitionStub]:
        free = next((one for one in self._connections if one.streams < _STREAMS_A_CONNECTION), None)
        if free is None:
            free = _Connection(self._connect())
            self._connections.append(free)
            self._metadata = free.auth.get_auth_metadata()
        free.streams += 1
        try:
            yield free.stub
        finally:
            free.streams -= 1


class _Connection:
    def __init__(self, auth: riva.client.Auth) -> None:
        self.auth = auth
        self.stub = wire_grpc.RivaSpeechRecognitionStub(auth.channel)
        self.streams = 0


async def _write(
    call: grpc.aio.StreamStreamCall, opening: wire.StreamingRecognizeRequest, audio: AsyncAudio, position: int
) -> None:
    """Sends the audio from chunk ``position`` on; ends where the stream breaks, which its reader is told."""
    with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
        await call.write(opening)
        while (chunk := await audio.chunk(position)) is not None:
            await call.write(wire.StreamingRecognizeRequest(audio_content=chunk))
            position += 1
        await call.done_writing()
