"""Rules on one call as a pure function: state and event in, state and alerts out. Replaying events gives the same.

Times are those of the events and never this machine's clock. An alert's id is made of the call, the rule and the
sentence it came with, so an event that is seen twice makes no second alert of another id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.alerts.phrases import SUPERVISOR, found
from pipeline.alerts.rules import (
    AsksForSupervisor,
    Means,
    MoodBelow,
    NegativeInARow,
    Rule,
    Says,
    Silence,
    TalkOver,
    Who,
)
from pipeline.alerts.shape import CONDITIONS
from pipeline.calls import Alert, Sentence, Word
from pipeline.metrics import running_mood

# A call from which nothing came for so long has lost its writer: it is no longer silent.
LOST_AFTER_S = 300.0
_LONGEST_WINDOW_S = CONDITIONS["talk_over_s"]["within_s"].high
_BREATH_S = 0.3  # a shorter gap between two words is still speech

Span = tuple[int, float, float]  # channel, start and end in seconds of the call


@dataclass(frozen=True)
class Spoken:
    """A sentence was stored at ``at`` (aware); ``near`` is how near it is to sentences of the rules (see meaning)."""

    sentence: Sentence
    at: datetime
    near: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Passed:
    """It is ``at`` (aware) now, and nothing new was said."""

    at: datetime


Event = Spoken | Passed


@dataclass(frozen=True)
class CallState:
    """What the rules must remember of one call."""

    call_id: str
    heard_at: datetime  # when the last sentence was stored, at first when the call began
    last: Sentence | None = None
    mood: float | None = None  # running, -1..1
    negatives: int = 0  # negative customer sentences since the last one that was not
    spans: tuple[Span, ...] = ()  # when who spoke, as far back as any rule looks
    low_since: Mapping[str, datetime] = field(default_factory=dict)  # rule: since when the mood lies below its limit
    fired: Mapping[str, tuple[datetime, int | None]] = field(default_factory=dict)  # rule: when last, on which sentence


def advance(state: CallState, event: Event, rules: Iterable[Rule]) -> tuple[CallState, tuple[Alert, ...]]:
    """The state after ``event`` and the alerts that it sets off, in the order of ``rules``.

    A sentence whose index is not above the last one's is known already and changes nothing.
    """
    fresh: Sentence | None = None
    near: Mapping[str, float] = {}
    if isinstance(event, Spoken):
        if state.last is not None and event.sentence.index <= state.last.index:
            return state, ()
        fresh, near = event.sentence, event.near
        state = _heard(state, fresh, event.at)
    alerts: list[Alert] = []
    for rule in rules:
        if not rule.enabled:
            continue
        state = _followed(state, rule, event.at)
        words = _holds(state, rule, fresh, near, event.at)
        if words is None or _rests(state, rule, event.at):
            continue
        index = None if state.last is None else state.last.index
        alerts.append(
            Alert(
                id=alert_id(state.call_id, rule.name, index),
                call_id=state.call_id,
                index=None if isinstance(rule.when, Silence | TalkOver) else index,
                rule=rule.name,
                severity=rule.severity,
                message=rule.message or words,
                at=event.at,
            )
        )
        state = replace(state, fired={**state.fired, rule.name: (event.at, index)})
    return state, tuple(alerts)


def alert_id(call_id: str, rule: str, index: int | None) -> str:
    """The id of the alert of that rule on that call after the sentence ``index`` (None: before the first)."""
    return hashlib.sha256(f"{call_id}\n{rule}\n{index}".encode()).hexdigest()[:16]


def overlap_s(spans: Sequence[Span], from_s: float) -> float:
    """Seconds after ``from_s`` in which two channels speak at once."""
    clipped = [(channel, max(start, from_s), end) for channel, start, end in spans if end > from_s]
    return sum(
        max(0.0, min(a_end, b_end) - max(a_start, b_start))
        for place, (a, a_start, a_end) in enumerate(clipped)
        for b, b_start, b_end in clipped[place + 1 :]
        if a != b
    )


def _heard(state: CallState, sentence: Sentence, at: datetime) -> CallState:
    negatives = state.negatives
    if sentence.speaker != "agent" and sentence.sentiment is not None:
        negatives = negatives + 1 if sentence.sentiment.label == "negative" else 0
    spans = (*state.spans, *_spans(sentence))
    newest = max(end for _, _, end in spans)
    return replace(
        state,
        heard_at=max(at, state.heard_at),
        last=sentence,
        mood=running_mood(state.mood, sentence),
        negatives=negatives,
        spans=tuple(span for span in spans if span[2] > newest - _LONGEST_WINDOW_S),
    )


def _spans(sentence: Sentence) -> list[Span]:
    """When the sentence was really spoken: its words, joined over breaths; the whole of it where it has no words."""
    words = sentence.words or (Word(sentence.text, sentence.start_s, sentence.end_s),)
    spans: list[Span] = []
    for word in words:
        if spans and word.start_s - spans[-1][2] <= _BREATH_S:
            spans[-1] = (sentence.channel, spans[-1][1], max(spans[-1][2], word.end_s))
        else:
            spans.append((sentence.channel, word.start_s, word.end_s))
    return spans


def _followed(state: CallState, rule: Rule, at: datetime) -> CallState:
    """The state with the time since which the mood lies below the rule's limit."""
    if not isinstance(rule.when, MoodBelow):
        return state
    is_low = state.mood is not None and state.mood < rule.when.limit
    if is_low == (rule.name in state.low_since):
        return state
    rest = {name: since for name, since in state.low_since.items() if name != rule.name}
    return replace(state, low_since={**rest, rule.name: at} if is_low else rest)


def _holds(state: CallState, rule: Rule, fresh: Sentence | None, near: Mapping[str, float], at: datetime) -> str | None:
    """What happened in words where the rule's condition is met, else None."""
    match rule.when:
        case MoodBelow(_, for_s):
            since = state.low_since.get(rule.name)
            if since is None or (at - since).total_seconds() < for_s or state.mood is None or _lost(state, at):
                return None
            how_long = f" for {for_s:g} s" if for_s else ""
            return f"The customer has been unhappy{how_long} (mood {state.mood:+.2f}).".replace("-", "−")
        case NegativeInARow(count):
            if state.negatives < count or fresh is None or fresh.speaker == "agent":
                return None
            return f"{state.negatives} negative sentences of the customer in a row."
        case Says(who, _, patterns):
            if fresh is None or not _speaks(who, fresh):
                return None
            words = found(patterns, fresh.text)
            return words and f"{_speaker(fresh)} said “{words}”."
        case Means(who, sentences, closeness):
            if fresh is None or not _speaks(who, fresh):
                return None
            nearest = max((text for text in sentences if text in near), key=lambda text: near[text], default=None)
            if nearest is None or near[nearest] < closeness:
                return None
            return f"{_speaker(fresh)} says something like “{nearest.rstrip('.')}” (closeness {near[nearest]:.2f})."
        case AsksForSupervisor():
            if fresh is None or fresh.speaker == "agent":
                return None
            words = found(SUPERVISOR, fresh.text)
            return words and f"The customer asks for a supervisor: “{words}”."
        case Silence(seconds):
            silent_s = (at - state.heard_at).total_seconds()
            return f"Nobody has spoken for {seconds:g} s." if seconds <= silent_s < LOST_AFTER_S else None
        case TalkOver(seconds, within_s):
            if fresh is None:
                return None
            newest = max(end for _, _, end in state.spans)
            both_s = overlap_s(state.spans, newest - within_s)
            return f"Both sides spoke at once for {both_s:.1f} s within {within_s:g} s." if both_s >= seconds else None


def _rests(state: CallState, rule: Rule, at: datetime) -> bool:
    """Whether the rule fired on this very sentence, or too short a while ago."""
    if rule.name not in state.fired:
        return False
    when, index = state.fired[rule.name]
    now = None if state.last is None else state.last.index
    # A clock that was set back must not keep a rule quiet until it has caught up.
    return index == now or 0 <= (at - when).total_seconds() < rule.cooldown_s


def _lost(state: CallState, at: datetime) -> bool:
    return (at - state.heard_at).total_seconds() >= LOST_AFTER_S


def _speaks(who: Who, sentence: Sentence) -> bool:
    """Whether a rule on ``who`` looks at the sentence."""
    # As with the mood: whoever is not known to be the agent may be the customer.
    return who in ("anyone", "agent" if sentence.speaker == "agent" else "customer")


def _speaker(sentence: Sentence) -> str:
    return {"agent": "The agent", "customer": "The customer"}.get(sentence.speaker, "Somebody")
