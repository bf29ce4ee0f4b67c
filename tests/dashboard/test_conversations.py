"""Rows and objects of the conversations' pages, and corrections turned into labels."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dashboard.conversations import (
    conversation_query,
    conversation_row,
    intent_name,
    known,
    label_of,
    model_labels,
    turn_object,
)
from dashboard.queries import zone
from pipeline.calls import Conversation, TurnLabel
from pipeline.errors import InputError
from pipeline.settings import DATA
from pipeline.store.queries import ConversationQuery, ConversationSummary
from tests.dashboard import seed_conversations

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
LINE = seed_conversations.SCRIPTS[1][2][1]
TURN = seed_conversations.turn("c", 2, NOW, "text", LINE)


def test_filters_become_a_query_and_nonsense_is_left_out() -> None:
    berlin = zone("Europe/Berlin")
    chosen = {"q": " pasta ", "channel": "voice", "intent": "price_check", "reviewed": "no", "order": "unsure"}
    days = (date(2026, 11, 20), date(2026, 11, 21))
    assert conversation_query({**chosen, "days": days}, berlin) == ConversationQuery(
        text="pasta",
        since=datetime(2026, 11, 19, 23, tzinfo=UTC),
        until=datetime(2026, 11, 21, 23, tzinfo=UTC),
        channel="voice",
        intent="price_check",
        reviewed=False,
        order="unsure",
    )
    assert (
        conversation_query({"channel": "smoke", "reviewed": "perhaps", "order": "tallest"}, UTC) == ConversationQuery()
    )


def test_a_row_says_who_wanted_what() -> None:
    conversation = Conversation("c", NOW, "phone", "Dana")
    intents = ("weather.rainfall_yes_no", "price_check")
    row = conversation_row(ConversationSummary(conversation, 4, intents, "and the red one?", 1, 0))
    assert (row["said"], row["person"], row["channel"]) == ("and the red one?", "Dana", "Phone")
    assert row["intents"] == "weather: rainfall yes/no, price check"
    assert (row["turns"], row["trouble"], row["labelled"]) == (4, 1, None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("weather.weather", "weather"),
        ("weather.humidity_yes_no", "weather: humidity yes/no"),
        ("store_location", "store location"),
        ("agent", "agent"),
    ],
)
def test_intents_are_read_as_words(name: str, words: str) -> None:
    assert intent_name(name) == words


def test_a_turn_carries_its_own_corrections_only() -> None:
    labels = [TurnLabel("c", number, "help", (), "demo", NOW) for number in (1, 2, 2)]
    content = json.loads(json.dumps(turn_object(TURN, labels)))
    assert content["user_text"] == "got any left 🙂 near the harbour"
    assert [label["intent"] for label in content["labels"]] == ["help", "help"]
    assert content["intent"]["slots"][0]["text"] == "near the harbour"
    assert content["path"][0] == ["listen", "store_location", "ask_service"]
    assert content["actions"][0]["as_of"] == round(NOW.timestamp() * 1000)


def test_a_correction_becomes_a_label_with_the_words_that_were_marked() -> None:
    start = TURN.user_text.index("harbour")
    marked = [
        {"name": "location", "start": start, "end": start + 7},
        {"name": "item.name", "start": 4, "end": 12},
    ]
    label = label_of(TURN, {"intent": "inventory_check", "slots": marked}, "demo", NOW)
    assert (label.conversation_id, label.number, label.intent, label.reviewer) == ("c", 2, "inventory_check", "demo")
    assert [(slot.name, slot.text, slot.score) for slot in label.slots] == [
        ("item.name", "any left", 1.0),
        ("location", "harbour", 1.0),
    ]


def test_a_marked_time_is_kept_as_the_time_that_it_means() -> None:
    turn = seed_conversations.turn("c", 1, NOW, "text", seed_conversations.SCRIPTS[0][2][0])
    start = turn.user_text.index("tomorrow")
    marked = {"intent": "weather.weather", "slots": [{"name": "weathertime", "start": start, "end": start + 8}]}
    (slot,) = label_of(turn, marked, "demo", NOW).slots
    assert (slot.text, slot.value) == ("tomorrow", "2026-11-23")


@pytest.mark.parametrize(
    "slots",
    [
        [{"name": "location", "start": 3, "end": 3}],
        [{"name": "location", "start": -1, "end": 3}],
        [{"name": "location", "start": 0, "end": 99}],
        [{"name": "location", "start": 0, "end": 7}, {"name": "item.type", "start": 4, "end": 9}],
    ],
)
def test_slots_that_are_no_words_of_the_turn_are_refused(slots: list[dict[str, object]]) -> None:
    with pytest.raises(InputError, match="does not lie on words of its own"):
        label_of(TURN, {"intent": "help", "slots": slots}, "demo", NOW)


def test_what_the_model_knows_comes_first_and_what_was_seen_is_added(tmp_path: Path) -> None:
    intents, slots = model_labels(DATA / "models")
    assert "weather.rainfall_yes_no" in intents
    assert {"location", "store.hour.day"} <= set(slots)
    assert "O" not in slots
    assert len(slots) == len(set(slots))
    assert model_labels(tmp_path) == ([], [])
    assert known(["b", "a"], ["a", "z", "c"]) == ["b", "a", "c", "z"]
