"""What all connections of the gateway share: the services, threads for what blocks, and the count of conversations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

from starlette.requests import HTTPConnection

from pipeline.backends import Backends
from pipeline.errors import OvertoneError
from pipeline.live.means import Means
from pipeline.live.suggesting import Suggester, silent
from pipeline.live.switchboard import Switchboard
from pipeline.live.warming import warm
from pipeline.live.writer import StoreWriter
from pipeline.settings import Settings

T = TypeVar("T")

_FEW = 8  # conversations, among which there is time for second opinions
_THREADS = 16  # beside those of the conversations; what they do is short, or waits for a service

log = logging.getLogger(__name__)


class Full(OvertoneError):  # noqa: N818  as in errors.py: the name says what is the case
    """All conversations that may go on at once do."""


class Gateway:
    """The gateway's resources; the application keeps it in ``app.state.gateway``."""

    def __init__(
        self, settings: Settings, backends: Backends, loop: asyncio.AbstractEventLoop, writer: StoreWriter
    ) -> None:
        """``loop`` serves its connections, and must go on until this is closed; that closes ``writer`` too."""
        self.settings, self.backends = settings, backends
        self.suggestions = Suggester(lambda: silent(backends))
        self.calls = Switchboard(settings, backends, suggester=self.suggestions, loop=loop, writer=writer)
        self.conversations = 0
        self.warm = False
        self.speech = True  # False: there is no voice, and answers come in writing
        self._pool = ThreadPoolExecutor(_THREADS + 2 * settings.live_conversations, thread_name_prefix="gateway")

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """What ``function`` returns, run in one of the gateway's threads; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    @cached_property
    def means(self) -> Means:
        """What spoken conversations need, the same for all. Raises BackendError, ConfigError."""
        return Means.of(self.backends, crowded=lambda: self.conversations > _FEW)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one more conversation while the context lasts. Raises Full at once where there is none."""
        most = self.settings.live_conversations
        if self.conversations >= most:
            raise Full(f"all {most} conversations are taken; please try again in a few minutes")
        self.conversations += 1
        try:
            yield
        finally:
            self.conversations -= 1

    async def prepare(self) -> None:
        """Wakes every engine, so that the first turn is as quick as the next; what fails is logged, and said later."""
        try:
            self.speech = await self.run(warm, self.backends)
            await self.run(self.suggestions.prepare)
        except OvertoneError as error:
            log.warning("not everything works yet: %s", error)
        except Exception:
            log.exception("not everything works yet")  # whoever needs it will hear of it in words
        self.warm = True

    def close(self) -> None:
        """Ends the live calls, storing what was said, and the threads when what they do is done.

        It waits for what the loop does, so it must not be called from there.
        """
        self.calls.close()
        self.suggestions.close()
        self._pool.shutdown(wait=False, cancel_futures=True)


def gateway_of(request: HTTPConnection) -> Gateway:
    """The gateway that a request came to."""
    found: Gateway = request.app.state.gateway
    return found
