"""Where live calls are heard: in a thread of its own, or in a loop that does other things too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import riva.client
import uvloop

from pipeline import rpc
from pipeline.asr import Final, Recogniser
from pipeline.live.hearing import Hearing
from pipeline.streams import Streams
from tests.pipeline.scripted_riva import serving


@pytest.fixture
def recogniser() -> Iterator[Recogniser]:
    with serving() as server:
        yield server.recogniser(connect=lambda: riva.client.Auth(uri=server.uri, options=rpc.OPTIONS, use_aio=True))


async def first_words(streams: Streams) -> str:
    chunks = [b"\0\0" * 16_000] * 2

    async def source() -> bytes:
        return chunks.pop() if chunks else b""

    finals = [event async for event in streams.listen(source) if isinstance(event, Final)]
    return finals[0].transcript


def test_a_thread_of_its_own_hears(recogniser: Recogniser) -> None:
    heard: list[str] = []

    async def work(streams: Streams) -> None:
        heard.append(await first_words(streams))

    hearing = Hearing(recogniser)
    hearing.follow(work).result(30)
    hearing.close()
    assert heard == ["Hello there."]


def test_a_loop_that_does_other_things_hears_and_goes_on_with_them(recogniser: Recogniser) -> None:
    heard: list[str] = []

    async def work(streams: Streams) -> None:
        heard.append(await first_words(streams))
        await asyncio.Event().wait()

    async def serve() -> None:
        hearing = Hearing(recogniser, asyncio.get_running_loop())
        other = asyncio.create_task(asyncio.Event().wait())
        following = await asyncio.to_thread(hearing.follow, work)
        while not heard:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(hearing.close)
        assert following.cancelled()
        assert not other.done()
        other.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
    assert heard == ["Hello there."]
