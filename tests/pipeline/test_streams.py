"""Streams in an event loop, against a real gRPC server that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import riva.client

from pipeline import rpc
from pipeline.asr import Final, Partial
from pipeline.errors import BackendError
from pipeline.streams import Streams
from tests.pipeline.scripted_riva import Refusal, ScriptedRiva, final, partial, serving

SECOND = b"\0\0" * 16_000


@pytest.fixture
def scripted() -> Iterator[ScriptedRiva]:
    with serving() as server:
        yield server


def source(chunks: list[bytes]) -> Callable[[], Awaitable[bytes]]:
    left = iter(chunks)

    async def following() -> bytes:
        return next(left, b"")

    return following


def heard(scripted: ScriptedRiva, chunks: list[bytes], **options: Any) -> list[Partial | Final]:
    async def listen() -> list[Partial | Final]:
        streams = Streams(scripted.recogniser(connect=lambda: aio(scripted), **options))
        try:
            return [event async for event in streams.listen(source(chunks))]
        finally:
            await streams.close()

    return asyncio.run(listen())


def aio(scripted: ScriptedRiva) -> riva.client.Auth:
    return riva.client.Auth(uri=scripted.uri, options=rpc.OPTIONS, use_aio=True)


def test_partials_and_finals_come_in_order(scripted: ScriptedRiva) -> None:
    events = heard(scripted, [SECOND] * 4)
    assert [type(event) for event in events] == [Partial, Final, Partial, Final]
    last = events[-1]
    assert isinstance(last, Final)
    assert (last.transcript, last.start_s, last.end_s, last.model) == ("Hello there.", 2.0, 3.0, "online-model@8")


def breaking(received: list[int]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """A server that breaks off after a final which ended within a chunk, and counts the loud samples it gets."""

    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        next(requests)
        received.append(0)
        for request in requests:
            received[-1] += int(np.count_nonzero(np.frombuffer(request.audio_content, "<i2")))
            if len(received) == 1:
                yield final([("Once.", 0.5, 1.5)])
                raise Refusal(grpc.StatusCode.UNAVAILABLE, "restarting")

    return answers


LOUD_UNTIL_1_5 = b"\1\1" * 24_000 + b"\0\0" * 8_000


def test_a_stream_that_breaks_hears_nothing_twice(scripted: ScriptedRiva) -> None:
    received: list[int] = []
    scripted.on_stream = breaking(received)
    finals = [event for event in heard(scripted, [LOUD_UNTIL_1_5, SECOND]) if isinstance(event, Final)]
    assert [one.transcript for one in finals] == ["Once."]
    assert received == [24_000, 0], "the part of the chunk that was final is not sent again"


def test_a_stream_of_threads_that_breaks_hears_nothing_twice(scripted: ScriptedRiva) -> None:
    received: list[int] = []
    scripted.on_stream = breaking(received)
    assert len(list(scripted.recogniser().stream([LOUD_UNTIL_1_5, SECOND]))) == 1
    assert received == [24_000, 0]


def test_a_server_that_stays_away_is_an_error(scripted: ScriptedRiva) -> None:
    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    scripted.on_stream = answers
    with pytest.raises(BackendError, match="overloaded"):
        heard(scripted, [SECOND], patience_s=1.0)  # time for an answer that no write stands in the way of
    assert scripted.calls["StreamingRecognize"] > 1


def test_who_listens_no_more_lets_go_of_the_server_and_takes_no_audio(scripted: ScriptedRiva) -> None:
    taken: list[bytes] = []

    def answers(requests: Iterator[Any]) -> Iterator[Any]:
        yield partial("Hello")
        for _ in requests:
            pass

    async def endless() -> bytes:
        await asyncio.sleep(0.005)
        taken.append(SECOND[:320])
        return taken[-1]

    async def listen() -> None:
        streams = Streams(scripted.recogniser(connect=lambda: aio(scripted)))
        events = streams.listen(endless)
        assert await anext(events) == Partial("Hello", 0.5)
        await events.aclose()
        before = len(taken)
        await asyncio.sleep(0.05)
        assert len(taken) == before
        await streams.close()

    scripted.on_stream = answers
    asyncio.run(listen())
    assert scripted.stream_ended.wait(20)


def test_streams_share_connections_up_to_a_hundred(scripted: ScriptedRiva) -> None:
    opened: list[riva.client.Auth] = []

    def connect() -> riva.client.Auth:
        opened.append(aio(scripted))
        return opened[-1]

    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    async def listen() -> None:
        streams = Streams(scripted.recogniser(connect=connect))

        async def one() -> None:
            async for _ in streams.listen(never):
                pass

        tasks = [asyncio.create_task(one()) for _ in range(101)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        last = asyncio.create_task(one())
        await asyncio.sleep(0.05)
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        await streams.close()

    asyncio.run(listen())
    assert len(opened) == 2, "the hundred and first has one of its own, and those that ended leave room"
