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
from dashboard.overheard import Overheard
from dashboard.queries import MARKS_SINCE, usefulness
from pipeline.calls import AlertVerdict, SuggestionMark
from pipeline.errors import InputError, OvertoneError
from pipeline.reminders import Reminder, said
from pipeline.settings import Settings
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
    """One open page: its queue of JSON texts, None as the end.

    ``call_id`` limits it to the events of one call, ``agent`` to those of an agent's calls; that page hears which of
    the ``reminders`` were said.
    """

    call_id: str | None = None
    agent: str | None = None
    reminders: tuple[Reminder, ...] = ()
    queue: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_LIMIT))


class Hub:
    """Watches a store in a thread of its own and fans its changes out on the event loop that started it."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        """``settings`` say where the gateway is; without them nobody hears what is being said right now."""
        self._store = store
        self._overheard = Overheard(settings, self._overhear) if settings is not None else None
        self._board = Board()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hub", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._subscribers: set[Subscriber] = set()
        self._problem: str | None = None
        self.clocks = Clocks(
            store, lambda figures: self._send_all(_text({"kind": "latency", **figures})), self._tell_late
        )

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
        if self._overheard is not None:
            await self._overheard.stop()
        await asyncio.to_thread(self._thread.join, 2 * WAIT_S)
        await asyncio.to_thread(self.clocks.stop)

    def subscribe(
        self, call_id: str | None = None, *, agent: str | None = None, reminders: tuple[Reminder, ...] = ()
    ) -> Subscriber:
        """A new subscriber, its events from now on; called on the event loop."""
        subscriber = Subscriber(call_id, agent, reminders)
        self._subscribers.add(subscriber)
        if self._overheard is not None:
            self._overheard.listen(wanted=True)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Ends a subscription; unknown ones are no error."""
        self._subscribers.discard(subscriber)
        if self._overheard is not None and not self._subscribers and not self.stopping:
            self._overheard.listen(wanted=False)

    def tell(self, subscriber: Subscriber, message: dict[str, Any]) -> None:
        """Sends a message to one page; called on the event loop."""
        self._put(subscriber, _text(message))

    def snapshot(self, call_id: str | None = None, agent: str | None = None) -> str:
        """The snapshot message as JSON text, of one call or one agent where they are given; with a standing problem."""
        with self._lock:
            message = self._board.snapshot(_now_ms())
        late = self.clocks.late
        message["feed"] = [{**one, "late_s": late.get((one["call_id"], one["index"]))} for one in message["feed"]]
        if call_id is not None or agent is not None:
            own = [card for card in message["cards"] if card["id"] == call_id or (agent and card["agent"] == agent)]
            ids = {call_id, *(card["id"] for card in own)}
            message["cards"], message["feed"], message["recent"] = own, [], {}
            message["alerts"] = [alert for alert in message["alerts"] if alert["call_id"] in ids]
            if agent is not None and self._overheard is not None:
                found = self._overheard.suggestions()
                message["suggestions"] = [one for one in found if one["call"] in ids]
        return _text({**message, "problem": self._problem, "latency": self.clocks.figures})

    def judge(self, alert_id: str, verdict: AlertVerdict, reviewer: str, call_id: str | None = None) -> None:
        """Stores a verdict; every open page of every dashboard hears of it by the feed. Waits for the database.

        Raises InputError for an unknown alert, or one that is not of ``call_id`` where that is given, and BackendError.
        """
        if call_id is not None and all(alert.id != alert_id for alert in self._store.alerts(call_id=call_id)):
            raise InputError(f"call {call_id} has no alert {alert_id!r}")
        self._store.judge_alert(alert_id, verdict, reviewer, datetime.now(UTC))

    def mark(self, call_id: str, index: int, text: str, agent: str, *, used: bool) -> None:
        """Stores whether the agent used a suggestion and tells the pages they have open; waits for the database.

        Raises InputError for a call that is not the agent's, and BackendError.
        """
        if self._store.call(call_id).agent != agent:
            raise InputError(f"{call_id} is no call of {agent}")
        now = datetime.now(UTC)
        self._store.mark_suggestion(SuggestionMark(call_id, index, text, used, agent, now))
        told = usefulness(self._store.suggestion_marks(agent=agent, since=now - MARKS_SINCE))
        text = _text({"kind": "marked", "call": call_id, "index": index, "used": used, "usefulness": told})

        def deliver() -> None:
            for subscriber in list(self._subscribers):
                if subscriber.agent == agent:
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
                    self._on_loop(self._start_over)
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
        agents = [(_agent_in(event), event) for event in events]
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
                if subscriber.agent is not None:
                    told = [event for agent, event in agents if agent == subscriber.agent or "removed" in event]
                    if told:
                        ticked = [_with_ticks(event, subscriber.reminders) for event in told]
                        self._put(subscriber, _text({**message, "events": ticked}))
                        sent.update(event["card"]["id"] for event in told if event.get("card"))
                elif subscriber.call_id is None:
                    self._put(subscriber, everything)
                    sent.update(by_call)
                elif subscriber.call_id in by_call:
                    self._put(subscriber, _text({**message, "events": by_call[subscriber.call_id]}))
                    sent.add(subscriber.call_id)
            self.clocks.sent((key for call_id in sent for key in spoken[call_id]), datetime.now(UTC))

        self._on_loop(deliver)

    def _start_over(self) -> None:
        for subscriber in list(self._subscribers):
            self._put(subscriber, self.snapshot(subscriber.call_id, subscriber.agent))

    def _overhear(self, message: dict[str, Any]) -> None:
        """Passes on what the gateway says: suggestions to the agent, what is being said to everybody who looks."""
        rows = message["rows"] if message["kind"] == "partials" else []
        calls = {row[0] for row in rows} if rows else {message.get("call", "")}
        with self._lock:
            agents = {call_id: self._board.agent_of(call_id) for call_id in calls}
        everything = _text(message)
        for subscriber in list(self._subscribers):
            if message["kind"] == "suggestion":
                if subscriber.agent is not None and agents[message["call"]] == subscriber.agent:
                    self._put(subscriber, everything)
            elif subscriber.call_id is None and subscriber.agent is None:
                self._put(subscriber, everything)
            else:
                own = [
                    row
                    for row in rows
                    if row[0] == subscriber.call_id or (subscriber.agent and agents[row[0]] == subscriber.agent)
                ]
                if own:
                    self._put(subscriber, _text({**message, "rows": own}))

    def _tell_late(self, rows: Sequence[tuple[str, int, float]]) -> None:
        """Tells the pages which sentences came late, each page those that it shows."""
        with self._lock:
            agents = {call_id: self._board.agent_of(call_id) for call_id, _, _ in rows}

        def deliver() -> None:
            for subscriber in list(self._subscribers):
                own = [row for row in rows if _concerns(subscriber, row[0], agents[row[0]])]
                if own:
                    self._put(subscriber, _text({"kind": "late", "rows": own}))

        self._on_loop(deliver)

    def _report(self, problem: str | None) -> None:
        self._problem = problem
        self._send_all(_text({"kind": "problem", "problem": problem}))

    def _send_all(self, text: str) -> None:
        def deliver() -> None:
            for subscriber in list(self._subscribers):
                if subscriber.call_id is None and subscriber.agent is None:
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


def _concerns(subscriber: Subscriber, call_id: str, agent: str | None) -> bool:
    if subscriber.agent is not None:
        return subscriber.agent == agent
    return subscriber.call_id in (None, call_id)


def _agent_in(event: dict[str, Any]) -> str | None:
    found = event.get("card") or event.get("alert")
    return found["agent"] if found else None


def _with_ticks(event: dict[str, Any], reminders: tuple[Reminder, ...]) -> dict[str, Any]:
    """The event with the names of the reminders that its sentence ticks off."""
    entry = event.get("entry")
    return {**event, "ticked": said(reminders, entry["speaker"], entry["text"])} if entry else event


def _now_ms() -> int:
    return round(time.time() * 1000)


def _text(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
