"""What the Review page's script gets and sends: sentences to judge, and what a reviewer did. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from dashboard.queries import one_of
from dashboard.tickets import Tickets, call_scope
from dashboard.wire import call_object, sentence_object
from pipeline.calls import SENTIMENT_LABELS, Label, SpeakerRole
from pipeline.errors import InputError
from pipeline.store import Store
from pipeline.store.queries import ReviewItem, ReviewOrder, ReviewQuery

LONGEST_NAME = 80  # characters
ORDERS: Mapping[ReviewOrder, str] = {"unsure": "Least certain first", "disagreed": "Most disagreed first"}
AT_ONCE = 12  # sentences that the page fetches


def query_of(asked: Mapping[str, Any]) -> ReviewQuery:
    """The query behind ``{"reviewer", "order", "agent", "speaker", "since", "until"}``; the times are ISO 8601 or None.

    Raises InputError for a reviewer without a name and for a time that is none.
    """
    try:
        since, until = (datetime.fromisoformat(asked[key]) if asked.get(key) else None for key in ("since", "until"))
    except (TypeError, ValueError):
        raise InputError("a time of the queue is none: give it as ISO 8601 with its zone") from None
    return ReviewQuery(
        reviewer=reviewer_of(asked),
        order=one_of(asked.get("order"), get_args(ReviewOrder)) or "unsure",
        agent=str(asked["agent"]) if asked.get("agent") else None,
        speaker=one_of(asked.get("speaker"), get_args(SpeakerRole)),
        since=since,
        until=until,
    )


def reviewer_of(asked: Mapping[str, Any]) -> str:
    """The reviewer's name in a request; InputError where there is none, or a name that no list has room for."""
    name = " ".join(str(asked.get("reviewer") or "").split())
    if not name or len(name) > LONGEST_NAME:
        raise InputError(f"write your name first, in at most {LONGEST_NAME} characters")
    return name


def work(store: Store, tickets: Tickets, audio: Path, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The next sentences for a reviewer, those left out that stand in ``asked["passed"]`` as ``[call, index]``.

    Raises InputError as `query_of` does, and for a list that cannot be read.
    """
    try:
        passed = {(str(call), int(index)) for call, index in asked.get("passed") or ()}
    except (TypeError, ValueError):
        raise InputError("the list of sentences that were passed by cannot be read") from None
    found = store.review_queue(query_of(asked), min(AT_ONCE + len(passed), 500))
    left = [item for item in found if (item.call.id, item.sentence.index) not in passed]
    return [_item(item, tickets, audio) for item in left[:AT_ONCE]]


def act(store: Store, done: Mapping[str, Any], at: datetime) -> None:
    """Stores what a reviewer did: ``{"reviewer", "kind", "call_id", "index", "value"}``.

    ``kind`` is label (with a sentiment as ``value``), unlabel, ask or unask. Raises InputError for anything else and as
    the store does.
    """
    reviewer, kind = reviewer_of(done), done.get("kind")
    try:
        call_id, index = str(done["call_id"]), int(done["index"])
    except (LookupError, TypeError, ValueError):
        raise InputError("this names no sentence") from None
    if kind == "label":
        value = str(done.get("value"))
        if value not in SENTIMENT_LABELS:
            raise InputError(f"{value!r} is no sentiment: give one of {', '.join(SENTIMENT_LABELS)}")
        store.add_label(Label(call_id, index, "sentiment", value, reviewer, at))
    elif kind == "unlabel":
        store.retract_label(call_id, index, reviewer, at)
    elif kind == "ask":
        store.ask_opinion(call_id, index, reviewer, at)
    elif kind == "unask":
        store.withdraw_opinion(call_id, index, reviewer)
    else:
        raise InputError(f"a reviewer labels, asks, or takes either back, and does not {kind!r}")


def _item(item: ReviewItem, tickets: Tickets, audio: Path) -> dict[str, Any]:
    said = item.sentence
    return {
        "call": call_object(item.call),
        "before": item.before and sentence_object(item.before),
        "sentence": sentence_object(said),
        "after": item.after and sentence_object(item.after),
        "opinions": [
            {"model": opinion.model, "label": opinion.label, "score": round(opinion.scores[opinion.label], 4)}
            for opinion in item.opinions
        ],
        "labels": [{"reviewer": label.reviewer, "value": label.value} for label in item.labels],
        "asked_by": item.asked_by,
        "ticket": tickets.issue(call_scope(item.call.id)),
        "sound": (audio / item.call.id).is_dir(),
    }
