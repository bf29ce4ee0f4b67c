"""Values to rows and back, and the check that a value can be stored at all (pure but for the row type)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from sqlalchemy import Row

from pipeline.calls import SENTIMENT_LABELS, Call, Intent, Label, Sentence, Sentiment, Slot, Word
from pipeline.errors import InputError
from pipeline.store import tally
from pipeline.store.queries import CallSummary


def call_row(call: Call) -> dict[str, Any]:
    """The columns of table calls that describe ``call`` itself.

    Raises InputError for what a database cannot hold: NUL characters, broken Unicode, naive times, infinite numbers.
    """
    what = f"call {call.id!r}"
    if not call.id:
        raise InputError("a call without an id cannot be stored: give it one")
    started_at = aware(call.started_at, f"the start of {what}")
    return {
        "id": storable(call.id, f"the id of {what}"),
        "source": storable(call.source, f"the source of {what}"),
        "started_at": started_at,
        "day": started_at.date(),
        "duration_s": finite(call.duration_s, f"the duration of {what}"),
        "agent": None if call.agent is None else storable(call.agent, f"the agent of {what}"),
        "customer": None if call.customer is None else storable(call.customer, f"the customer of {what}"),
        "speakers": list(call.speakers),
        "status": call.status,
        "attributes": attributes(call.attributes, what),
    }


def call_of(row: Row[Any]) -> Call:
    """The call in a row with the columns of table calls."""
    return Call(
        id=row.id,
        source=row.source,
        started_at=row.started_at,
        duration_s=row.duration_s,
        speakers=tuple(row.speakers),
        agent=row.agent,
        customer=row.customer,
        status=row.status,
        attributes=row.attributes,
    )


def tally_row(counted: tally.Tally) -> dict[str, Any]:
    """The columns of table calls that sum up its sentences."""
    return {
        "sentences": counted.sentences,
        "negative": counted.negative,
        "neutral": counted.neutral,
        "positive": counted.positive,
        "mood": counted.curve.mean,
        "curves": tally.packed(counted),
    }


def tally_of(row: Row[Any]) -> tally.Tally:
    """What a row of table calls sums up."""
    return tally.unpacked(row.sentences, row.negative, row.neutral, row.positive, row.curves)


def summary_of(row: Row[Any]) -> CallSummary:
    """The list entry in a row of table calls."""
    return CallSummary(
        call=call_of(row),
        sentences=row.sentences,
        labels={"negative": row.negative, "neutral": row.neutral, "positive": row.positive},
        mood=row.mood,
        trend=tally_of(row).curve.means,
        stored_at=row.stored_at,
    )


def sentence_rows(sentences: Iterable[Sentence], *, at: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of table sentences, numbered from 0 and of revision 0, and the rows of table predictions on them.

    Raises InputError for what a database cannot hold and for a sentiment without its three probabilities.
    """
    rows: list[dict[str, Any]] = []
    predictions: list[dict[str, Any]] = []
    for number, sentence in enumerate(sentences):
        what = f"sentence {sentence.index} of call {sentence.call_id!r}"
        if sentence.index < 0 or sentence.channel < 1:
            raise InputError(f"{what} has channel {sentence.channel}: indices count from 0 and channels from 1")
        rows.append(
            {
                "number": number,
                "call_id": sentence.call_id,
                "revision": 0,
                "idx": sentence.index,
                "channel": sentence.channel,
                "speaker": sentence.speaker,
                "text": storable(sentence.text, f"the text of {what}"),
                "start_s": finite(sentence.start_s, f"the start of {what}"),
                "end_s": finite(sentence.end_s, f"the end of {what}"),
                "recogniser": storable(sentence.recogniser, f"the recogniser of {what}"),
                "created_at": at,
                "words": [_word(word, what) for word in sentence.words],
            }
        )
        if sentence.sentiment is not None:
            predictions.append(sentiment_row(number, sentence.sentiment, what=what, at=at))
        if sentence.intent is not None:
            predictions.append(intent_row(number, sentence.intent, what=what, at=at))
    return rows, predictions


def sentiment_row(number: int, sentiment: Sentiment, *, what: str, at: datetime) -> dict[str, Any]:
    """The row of table predictions for the sentiment of the sentence with that number; ``what`` names it in errors."""
    if set(sentiment.scores) != set(SENTIMENT_LABELS):
        raise InputError(f"the sentiment of {what} needs a probability for each of {', '.join(SENTIMENT_LABELS)}")
    return {
        "sentence": number,
        "kind": "sentiment",
        "model": storable(sentiment.model, f"the sentiment model of {what}"),
        "current": True,
        "label": sentiment.label,
        "scores": {name: finite(p, f"the sentiment of {what}") for name, p in sentiment.scores.items()},
        "slots": None,
        "created_at": at,
        "margin": _margin(sentiment),
    }


def intent_row(number: int, intent: Intent, *, what: str, at: datetime) -> dict[str, Any]:
    """The row of table predictions for the intent of the sentence with that number; ``what`` names it in errors."""
    name = storable(intent.name, f"the intent of {what}")
    return {
        "sentence": number,
        "kind": "intent",
        "model": storable(intent.model, f"the intent model of {what}"),
        "current": True,
        "label": name,
        "scores": {name: finite(intent.score, f"the intent of {what}")},
        "slots": slot_lists(intent.slots, what),
        "created_at": at,
        "margin": None,
    }


def sentence_of(row: Row[Any]) -> Sentence:
    """The sentence in a row of reading.SENTENCES."""
    return Sentence(
        call_id=row.call_id,
        index=row.idx,
        channel=row.channel,
        speaker=row.speaker,
        text=row.text,
        start_s=row.start_s,
        end_s=row.end_s,
        words=tuple(Word(*word) for word in row.words),
        sentiment=None
        if row.sentiment_label is None
        else Sentiment(label=row.sentiment_label, scores=row.sentiment_scores, model=row.sentiment_model),
        intent=None
        if row.intent_label is None
        else Intent(
            name=row.intent_label,
            score=row.intent_scores[row.intent_label],
            slots=slots_of(row.intent_slots),
            model=row.intent_model,
        ),
        recogniser=row.recogniser,
    )


def label_row(label: Label) -> dict[str, Any]:
    """The columns of table labels that describe ``label`` itself; InputError for what cannot be stored."""
    what = f"the label on sentence {label.index} of call {label.call_id!r}"
    if label.field == "sentiment" and label.value not in SENTIMENT_LABELS:
        raise InputError(f"{what} says {label.value!r}: give one of {', '.join(SENTIMENT_LABELS)}")
    return {
        "call_id": label.call_id,
        "idx": label.index,
        "field": label.field,
        "value": storable(label.value, what),
        "reviewer": storable(label.reviewer, f"the reviewer of {what}"),
        "at": aware(label.at, f"the time of {what}"),
    }


def label_of(row: Row[Any]) -> Label:
    """The label in a row with the columns of table labels."""
    return Label(call_id=row.call_id, index=row.idx, field=row.field, value=row.value, reviewer=row.reviewer, at=row.at)


def slot_lists(slots: Iterable[Slot], what: str) -> list[list[object]]:
    """``slots`` as plain lists for a JSON column; ``what`` names in errors where they were found."""
    where = f"a slot of {what}"
    return [
        [
            *(storable(part, where) for part in (slot.name, slot.value, slot.text)),
            slot.start,
            slot.end,
            finite(slot.score, where),
        ]
        for slot in slots
    ]


def slots_of(lists: Iterable[Sequence[Any]]) -> tuple[Slot, ...]:
    """The slots that `slot_lists` made ``lists`` of."""
    return tuple(Slot(*parts) for parts in lists)


def attributes(given: Mapping[str, str], what: str) -> dict[str, str]:
    """``given`` for a JSON column; ``what`` names in errors whose attributes they are."""
    return {
        storable(key, f"an attribute of {what}"): storable(value, f"attribute {key!r} of {what}")
        for key, value in given.items()
    }


def one_of(value: str, known: Sequence[str], what: str) -> str:
    """``value``, or InputError naming ``what`` where it is none of the ``known`` words."""
    if value not in known:
        raise InputError(f"{what} is {value!r}: give one of {', '.join(known)}")
    return value


def aware(value: datetime, what: str) -> datetime:
    """``value`` in UTC, or InputError naming ``what`` for a time without a zone."""
    if value.tzinfo is None:
        raise InputError(f"{what} has no time zone: give an aware time")
    return value.astimezone(UTC)


def storable(value: str, what: str) -> str:
    """``value``, or InputError naming ``what`` for text that no database holds: with a NUL or half a surrogate pair."""
    if "\x00" in value:
        raise InputError(f"{what} holds a NUL character, which databases cannot store: take it out")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{what} holds bytes that are not text ({value!a}): replace them") from None
    return value


def finite(value: float, what: str) -> float:
    """``value``, or InputError naming ``what`` for an infinity or NaN, which the databases treat differently."""
    if not isfinite(value):
        raise InputError(f"{what} is {value}: give a finite number")
    return value


def _margin(sentiment: Sentiment) -> float:
    first, second, _ = sorted(sentiment.scores.values(), reverse=True)
    return first - second


def _word(word: Word, what: str) -> Sequence[object]:
    where = f"a word of {what}"
    confidence = None if word.confidence is None else finite(word.confidence, where)
    return [storable(word.text, where), finite(word.start_s, where), finite(word.end_s, where), confidence]
