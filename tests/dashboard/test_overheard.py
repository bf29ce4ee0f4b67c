"""Following the gateway's feed: a real server on a real port that speaks as the gateway does, comes and goes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from dashboard.overheard import KEPT, Overheard
from pipeline.settings import Settings
from tests.dashboard.conftest import free_port

PATIENCE_S = 30.0


class Gateway:
    """Says the same to everybody who comes, and keeps the lines open."""

    def __init__(self, port: int, *messages: dict[str, Any]) -> None:
        self.port, self._messages = port, messages
        self.tokens: list[str | None] = []

    async def _answer(self, line: ServerConnection) -> None:
        assert line.request is not None
        assert line.request.path == "/partials"
        self.tokens.append(line.request.headers.get("authorization"))
        for message in self._messages:
            await line.send(json.dumps(message))
        await line.wait_closed()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with serve(self._answer, "127.0.0.1", self.port):
            yield


def suggestion(index: int, call: str = "a") -> dict[str, Any]:
    return {"kind": "suggestion", "call": call, "index": index, "text": f"Answer {index}.", "at_ms": 1000 + index}


def test_what_the_gateway_says_is_told_once_over_its_restarts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        settings = Settings(home=tmp_path, live_port=free_port(), live_token="secret")
        overheard = Overheard(settings, told.put_nowait)
        overheard.listen(wanted=True)  # nobody is there yet
        partials = {"kind": "partials", "rows": [["a", 2, "Will it"]]}
        first = Gateway(settings.live_port, partials, suggestion(0))
        async with first.running():
            assert await asyncio.wait_for(told.get(), PATIENCE_S) == partials
            assert await asyncio.wait_for(told.get(), PATIENCE_S) == suggestion(0)
        assert first.tokens == ["Bearer secret"]
        second = Gateway(settings.live_port, *(suggestion(index) for index in range(KEPT + 1)))
        async with second.running():
            for index in range(1, KEPT + 1):
                assert await asyncio.wait_for(told.get(), PATIENCE_S) == suggestion(index)
            await overheard.stop()
        assert overheard.suggestions() == [suggestion(index) for index in range(1, KEPT + 1)]
        assert told.empty()

    with caplog.at_level(logging.INFO):
        asyncio.run(check())
    assert [record.getMessage() for record in caplog.records if record.name.startswith("dashboard")] == []


def test_nobody_is_followed_before_somebody_looks(tmp_path: Path) -> None:
    async def check() -> None:
        settings = Settings(home=tmp_path, live_port=free_port())
        gateway = Gateway(settings.live_port, suggestion(0))
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        async with gateway.running():
            overheard = Overheard(settings, told.put_nowait)
            overheard.listen(wanted=False)
            overheard.listen(wanted=True)
            overheard.listen(wanted=False)  # a page that is left and opened again keeps the line
            overheard.listen(wanted=True)
            await asyncio.wait_for(told.get(), PATIENCE_S)
            await overheard.stop()
        assert len(gateway.tokens) == 1

    asyncio.run(check())
