from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from dashboard.hub import QUEUE_LIMIT, Hub, Subscriber
from pipeline.calls import Alert, Call
from pipeline.errors import InputError
from pipeline.reminders import read
from pipeline.store import Store, open_store
from tests.dashboard import seed
from tests.store.postgres import Server

PATIENCE_S = 30.0


@asynccontextmanager
async def running(url: str) -> AsyncIterator[tuple[Hub, Store]]:
    with open_store(url) as store, open_store(url) as writer:
        hub = Hub(store)
        first = hub.subscribe()
        hub.start()
        try:
            # What is written before the hub has read the store is in this, and in no event.
            await message(first, lambda found: bool(found["kind"] == "snapshot"))
            hub.unsubscribe(first)
            yield hub, writer
        finally:
            await hub.stop()


async def message(subscriber: Subscriber, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while True:
        text = await asyncio.wait_for(subscriber.queue.get(), PATIENCE_S)
        assert text is not None
        found: dict[str, Any] = json.loads(text)
        if wanted(found):
            return found


def is_events(found: dict[str, Any]) -> bool:
    return bool(found["kind"] == "events")


def say(store: Store, call: Call, index: int) -> None:
    said = seed.conversation(call.id, [("customer", f"Sentence {index}.", "negative")], random.Random(index))[0]
    store.append(call.id, [replace(said, index=index)])


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'calls.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.database()


def test_what_another_process_commits_reaches_every_subscriber_once(url: str) -> None:
    async def check() -> None:
        async with running(url) as (hub, writer):
            everyone, other = hub.subscribe(), hub.subscribe()
            calls = [seed.live_call(number, datetime.now(UTC)) for number in (1, 2)]
            one = hub.subscribe(calls[0].id)
            for call in calls:
                writer.begin(call)
            for index in range(20):
                say(writer, calls[index % 2], index)
            for subscriber, expected in ((everyone, 20), (other, 20), (one, 10)):
                heard: list[tuple[str, int]] = []
                while len(heard) < expected:
                    for event in (await message(subscriber, is_events))["events"]:
                        if event["entry"]:
                            heard.append((event["card"]["id"], event["entry"]["index"]))
                assert len(set(heard)) == expected
            assert json.loads(hub.snapshot(calls[1].id))["cards"][0]["sentences"] == 10

    asyncio.run(check())


def test_calls_that_were_live_before_the_start_are_in_the_snapshot(url: str) -> None:
    call = seed.live_call(1, datetime.now(UTC))
    with open_store(url) as writer:
        writer.begin(call)
        say(writer, call, 0)

    async def check() -> None:
        async with running(url) as (hub, writer):
            subscriber = hub.subscribe()
            say(writer, call, 1)
            event = (await message(subscriber, is_events))["events"][-1]
            assert event["card"]["sentences"] == 2
            snapshot = json.loads(hub.snapshot())
            assert [card["id"] for card in snapshot["cards"]] == [call.id]
            assert [entry["index"] for entry in snapshot["feed"]] == [0, 1]

    asyncio.run(check())


def test_a_page_that_lags_is_cut_off_and_the_others_go_on(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(f"sqlite:///{tmp_path / 'calls.db'}") as (hub, writer):
            slow, quick = hub.subscribe(), hub.subscribe()
            for _ in range(QUEUE_LIMIT):
                slow.queue.put_nowait("{}")
            call = seed.live_call(1, datetime.now(UTC))
            writer.begin(call)
            await message(quick, is_events)
            assert slow.queue.get_nowait() is None
            assert slow.queue.empty()

    asyncio.run(check())


def test_an_outage_of_the_database_is_told_and_what_was_missed_comes_after_it(postgres: Server) -> None:
    url = postgres.database()
    name = make_url(url).database
    call = seed.live_call(1, datetime.now(UTC))

    async def check() -> None:
        async with running(url) as (hub, _):
            subscriber = hub.subscribe()
            postgres.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
            postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            assert (await message(subscriber, lambda found: bool(found.get("problem"))))["kind"] == "problem"
            assert json.loads(hub.snapshot())["problem"]
            postgres.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
            with open_store(url) as other:
                other.begin(call)
                say(other, call, 0)
            heard: list[str] = []
            while not heard:
                found = await message(subscriber, is_events)
                heard = [event["entry"]["text"] for event in found["events"] if event["entry"]]
            assert heard == ["Sentence 0."]
            assert (await message(subscriber, lambda found: found["kind"] == "problem"))["problem"] is None

    asyncio.run(check())


def test_stopping_ends_every_subscription(tmp_path: Path) -> None:
    async def check() -> Subscriber:
        async with running(f"sqlite:///{tmp_path / 'calls.db'}") as (hub, _):
            return hub.subscribe()

    queue = asyncio.run(check()).queue
    assert [queue.get_nowait() for _ in range(queue.qsize())][-1] is None


def test_an_agent_hears_of_their_own_calls_and_of_what_they_said(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(f"sqlite:///{tmp_path / 'calls.db'}") as (hub, writer):
            reminders = read("reminders: [{name: Greet, says: [hello]}]", "test.yml")
            page = hub.subscribe(agent="Dana", reminders=reminders)
            mine, other = (
                seed.live_call(number, datetime.now(UTC), agent=name) for number, name in ((1, "Dana"), (2, "Bo"))
            )
            for call in (other, mine):
                writer.begin(call)
                lines: list[seed.Line] = [("agent", "Hello there.", "neutral"), ("customer", "Hello.", "neutral")]
                writer.append(call.id, seed.conversation(call.id, lines, random.Random(1)))
            events: list[dict[str, Any]] = []
            while len(events) < 3:
                events += (await message(page, is_events))["events"]
            assert {event["card"]["id"] for event in events} == {mine.id}
            assert [event["ticked"] for event in events if event["entry"]] == [["Greet"], []]
            (card,) = json.loads(hub.snapshot(agent="Dana"))["cards"]
            assert card["id"] == mine.id

    asyncio.run(check())


def test_a_verdict_reaches_the_open_pages_of_another_dashboard(url: str) -> None:
    async def check() -> None:
        async with running(url) as (here, writer), running(url) as (there, _):
            call = seed.live_call(1, datetime.now(UTC))
            writer.begin(call)
            writer.add_alert(Alert("a1", call.id, None, "Quiet", "critical", "Hm.", datetime.now(UTC)))
            wall, page = there.subscribe(), there.subscribe(call.id)
            await asyncio.to_thread(here.judge, "a1", "wrong", "me")
            for subscriber in (wall, page):
                judged: list[dict[str, Any]] = []
                while not judged:
                    found = await message(subscriber, is_events)
                    judged = [event for event in found["events"] if event.get("judged")]
                assert (judged[0]["alert"]["verdict"], judged[0]["alert"]["reviewer"]) == ("wrong", "me")
                assert judged[0]["card"]["alarm"] is None
            (alert,) = json.loads(there.snapshot())["alerts"]
            assert alert["verdict"] == "wrong"

    asyncio.run(check())


def test_a_mark_on_a_suggestion_is_told_to_the_pages_of_its_agent(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(f"sqlite:///{tmp_path / 'calls.db'}") as (hub, writer):
            call = seed.live_call(1, datetime.now(UTC), agent="Dana")
            writer.begin(call)
            mine, other, wall = hub.subscribe(agent="Dana"), hub.subscribe(agent="Bo"), hub.subscribe()
            mark = partial(hub.mark, call.id, 3, "It will rain.")
            with pytest.raises(InputError, match="no call of Bo"):
                await asyncio.to_thread(mark, "Bo", used=True)
            await asyncio.to_thread(mark, "Dana", used=True)
            told = await message(mine, lambda found: bool(found["kind"] == "marked"))
            assert (told["call"], told["index"], told["used"]) == (call.id, 3, True)
            assert told["usefulness"] == "1 of 1 marked were used: 100% (21% to 100%)"
            (stored,) = writer.suggestion_marks()
            assert (stored.text, stored.used, stored.agent) == ("It will rain.", True, "Dana")
            for page in (other, wall):
                heard = [json.loads(page.queue.get_nowait() or "{}") for _ in range(page.queue.qsize())]
                assert "marked" not in {found["kind"] for found in heard}

    asyncio.run(check())
