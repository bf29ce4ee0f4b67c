"""The thread that follows the store's feed, holds the rules against every live call, and sends what they find.

It stands beside the live gateway, and since it reads the feed, calls of every protocol and replays from other
processes are watched alike. How far it has read is kept in the home, so that what was said while the gateway was down
is still looked at when it comes back.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.alerts import book
from pipeline.alerts.delivery import Channel, Delivery
from pipeline.alerts.evaluate import CallState, Event, Passed, Spoken, advance
from pipeline.alerts.mail import Mailbox
from pipeline.alerts.meaning import Meanings
from pipeline.alerts.rules import Means, MoodBelow, Rule, Silence
from pipeline.alerts.steady import SteadyTime
from pipeline.alerts.webhook import Webhook
from pipeline.calls import Alert, Call, Sentence
from pipeline.embedding import SentenceEncoder
from pipeline.errors import InputError, OvertoneError
from pipeline.settings import Settings
from pipeline.store import Store
from pipeline.store.queries import CallQuery, Change

TICK_S = 0.5
TOGETHER_S = 0.1  # between two looks at the feed: each has its price, however few changes it finds
CHANGES_PER_READ = 1000
MOST_MISSED = 20_000  # changes; further back, what was missed is no longer of use to anybody
LIVE_CALLS = 5000
_CURSOR_EVERY_S = 1.0
_LONGEST_WAIT_S = 8.0
_REMEMBERED = 10_000
_ENDS = ("finished", "stored", "deleted")
log = logging.getLogger(__name__)


def start(store: Store, settings: Settings) -> AlertWatch:
    """The watch over ``store``, running, with the ways out that the settings name. Close it before the store.

    Raises ConfigError for a webhook or mail server that cannot be one, BackendError where the store cannot be read.
    """
    channels: list[Channel] = []
    if settings.alert_webhook:
        channels.append(Webhook(settings.alert_webhook, settings.alert_webhook_secret))
    if settings.alert_smtp:
        channels.append(Mailbox(settings.alert_smtp, settings.alert_email_from, settings.alert_email_to))
    return AlertWatch(store, settings, Delivery(outbox_folder(settings), channels))


def outbox_folder(settings: Settings) -> Path:
    """Where alerts wait for their receivers."""
    return settings.home / "alerts"


class AlertWatch:
    """Holds the rules against all live calls in a thread of its own until it is closed."""

    def __init__(self, store: Store, settings: Settings, delivery: Delivery) -> None:
        """The delivery is closed with the watch. Raises BackendError where the store cannot be read."""
        self._store, self._settings, self._delivery = store, settings, delivery
        self._cursor = _Cursor(outbox_folder(settings) / "cursor.json")
        self._rules: tuple[Rule, ...] = ()
        self._meanings = Meanings(lambda: SentenceEncoder(settings.models))
        self._stamp: tuple[int, int] | bool | None = False  # False: not read yet
        self._states: dict[str, CallState] = {}
        self._passed_at = -TICK_S  # monotonic: when the calls were last told that time has passed
        self._calls: dict[str, Call] = {}
        self._time = SteadyTime()  # of the states: rules that wait do so by it
        self._number = self._resumed()
        self._sent: OrderedDict[str, None] = OrderedDict()  # ids that this process has put into the outbox
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and the sending; alerts that wait for their receivers stay on the disk."""
        self._closing.set()
        self._thread.join()
        self._meanings.close()
        self._delivery.close()

    def _run(self) -> None:
        wait_s = TICK_S
        seeded = False
        while not self._closing.is_set():
            try:
                self._read_rules()
                if not seeded:
                    self._seed()
                    seeded = True
                self._catch_up()
                self._pass_time()
                self._cursor.keep(self._number)
                wait_s = TICK_S
                looked_at = time.monotonic()
                self._store.watch(TICK_S, after=self._number)
                self._closing.wait(max(0.0, looked_at + TOGETHER_S - time.monotonic()))
            except OvertoneError as error:
                log.warning("alerts wait: %s", error)
                self._closing.wait(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            except Exception:
                # A watch that dies would leave every later call without alerts, so it says what happened and goes on.
                log.exception("the watch for alerts failed and starts again")
                seeded = False
                self._closing.wait(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        self._cursor.keep(self._number, now=True)

    def _read_rules(self) -> None:
        home = self._settings.home
        stamp = book.stamp(home)
        if stamp == self._stamp:
            return
        found = book.load(home)
        if found.defects:
            log.error("the shipped alert rules are in force: %s", found.defects)
        self._rules, self._stamp = tuple(rule for rule in found.rules if rule.enabled), stamp
        self._meanings.follow(self._rules)

    def _resumed(self) -> int:
        """The change to go on after: the last that was looked at, or the newest where that is unknown or long ago."""
        newest = self._store.last_change()
        kept = self._cursor.read()
        return newest if kept is None or not newest - MOST_MISSED <= kept <= newest else kept

    def _seed(self) -> None:
        """Take up the calls that are live: what was said before the place we had read to only makes their state."""
        rows = self._store.calls(CallQuery(status="live"), LIVE_CALLS).rows
        known = {row.call.id: self._store.sentences(row.call.id) for row in rows}
        # Read after the sentences: what is said meanwhile is among the missed, and so is looked at once, not never.
        missed = set()
        after = self._number
        now = self._time.now()
        while changes := self._store.changes(after, CHANGES_PER_READ):
            now = min(now, self._time.of(changes[0].stored_at))
            missed |= {(c.call.id, c.sentence.index) for c in changes if c.sentence is not None}
            after = changes[-1].number
        self._states.clear()
        self._calls.clear()
        for row in rows:
            began = self._time.of(row.call.started_at)
            state = CallState(row.call.id, min(began, now))
            for sentence in known[row.call.id]:
                if (row.call.id, sentence.index) not in missed:
                    # When it was stored is not kept with a sentence; when it was spoken is close enough, and before
                    # all that is still to come.
                    at = min(began + timedelta(seconds=sentence.end_s), now)
                    state, _ = advance(state, Spoken(sentence, at), self._rules)
            self._states[row.call.id], self._calls[row.call.id] = state, row.call
        self._rest(now)

    def _rest(self, now: datetime) -> None:
        """Let rules on meaning rest that fired a while ago: what made them fire is not embedded anew."""
        cooldowns = {rule.name: rule.cooldown_s for rule in self._rules if isinstance(rule.when, Means)}
        if not cooldowns:
            return
        since = self._time.wall(now - timedelta(seconds=max(cooldowns.values())))
        for alert in reversed(self._store.alerts(since=since, limit=_REMEMBERED)):
            state = self._states.get(alert.call_id)
            if state is not None and alert.rule in cooldowns:
                fired = {**state.fired, alert.rule: (self._time.of(alert.at), alert.index)}
                self._states[alert.call_id] = replace(state, fired=fired)

    def _catch_up(self) -> None:
        while changes := self._store.changes(self._number, CHANGES_PER_READ):
            for place, change in enumerate(changes):
                self._take(change, changes[place:])
                self._number = change.number
            if len(changes) < CHANGES_PER_READ or self._closing.is_set():
                return

    def _take(self, change: Change, read: Sequence[Change]) -> None:
        """``read`` are this change and what was read with it."""
        call = change.call
        if change.kind == "began":
            self._states.setdefault(call.id, CallState(call.id, self._time.of(change.stored_at)))
            self._calls[call.id] = call
        elif change.kind in _ENDS:
            self._states.pop(call.id, None)
            self._calls.pop(call.id, None)
        elif change.sentence is not None and self._was_live(call, read):
            self._calls[call.id] = call
            at = self._time.of(change.stored_at)
            if call.id not in self._states:
                self._states[call.id] = CallState(call.id, at)
            near = self._meanings.near(change.sentence)
            self._step(call.id, Spoken(change.sentence, at, near))

    def _was_live(self, call: Call, read: Sequence[Change]) -> bool:
        """Whether a sentence of ``call`` was spoken live: the call still is, or it ended as a live one does just after.

        Sentences of a recording, and those that a second pass put in place of the live ones, come before a "stored".
        The end may have been committed after the changes were read and before their call was.
        """
        if call.status == "live":
            return True
        while read:
            ends = [change.kind for change in read if change.call.id == call.id and change.kind in _ENDS]
            if ends:
                return ends[0] == "finished"
            read = self._store.changes(read[-1].number, CHANGES_PER_READ)
        return False

    def _pass_time(self) -> None:
        timed = tuple(rule for rule in self._rules if isinstance(rule.when, MoodBelow | Silence))
        if not timed:
            return
        if time.monotonic() - self._passed_at < TICK_S / 2:
            return  # many calls' sentences come every few milliseconds, and time does not pass the faster for it
        self._passed_at = time.monotonic()
        now = self._time.now()
        for call_id in list(self._states):
            self._step(call_id, Passed(now), timed)

    def _step(self, call_id: str, event: Event, rules: tuple[Rule, ...] | None = None) -> None:
        state, alerts = advance(self._states[call_id], event, self._rules if rules is None else rules)
        for alert in alerts:
            self._raise(replace(alert, at=self._time.wall(alert.at)), state.last)
        # Only now: where storing failed, the same event comes again and finds the state as it was.
        self._states[call_id] = state

    def _raise(self, alert: Alert, last: Sentence | None) -> None:
        """Send and store an alert, once, however often the same one is found."""
        if alert.id not in self._sent:
            if any(known.id == alert.id for known in self._store.alerts(call_id=alert.call_id, limit=1000)):
                return  # from before a restart
            self._delivery.put(alert.id, message(alert, self._calls[alert.call_id], last, self._settings))
            self._sent[alert.id] = None
            while len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)
        try:
            self._store.add_alert(alert)
        except InputError as error:
            # Its call was deleted, or another gateway was first.
            log.info("alert %s is not stored: %s", alert.id, error)


def message(alert: Alert, call: Call, last: Sentence | None, settings: Settings) -> dict[str, Any]:
    """What receivers get of an alert: itself, its call, and the sentence that set it off where one did."""
    sentence = None
    if last is not None and alert.index == last.index:
        sentence = {
            "index": last.index,
            "speaker": last.speaker,
            "text": last.text,
            "start_s": round(last.start_s, 3),
            "end_s": round(last.end_s, 3),
            "sentiment": last.sentiment and last.sentiment.label,
        }
    return {
        "type": "alert",
        "id": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "message": alert.message,
        "at": alert.at.isoformat(),
        "call": {
            "id": call.id,
            "agent": call.agent,
            "customer": call.customer,
            "queue": call.attributes.get("queue"),
            "team": call.attributes.get("team"),
            "started_at": call.started_at.isoformat(),
        },
        "sentence": sentence,
        "link": f"{settings.dashboard_address}/call?call={call.id}",
    }


@dataclass
class _Cursor:
    """The number of the last change that was looked at, kept in a file."""

    path: Path
    _kept: int | None = None
    _kept_at: float = 0.0

    def read(self) -> int | None:
        """The number; None where none was kept or the file is damaged."""
        try:
            content: Mapping[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            return int(content["number"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, number: int, *, now: bool = False) -> None:
        """Write the number down, at most once a second unless ``now``."""
        if number == self._kept or (not now and time.monotonic() - self._kept_at < _CURSOR_EVERY_S):
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps({"number": number}), encoding="utf-8")
        part.replace(self.path)
        self._kept, self._kept_at = number, time.monotonic()
