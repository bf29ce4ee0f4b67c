"""The state of the calls that are going on now: changes of the store in, messages for the pages out. Pure.

A page gets one ``snapshot`` and then ``events``; each event carries the whole small card of its call, so a page only
replaces what it shows. Messages are JSON objects::

    {"kind": "snapshot", "number": 41, "now_ms": .., "cards": [card ..], "feed": [entry ..], "recent": {id: [ms ..]},
     "alerts": [alert ..]}
    {"kind": "events", "number": 43, "now_ms": .., "events": [{"number": 42, "card": card, "entry": entry | None},
                                                             {"number": 43, "removed": id},
                                                             {"number": 44, "card": card | None, "alert": alert,
                                                              "judged": True where this is a verdict on it},
                                                             {"number": 45, "card": card | None, "note": note} ..]}

card   call object (see ``wire``) + mood (-1..1 or None), trend (last polarities), sentences, negative, seen_ms,
       spoken_s (end of the last sentence), ended_ms (None while it is live), last (the last entry), alerts (how many
       nobody called wrong), alarm (the worst severity of those, None without any), flagged
entry  sentence object + call_id, agent, customer, queue, team, stored_ms
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboard.wire import alert_object, call_object, milliseconds, note_object, sentence_object
from pipeline.alerts.rules import SEVERITIES
from pipeline.calls import Alert, Call, Sentence
from pipeline.metrics import running_mood
from pipeline.store.queries import Change

TREND_POINTS = 30
FEED_ENTRIES = 40
RECENT_MS = 60_000
ALERTS = 50
ENDED_STAYS_MS = 30_000
# A process that was killed leaves its call live for ever; the wall shows it as lost for a while and then lets it go.
FORGOTTEN_MS = 12 * 3_600_000


@dataclass(frozen=True)
class Card:
    """What the wall shows of one call."""

    call: Call
    began_ms: int
    seen_ms: int
    mood: float | None = None
    trend: tuple[float, ...] = ()
    sentences: int = 0
    negative: int = 0
    spoken_s: float = 0.0
    ended_ms: int | None = None
    last: dict[str, Any] | None = None
    alerts: tuple[Alert, ...] = ()
    flagged: bool = False

    def message(self) -> dict[str, Any]:
        """The card as a JSON object."""
        standing = [alert for alert in self.alerts if alert.verdict != "wrong"]
        return {
            **call_object(self.call),
            "began_ms": self.began_ms,
            "seen_ms": self.seen_ms,
            "mood": None if self.mood is None else round(self.mood, 4),
            "trend": [round(point, 3) for point in self.trend],
            "sentences": self.sentences,
            "negative": self.negative,
            "spoken_s": round(self.spoken_s, 3),
            "ended_ms": self.ended_ms,
            "last": self.last,
            "alerts": len(standing),
            "alarm": max((alert.severity for alert in standing), key=SEVERITIES.index, default=None),
            "flagged": self.flagged,
        }


def heard(card: Card, sentence: Sentence, stored_ms: int) -> Card:
    """The card after one more sentence.

    The mood is the running one that the alerts' rules look at too, so that both say the same.
    """
    sentiment = sentence.sentiment
    trend = card.trend
    if sentiment is not None and sentence.speaker != "agent":
        trend = (*trend[-TREND_POINTS + 1 :], sentiment.polarity)
    return replace(
        card,
        mood=running_mood(card.mood, sentence),
        trend=trend,
        sentences=card.sentences + 1,
        negative=card.negative + (sentiment is not None and sentiment.label == "negative"),
        spoken_s=max(card.spoken_s, sentence.end_s),
        seen_ms=max(card.seen_ms, stored_ms),
        last=_entry(card.call, sentence, stored_ms),
    )


class Board:
    """The calls that are going on now. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self.number = 0
        self._cards: dict[str, Card] = {}
        self._feed: deque[dict[str, Any]] = deque(maxlen=FEED_ENTRIES)
        self._recent: deque[tuple[int, str]] = deque()
        self._seeded: set[tuple[str, int]] = set()
        self._alerts: deque[dict[str, Any]] = deque(maxlen=ALERTS)

    def seed(
        self,
        number: int,
        calls: Iterable[tuple[Call, Sequence[Sentence]]],
        now_ms: int,
        alerts: Iterable[tuple[Alert, Call]] = (),
        flagged: Container[str] = (),
    ) -> None:
        """Starts from the live calls of the store and what was said in them, read after change ``number``.

        ``alerts`` are the latest, oldest first, with their calls; ``flagged`` holds the ids of flagged calls.
        """
        self.number = number
        self._cards.clear()
        self._feed.clear()
        self._recent.clear()
        self._seeded.clear()
        self._alerts.clear()
        by_call: dict[str, list[Alert]] = {}
        for alert, alarmed in alerts:
            self._alerts.append(alert_object(alert, alarmed))
            by_call.setdefault(alarmed.id, []).append(alert)
        entries = []
        for call, sentences in calls:
            began_ms = milliseconds(call.started_at)
            own = tuple(by_call.get(call.id, ()))
            seen_ms = min(began_ms, now_ms)
            card = Card(call, began_ms=began_ms, seen_ms=seen_ms, alerts=own, flagged=call.id in flagged)
            for sentence in sentences:
                # When it was stored is not kept with a sentence; when it was spoken is close enough for a restart.
                card = heard(card, sentence, min(began_ms + round(sentence.end_s * 1000), now_ms))
                entries.append(_entry(call, sentence, card.seen_ms))
                self._seeded.add((call.id, sentence.index))
            self._cards[call.id] = card
        entries.sort(key=lambda entry: int(entry["stored_ms"]))
        self._feed.extend(entries[-FEED_ENTRIES:])
        self._recent.extend((e["stored_ms"], e["call_id"]) for e in entries if e["stored_ms"] > now_ms - RECENT_MS)

    def apply(self, change: Change) -> dict[str, Any] | None:
        """The event that ``change`` is for the pages; None where it concerns no live call or is known already."""
        if change.number <= self.number:
            return None
        self.number = change.number
        if change.kind == "deleted":
            return {"number": change.number, "removed": change.call.id} if self._remove(change.call.id) else None
        call, stored_ms = change.call, milliseconds(change.stored_at)
        card = self._cards.get(call.id)
        if change.kind == "label":
            return None
        if change.alert is not None or change.note is not None:
            return self._remark(change, card)
        if card is None:
            if call.status != "live":
                return None
            card = Card(call, began_ms=stored_ms, seen_ms=stored_ms)
        card = replace(card, call=call)
        entry = None
        if change.sentence is not None and (call.id, change.sentence.index) not in self._seeded:
            card = heard(card, change.sentence, stored_ms)
            entry = card.last
            self._feed.append(_entry(call, change.sentence, stored_ms))
            self._recent.append((stored_ms, call.id))
        if call.status != "live" and card.ended_ms is None:
            card = replace(card, ended_ms=stored_ms)
        self._cards[call.id] = card
        return {"number": change.number, "card": card.message(), "entry": entry}

    def _remove(self, call_id: str) -> bool:
        """Whether anything was known of the call; nothing of what was said in it is told to anybody after this."""
        known = self._cards.pop(call_id, None) is not None
        for kept in (self._feed, self._alerts):
            others = [row for row in kept if row["call_id"] != call_id]
            known |= len(others) < len(kept)
            kept.clear()
            kept.extend(others)
        recent = [row for row in self._recent if row[1] != call_id]
        self._recent.clear()
        self._recent.extend(recent)
        return known

    def agent_of(self, call_id: str) -> str | None:
        """Who takes the call; None where that is not known, or the call is not on the board."""
        card = self._cards.get(call_id)
        return card.call.agent if card is not None else None

    def _remark(self, change: Change, card: Card | None) -> dict[str, Any]:
        """The event of an alert, a verdict or a note, which may come after its call has left the wall."""
        event: dict[str, Any] = {"number": change.number, "call_id": change.call.id, "card": None, "entry": None}
        if change.alert is not None:
            event |= {"alert": alert_object(change.alert, change.call), "judged": change.kind == "verdict"}
            known = next((alert for alert in self._alerts if alert["id"] == change.alert.id), None)
            if known is not None:
                known.update(event["alert"])  # a verdict may have come since
            elif change.kind == "alert":
                self._alerts.append(dict(event["alert"]))
        if change.note is not None:
            event["note"] = note_object(change.note)
        if card is None:
            return event
        if change.alert is not None:
            card = replace(card, alerts=_with(card.alerts, change.alert, fresh=change.kind == "alert"))
        if change.note is not None:
            card = replace(card, flagged=card.flagged or change.note.flagged)
        self._cards[change.call.id] = card
        return {**event, "card": card.message()}

    def snapshot(self, now_ms: int) -> dict[str, Any]:
        """The message that a page starts from; forgets what is over."""
        self._forget(now_ms)
        recent: dict[str, list[int]] = {}
        for stored_ms, call_id in self._recent:
            recent.setdefault(call_id, []).append(stored_ms)
        return {
            "kind": "snapshot",
            "number": self.number,
            "now_ms": now_ms,
            "cards": [card.message() for card in self._cards.values()],
            "feed": list(self._feed),
            "recent": recent,
            "alerts": list(self._alerts),
        }

    def _forget(self, now_ms: int) -> None:
        while self._recent and self._recent[0][0] <= now_ms - RECENT_MS:
            self._recent.popleft()
        for call_id, card in list(self._cards.items()):
            ended = card.ended_ms is not None and card.ended_ms < now_ms - ENDED_STAYS_MS
            if ended or card.seen_ms < now_ms - FORGOTTEN_MS:
                del self._cards[call_id]


def _with(alerts: tuple[Alert, ...], given: Alert, *, fresh: bool) -> tuple[Alert, ...]:
    """The alerts with ``given`` as it is now; one that is not among them is added where it is ``fresh``."""
    if any(alert.id == given.id for alert in alerts):
        return tuple(given if alert.id == given.id else alert for alert in alerts)
    return (*alerts, given) if fresh else alerts


def _entry(call: Call, sentence: Sentence, stored_ms: int) -> dict[str, Any]:
    return {
        **sentence_object(sentence),
        "call_id": call.id,
        "agent": call.agent,
        "customer": call.customer,
        "queue": call.attributes.get("queue"),
        "team": call.attributes.get("team"),
        "stored_ms": stored_ms,
    }
