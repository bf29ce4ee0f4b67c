"""One watcher of the store for all open pages: what was committed is read once and fanned out to their sockets.

The work per commit does not grow with the number of pages. A page subscribes first and asks for the snapshot second;
what arrives twice that way carries a change number that the snapshot already covers, and the page drops it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.board import Board
from dashboard.clocks import Clocks
from pipeline.calls import AlertVerdict
from pipeline.errors import InputError, OvertoneError
from pipeline.store import Store
from pipeline.store.queries import CallQuery

QUEUE_LIMIT = 500  # messages that a page may lag behind before it is cut off; it reconnects and gets a snapshot
CHANGES_PER_READ = 1000
LIVE_CALLS = 1000
ALERTS_SHOWN = 50
ALERTS_SINCE = timedelta(hours=12)
WAIT_S = 1.0
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Subscriber:
    """One open page: its queue of JSON texts, None as the end; ``call_id`` limits it to the events of one call."""

    call_id: str | None = None
    queue: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))


class Hub:
    """Watches a store in a thread of its own and fans its changes out on the event loop that started it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._board = Board()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hub", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscribers: set[Subscriber] = set()
        self._problem: str | None = None
        self.clocks = Clocks(store, lambda figures: self._send_all(_text({"kind": "latency", **figures})))

    @property
    def stopping(self) -> bool:
        """Whether the server is going down."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begins to watch; called on the event loop that serves the pages."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self.clocks.start()

    async def stop(self) -> None:
        """Ends the watching and every subscription; called on the event loop."""
        self._stopping.set()
        for subscriber in list(self._subscribers):
            self._drop(subscriber)
        await asyncio.to_thread(self._thread.join, 2 * WAIT_S)
        await asyncio.to_thread(self.clocks.stop)

    def subscribe(self, call_id: str | None = None) -> Subscriber:
        """A new subscriber, its events from now on; called on the event loop."""
        subscriber = Subscriber(call_id)
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Ends a subscription; unknown ones are no error."""
        self._subscribers.discard(subscriber)

    def tell(self, subscriber: Subscriber, message: dict[str, Any]) -> None:
        """Sends a message to one page; called on the event loop."""
        self._put(subscriber, _text(message))

    def snapshot(self, call_id: str | None = None) -> str:
        """The snapshot message as JSON text, of one call where ``call_id`` is given; includes a standing problem."""
        with self._lock:
            message = self._board.snapshot(_now_ms())
        if call_id is not None:
            message["cards"] = [card for card in message["cards"] if card["id"] == call_id]
            message["feed"], message["recent"] = [], {}
            message["alerts"] = [alert for alert in message["alerts"] if alert["call_id"] == call_id]
        return _text({**message, "problem": self._problem, "latency": self.clocks.figures})

    def judge(self, alert_id: str, verdict: AlertVerdict, reviewer: str, call_id: str | None = None) -> None:
        """Stores a verdict and tells every open page; not for the event loop, since it waits for the database.

        Raises InputError for an unknown alert, or one that is not of ``call_id`` where that is given, and BackendError.
        """
        if call_id is not None and all(alert.id != alert_id for alert in self._store.alerts(call_id=call_id)):
            raise InputError(f"call {call_id} has no alert {alert_id!r}")
        self._store.judge_alert(alert_id, verdict, reviewer, datetime.now(UTC))
        with self._lock:
            changed = self._board.judge(alert_id, verdict, reviewer)
        text = _text({"kind": "judged", "now_ms": _now_ms(), "changed": changed})
        calls = {change["alert"]["call_id"] for change in changed if "alert" in change}

        def deliver() -> None:
            for subscriber in list(self._subscribers):
                if subscriber.call_id is None or subscriber.call_id in calls:
                    self._put(subscriber, text)

        self._on_loop(deliver)

    def _watch(self) -> None:
        wait_s = WAIT_S
        seeded = False
        while not self._stopping.is_set():
            try:
                if not seeded:
                    self._seed()
                    seeded = True
                    self._send_all(self.snapshot())
                self._catch_up()
                if self._problem is not None:
                    self._report(None)
                wait_s = WAIT_S
                self._store.watch(WAIT_S)
            except OvertoneError as error:
                self._report(str(error))
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, 8.0)
            except Exception:
                # A watcher that dies leaves every wall silently frozen, so it says what happened and goes on.
                log.exception("the live hub failed and starts again")
                self._report("The live feed failed on the server; its log says why. Trying again.")
                seeded = False
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, 8.0)

    def _seed(self) -> None:
        number = self._store.last_change()  # before the reading, so that nothing falls between
        rows = self._store.calls(CallQuery(status="live"), LIVE_CALLS, 0).rows
        calls = [(row.call, self._store.sentences(row.call.id)) for row in rows]
        found = self._store.alerts(since=datetime.now(UTC) - ALERTS_SINCE, limit=ALERTS_SHOWN)
        known = {call.id: call for call, _ in calls}
        alerts = [(alert, known.get(alert.call_id) or self._store.call(alert.call_id)) for alert in reversed(found)]
        flagged = {call.id for call, _ in calls if any(note.flagged for note in self._store.notes(call.id))}
        with self._lock:
            self._board.seed(number, calls, _now_ms(), alerts, flagged)

    def _catch_up(self) -> None:
        while changes := self._store.changes(self._board.number, CHANGES_PER_READ):
            with self._lock:
                events = [event for change in changes if (event := self._board.apply(change)) is not None]
                number = self._board.number
            if events:
                self._fan_out(number, events)
            if len(changes) < CHANGES_PER_READ:
                return

    def _fan_out(self, number: int, events: Sequence[dict[str, Any]]) -> None:
        message = {"kind": "events", "number": number, "now_ms": _now_ms()}
        everything = _text({**message, "events": events})
        by_call: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            call_id = event.get("removed") or event.get("call_id") or event["card"]["id"]
            by_call.setdefault(call_id, []).append(event)
        spoken = {
            call_id: [(call_id, event["entry"]["index"]) for event in own if event.get("entry")]
            for call_id, own in by_call.items()
        }

        def deliver() -> None:
            sent: set[str] = set()
            for subscriber in list(self._subscribers):
                if subscriber.call_id is None:
                    self._put(subscriber, everything)
                    sent.update(by_call)
                elif subscriber.call_id in by_call:
                    self._put(subscriber, _text({**message, "events": by_call[subscriber.call_id]}))
                    sent.add(subscriber.call_id)
            self.clocks.sent((key for call_id in sent for key in spoken[call_id]), datetime.now(UTC))

        self._on_loop(deliver)

    def _report(self, problem: str | None) -> None:
        self._problem = problem
        self._send_all(_text({"kind": "problem", "problem": problem}))

    def _send_all(self, text: str) -> None:
        def deliver() -> None:
            for subscriber in list(self._subscribers):
                if subscriber.call_id is None:
                    self._put(subscriber, text)

        self._on_loop(deliver)

    def _on_loop(self, deliver: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deliver)

    def _put(self, subscriber: Subscriber, text: str) -> None:
        try:
            subscriber.queue.put_nowait(text)
        except asyncio.QueueFull:
            self._drop(subscriber)

    def _drop(self, subscriber: Subscriber) -> None:
        self.unsubscribe(subscriber)
        while not subscriber.queue.empty():
            subscriber.queue.get_nowait()
        subscriber.queue.put_nowait(None)


def _now_ms() -> int:
    return round(time.time() * 1000)


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
