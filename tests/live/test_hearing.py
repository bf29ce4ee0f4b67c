"""Where live calls are heard: in a thread of its own, or in a loop that does other things too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import riva.client

from pipeline import rpc
from pipeline.asr import Recogniser
from pipeline.live.hearing import Hearing
from pipeline.streams import Streams
from tests.pipeline.scripted_riva import serving


@pytest.fixture
def recogniser() -> Iterator[Recogniser]:
    with serving() as server:
        yield server.recogniser(connect=lambda: riva.client.Auth(uri=server.uri, options=rpc.OPTIONS, use_aio=True))


def test_a_thread_of_its_own_hears(recogniser: Recogniser) -> None:
    threads: list[int] = []

    async def work(streams: Streams) -> None:
        threads.append(threading.get_ident())

    hearing = Hearing(recogniser)
    hearing.follow(work).result(30)
    hearing.close()
    assert threads != [threading.get_ident()]


def test_a_loop_that_does_other_things_goes_on_with_them_when_no_more_is_heard(recogniser: Recogniser) -> None:
    async def serve() -> None:
        threads: list[int] = []

        async def work(streams: Streams) -> None:
            threads.append(threading.get_ident())
            await asyncio.Event().wait()

        hearing = Hearing(recogniser, asyncio.get_running_loop())
        other = asyncio.create_task(asyncio.Event().wait())
        following = await asyncio.to_thread(hearing.follow, work)
        while not threads:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(hearing.close)
        assert threads == [threading.get_ident()]
        assert following.cancelled()
        assert not other.done()
        other.cancel()

    asyncio.run(serve())
