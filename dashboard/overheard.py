"""What the gateway says of live calls that no store keeps: what is being said right now, and what could be answered.

The line to the gateway is open only while somebody looks, since guessing at unfinished sentences costs the recogniser
work. Without a gateway nothing is shown, and nothing is complained of: calls may come from elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed

from dashboard.gateway import open_partials
from pipeline.errors import BackendError, ConfigError
from pipeline.settings import Settings

LINGER_S = 10.0  # from page to page the line stays, since opening it changes what the recogniser is asked for
KEPT = 5  # suggestions of a call
MOST_CALLS = 500  # with suggestions; the one that was silent for longest goes first
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0
log = logging.getLogger(__name__)


class Overheard:
    """Follows the gateway on one event loop; all its methods are called there."""

    def __init__(self, settings: Settings, tell: Callable[[dict[str, Any]], None]) -> None:
        """``tell`` gets each message as ``/partials`` has it (docs/live.md)."""
        self._settings, self._tell = settings, tell
        self._suggestions: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._following: asyncio.Task[None] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._refused = False

    def suggestions(self) -> list[dict[str, Any]]:
        """The last suggestions of all calls, the oldest first."""
        found = [suggestion for own in self._suggestions.values() for suggestion in own]
        return sorted(found, key=lambda suggestion: int(suggestion["at_ms"]))

    def listen(self, *, wanted: bool) -> None:
        """Open the line, or close it when nobody has looked for a while."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        if wanted and self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._follow())
        elif not wanted and self._following is not None:
            self._closing = asyncio.get_running_loop().call_later(LINGER_S, self._close)

    async def stop(self) -> None:
        """Close the line for good."""
        following = self._following
        self._close()
        if following is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await following

    def _close(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
        if self._following is not None:
            self._following.cancel()
        self._closing = self._following = None

    async def _follow(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with await open_partials(self._settings) as line:
                    pause_s, self._refused = _FIRST_PAUSE_S, False
                    async for text in line:
                        self._take(json.loads(text))
            except ConfigError as error:
                if not self._refused:
                    log.warning("pages do not show what is being said: %s", error)
                self._refused = True
            except (BackendError, ConnectionClosed, ValueError) as error:
                log.debug("no partials: %s", error)
            except Exception:
                log.exception("following the gateway failed and starts again")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _take(self, message: dict[str, Any]) -> None:
        if message["kind"] == "suggestion" and not self._keep(message):
            return  # the gateway repeats what stands when the line is opened again
        self._tell(message)

    def _keep(self, suggestion: dict[str, Any]) -> bool:
        own = self._suggestions.setdefault(suggestion["call"], [])
        self._suggestions.move_to_end(suggestion["call"])
        if any(known["index"] == suggestion["index"] for known in own):
            return False
        own.append(suggestion)
        del own[:-KEPT]
        while len(self._suggestions) > MOST_CALLS:
            self._suggestions.popitem(last=False)
        return True
