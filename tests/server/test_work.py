"""The bounded queue: order, refusal at once, and nothing that stays behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from pipeline.server.work import Overloaded, Work


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opens the way for work that waits on it; at the end it is open in any case."""
    event = threading.Event()
    yield event
    event.set()


def waiting(gate: threading.Event, value: int) -> int:
    gate.wait(30)
    return value


def test_results_and_errors_come_back_to_who_asked() -> None:
    async def ask() -> None:
        work = Work("test", threads=2, requests=4)
        assert await work.run(pow, 2, 10) == 1024
        with pytest.raises(ZeroDivisionError):
            await work.run(divmod, 1, 0)
        work.close()

    asyncio.run(ask())


def test_the_next_request_is_refused_at_once_when_the_queue_is_full(gate: threading.Event) -> None:
    async def fill() -> None:
        work = Work("test model", threads=1, requests=3)
        inside = [asyncio.ensure_future(work.run(waiting, gate, number)) for number in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="test model is busy with 3 requests"):
            await work.run(waiting, gate, 4)
        gate.set()
        assert await asyncio.gather(*inside) == [0, 1, 2]
        assert await work.run(waiting, gate, 5) == 5
        work.close()

    asyncio.run(fill())


def test_the_bytes_that_requests_bring_are_bounded_too(gate: threading.Event) -> None:
    work = Work("test", threads=1, requests=10, most_bytes=100)
    with work.admit(1000), pytest.raises(Overloaded):  # one alone is never too big
        work.admit(1)
    with work.admit(60), work.admit(40), pytest.raises(Overloaded):
        work.admit(1)
    with work.admit(100):
        work.close()


def test_a_long_request_takes_turns_with_a_short_one(gate: threading.Event) -> None:
    done: list[str] = []

    async def both() -> None:
        work = Work("test", threads=1, requests=4)

        async def long() -> None:
            with work.admit() as slot:
                for number in range(3):
                    await slot.run(waiting, gate, number)
                    done.append(f"long {number}")

        async def short() -> None:
            await work.run(waiting, gate, 0)
            done.append("short")

        tasks = [asyncio.ensure_future(long()), asyncio.ensure_future(short())]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        work.close()

    asyncio.run(both())
    assert done == ["long 0", "short", "long 1", "long 2"]


def test_idle_says_whether_work_would_start_at_once(gate: threading.Event) -> None:
    async def look() -> None:
        work = Work("test", threads=1, requests=4)
        with work.admit() as slot:
            assert slot.idle
            running = asyncio.ensure_future(slot.run(waiting, gate, 1))
            await asyncio.sleep(0)
            assert not slot.idle
            gate.set()
            await running
            assert slot.idle
        work.close()

    asyncio.run(look())


def test_what_a_client_no_longer_waits_for_is_not_done(gate: threading.Event) -> None:
    done: list[int] = []

    async def cancel() -> None:
        work = Work("test", threads=1, requests=4)
        first = asyncio.ensure_future(work.run(waiting, gate, 1))
        second = asyncio.ensure_future(work.run(done.append, 2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        gate.set()
        await first
        assert await work.run(waiting, gate, 3) == 3  # and its place is free again
        with work.admit(), work.admit(), work.admit(), work.admit():
            pass
        work.close()

    asyncio.run(cancel())
    assert not done


def test_closing_cancels_what_waits_and_takes_nothing_more(gate: threading.Event) -> None:
    async def close() -> None:
        work = Work("test", threads=1, requests=4)
        started = threading.Event()

        def begin() -> int:
            started.set()
            return waiting(gate, 1)

        running = asyncio.ensure_future(work.run(begin))
        queued = asyncio.ensure_future(work.run(waiting, gate, 2))
        await asyncio.to_thread(started.wait, 30)
        work.close()
        gate.set()
        assert await running == 1
        with pytest.raises(asyncio.CancelledError):
            await queued
        with pytest.raises(Overloaded, match="shutting down"):
            await work.run(waiting, gate, 3)

    asyncio.run(close())
