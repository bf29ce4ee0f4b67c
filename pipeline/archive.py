"""The archive of conversations, a day at a time: a CSV of all turns, and training rows from those that people reviewed.

Days are UTC. The columns stay stable: columns are added, never renamed or removed. The training folder has NeMo's joint
intent-slot format, as data/training/nara does, whose numbers of intents and tags it keeps.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pipeline import claims
from pipeline.calls import Conversation, Intent, Performed, Slot, Turn, TurnLabel
from pipeline.errors import InputError
from pipeline.settings import DATA
from pipeline.store import Store
from pipeline.store.queries import ConversationQuery

TURNS, TRAINING = "turns.csv", "nara"  # what a day's folder holds
LABELS = DATA / "training" / "nara"  # whose numbers the training rows keep
OUTSIDE = "O"
STAGES = (
    "wait_ms", "recognise_ms", "understand_ms", "dialog_ms", "fulfil_ms", "speak_ms", "compute_ms", "total_ms",
)  # fmt: skip
COLUMNS = (
    "conversation", "channel", "person", "started_at", "ended_at", "attributes", "number", "at", "event", "user_text",
    "recogniser", "intent", "intent_score", "intent_model", "slots", "path", "state", "actions", "action_requests",
    "action_statuses", "action_answers", "action_sources", "action_as_of", "replies", *STAGES, "error",
    "reviewed_intent", "reviewed_slots", "reviewer", "reviewed_at",
)  # fmt: skip
_BETWEEN = " | "  # of several texts in one cell
# A spreadsheet runs a cell that begins with one of these as a formula, and a person may say anything.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_PAGE = 200


@dataclass(frozen=True)
class Exported:
    """What a day's export wrote: ``reviewed`` turns became training rows, ``waiting`` ones are to be reviewed."""

    folder: Path
    turns: int
    reviewed: int
    waiting: int


def export(store: Store, day: date, folder: Path, labels: Path = LABELS) -> Exported:
    """What was written to ``folder``/YYYY-MM-DD for the turns of a UTC day; the same turns give the same bytes.

    ``turns.csv`` holds every turn. ``nara/`` holds the reviewed ones as dict.intents.csv, dict.slots.csv, train.tsv and
    train_slots.tsv, where there is any; labels that ``labels`` does not list are appended to its own. The day's folder
    appears whole or not at all, and replaces one of an earlier export. Raises InputError where it cannot be written or
    a review does not fit its turn, BackendError.
    """
    since = datetime.combine(day, time(), UTC)
    until = since + timedelta(days=1)
    turns = store.turns_between(since, until)
    reviews = {(label.conversation_id, label.number): label for label in store.turn_labels_between(since, until)}
    conversations = {id: store.conversation(id) for id in dict.fromkeys(turn.conversation_id for turn in turns)}
    reviewed = [(turn, reviews[_key(turn)]) for turn in turns if _key(turn) in reviews]
    files = {TURNS: turns_csv(turns, conversations, reviews)}
    rows = [row for row in (_tagged(turn, label) for turn, label in reviewed) if row.words]
    if rows:
        files |= {f"{TRAINING}/{name}": text for name, text in _training(rows, labels).items()}
    _write(folder / day.isoformat(), files)
    waiting = sum(turn.intent is not None and _key(turn) not in reviews for turn in turns)
    return Exported(folder / day.isoformat(), len(turns), len(rows), waiting)


def delete_before(store: Store, day: date) -> int:
    """How many conversations were deleted, with their turns and reviews: all that began before the UTC day."""
    query = ConversationQuery(until=datetime.combine(day, time(), UTC), order="oldest")
    deleted = 0
    while page := store.conversations(query, limit=_PAGE).rows:
        deleted += sum(store.delete_conversation(row.conversation.id) for row in page)
    return deleted


def turn_row(turn: Turn) -> dict[str, Any]:
    """The JSON object of a turn, with all its fields; times are ISO 8601 in UTC."""
    return {
        "conversation": turn.conversation_id,
        "number": turn.number,
        "at": _time(turn.at),
        "event": turn.event,
        "user_text": turn.user_text,
        "recogniser": turn.recogniser,
        "intent": turn.intent and _intent(turn.intent),
        "path": [list(edge) for edge in turn.path],
        "state": turn.state,
        "actions": [_action(action) for action in turn.actions],
        "replies": list(turn.replies),
        "timings_ms": {stage: round(ms, 3) for stage, ms in turn.timings_ms.items()},
        "error": turn.error,
    }


def turns_csv(
    turns: Sequence[Turn],
    conversations: Mapping[str, Conversation],
    reviews: Mapping[tuple[str, int], TurnLabel],
) -> str:
    """The turns as CSV with a header (RFC 4180), a row each; safe to open in a spreadsheet.

    Lists of slots, path and requests are JSON in a cell; other lists are joined by " | ". Stages beyond ``STAGES``
    stand in columns of their own at the end.
    """
    more = sorted({stage for turn in turns for stage in turn.timings_ms} - set(STAGES))
    out = io.StringIO()
    rows = csv.DictWriter(out, [*COLUMNS, *more], restval="")
    rows.writeheader()
    for turn in turns:
        row = _flat(turn, conversations[turn.conversation_id], reviews.get(_key(turn)))
        rows.writerow({name: _cell(text) for name, text in row.items()})
    return out.getvalue()


@dataclass(frozen=True)
class _Tagged:
    """One sentence for training: a tag a word."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    intent: str


def _tagged(turn: Turn, label: TurnLabel) -> _Tagged:
    """The reviewed turn as the model reads it: lower-case words without punctuation, in BIO tags."""
    words = list(_WORDS.finditer(turn.user_text))
    tags = [OUTSIDE] * len(words)
    for slot in label.slots:
        inside = [n for n, word in enumerate(words) if word.start() < slot.end and word.end() > slot.start]
        if not inside or any(tags[n] != OUTSIDE for n in inside):
            raise InputError(
                f"the review of turn {turn.number} of conversation {turn.conversation_id} has a slot {slot.name} that "
                f"holds no word or lies over another; review the turn again"
            )
        for n in inside:
            tags[n] = f"{'B' if n == inside[0] else 'I'}-{slot.name}"
    return _Tagged(tuple(word[0].lower().replace("’", "'") for word in words), tuple(tags), label.intent)


def _training(rows: Sequence[_Tagged], labels: Path) -> dict[str, str]:
    """The files of a NeMo intent-slot folder by their names."""
    intents = _numbered(labels / "dict.intents.csv", [row.intent for row in rows])
    slots = _numbered(labels / "dict.slots.csv", [tag for row in rows for tag in _both(row.tags)])
    sentences = [f"{' '.join(row.words)}\t{intents[row.intent]}" for row in rows]
    return {
        "dict.intents.csv": _lines(intents),
        "dict.slots.csv": _lines(slots),
        "train.tsv": _lines(["sentence\tlabel", *sentences]),
        "train_slots.tsv": _lines(" ".join(str(slots[tag]) for tag in row.tags) for row in rows),
    }


def _numbered(path: Path, used: Iterable[str]) -> dict[str, int]:
    """The labels of a file by their numbers, and after them those used that it does not list."""
    try:
        listed = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise InputError(f"the labels {path} cannot be read: {error.strerror}; take them from the release") from error
    names = [*listed, *sorted(set(used) - set(listed))]
    return {name: number for number, name in enumerate(names)}


def _both(tags: Iterable[str]) -> set[str]:
    """The tags, and the other one of each slot: a model needs B and I."""
    return {f"{letter}-{tag[2:]}" for tag in tags if tag != OUTSIDE for letter in "BI"} | {OUTSIDE}


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        with claims.claim(folder) as scratch:
            made = scratch / "day"
            for name, text in files.items():
                path = made / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
            claims.publish(made, folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}; choose another by --to") from error


def _flat(turn: Turn, conversation: Conversation, review: TurnLabel | None) -> dict[str, str]:
    intent, actions = turn.intent, turn.actions
    timings = {stage: f"{ms:.3f}" for stage, ms in turn.timings_ms.items()}
    return timings | {
        "conversation": turn.conversation_id,
        "channel": conversation.channel,
        "person": conversation.person,
        "started_at": _time(conversation.started_at),
        "ended_at": _time(conversation.ended_at),
        "attributes": _json(dict(conversation.attributes)),
        "number": str(turn.number),
        "at": _time(turn.at),
        "event": turn.event,
        "user_text": turn.user_text,
        "recogniser": turn.recogniser,
        "intent": intent.name if intent else "",
        "intent_score": f"{intent.score:.4f}" if intent else "",
        "intent_model": intent.model if intent else "",
        "slots": _json([_slot(slot) for slot in intent.slots]) if intent else "",
        "path": _json([list(edge) for edge in turn.path]),
        "state": turn.state,
        "actions": _BETWEEN.join(action.name for action in actions),
        "action_requests": _json([_action(action)["request"] for action in actions]) if actions else "",
        "action_statuses": _BETWEEN.join(action.status for action in actions),
        "action_answers": _BETWEEN.join(action.answer for action in actions),
        "action_sources": _BETWEEN.join(action.source for action in actions),
        "action_as_of": _BETWEEN.join(_time(action.as_of) for action in actions),
        "replies": _BETWEEN.join(turn.replies),
        "error": turn.error,
        "reviewed_intent": review.intent if review else "",
        "reviewed_slots": _json([_slot(slot) for slot in review.slots]) if review else "",
        "reviewer": review.reviewer if review else "",
        "reviewed_at": _time(review.at) if review else "",
    }


def _intent(intent: Intent) -> dict[str, Any]:
    slots = [_slot(slot) for slot in intent.slots]
    return {"name": intent.name, "score": round(intent.score, 4), "slots": slots, "model": intent.model}


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "name": slot.name,
        "value": slot.value,
        "text": slot.text,
        "start": slot.start,
        "end": slot.end,
        "score": round(slot.score, 4),
    }


def _action(action: Performed) -> dict[str, Any]:
    return {
        "name": action.name,
        "request": {key: value if isinstance(value, str) else list(value) for key, value in action.request.items()},
        "status": action.status,
        "answer": action.answer,
        "source": action.source,
        "as_of": _time(action.as_of) or None,
    }


def _key(turn: Turn) -> tuple[str, int]:
    return turn.conversation_id, turn.number


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
