from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.board import ENDED_STAYS_MS, FEED_ENTRIES, RECENT_MS, TREND_POINTS, Board
from dashboard.wire import milliseconds
from pipeline.alerts.rules import Severity
from pipeline.calls import Alert, Call, Note, Sentence, SentimentLabel, SpeakerRole
from pipeline.metrics import MOOD_WEIGHT
from pipeline.store.queries import Change, ChangeKind
from tests.dashboard import seed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALL = seed.live_call(1, NOW)


def sentence(index: int, label: SentimentLabel = "negative", speaker: SpeakerRole = "customer") -> Sentence:
    made = seed.conversation(CALL.id, [(speaker, f"Sentence {index}.", label)], random.Random(index))[0]
    return replace(made, index=index, start_s=float(index), end_s=index + 0.8)


def change(number: int, kind: ChangeKind, said: Sentence | None = None, call: Call = CALL) -> Change:
    return Change(number, kind, NOW + timedelta(seconds=number), call, sentence=said)


def board_with_call() -> Board:
    board = Board()
    board.seed(0, [], milliseconds(NOW))
    board.apply(change(1, "began"))
    return board


def cards(board: Board, at: datetime = NOW) -> dict[str, dict[str, object]]:
    return {card["id"]: card for card in board.snapshot(milliseconds(at))["cards"]}


def test_a_sentence_changes_its_card_and_comes_to_the_feed() -> None:
    board = board_with_call()
    said = sentence(0)
    event = board.apply(change(2, "sentence", said))
    assert event is not None
    assert said.sentiment is not None
    assert event["entry"]["text"] == "Sentence 0."
    assert event["card"]["mood"] == pytest.approx(said.sentiment.polarity, abs=1e-4)
    assert (event["card"]["sentences"], event["card"]["negative"]) == (1, 1)
    assert board.snapshot(milliseconds(NOW))["feed"] == [event["entry"]]


def test_the_mood_is_a_moving_average_of_the_customer() -> None:
    board = board_with_call()
    polarities = []
    for index, (label, speaker) in enumerate(
        [("negative", "customer"), ("positive", "agent"), ("positive", "customer")], start=0
    ):
        said = sentence(index, label, speaker)  # type: ignore[arg-type]
        assert said.sentiment is not None
        if speaker == "customer":
            polarities.append(said.sentiment.polarity)
        event = board.apply(change(2 + index, "sentence", said))
    first, second = polarities
    assert event is not None
    assert event["card"]["mood"] == pytest.approx(first + MOOD_WEIGHT * (second - first), abs=1e-4)
    assert event["card"]["trend"] == pytest.approx(polarities, abs=1e-3)
    assert event["card"]["sentences"] == 3


def test_a_label_changes_no_card() -> None:
    board = board_with_call()
    before = cards(board)
    assert board.apply(change(2, "label")) is None
    assert board.apply(change(3, "label", call=seed.live_call(2, NOW))) is None  # nor does it bring one to the wall
    assert cards(board) == before
    assert board.number == 3  # so that the feed goes on after it


def alarm(number: int, severity: Severity = "warning", call: Call = CALL) -> Change:
    alert = Alert(f"a{number}", call.id, None, "Quiet", severity, "Nobody speaks.", NOW)
    return Change(number, "alert", NOW + timedelta(seconds=number), call, alert=alert)


def verdict(number: int, raised: Change) -> Change:
    """The change that somebody called the alert of ``raised`` wrong."""
    assert raised.alert is not None
    judged = replace(raised.alert, verdict="wrong", reviewer="me")
    return replace(raised, number=number, kind="verdict", alert=judged)


def test_alerts_mark_their_card_until_they_are_called_wrong() -> None:
    board = board_with_call()
    event = board.apply(alarm(2))
    assert event is not None
    assert (event["card"]["alerts"], event["card"]["alarm"], event["alert"]["rule"]) == (1, "warning", "Quiet")
    event = board.apply(alarm(3, "critical"))
    assert event is not None
    assert (event["card"]["alerts"], event["card"]["alarm"]) == (2, "critical")
    event = board.apply(verdict(4, alarm(3, "critical")))
    assert event is not None
    assert (event["judged"], event["alert"]["verdict"]) == (True, "wrong")
    assert (event["card"]["alerts"], event["card"]["alarm"]) == (1, "warning")
    assert [alert["verdict"] for alert in board.snapshot(0)["alerts"]] == [None, "wrong"]


def test_a_verdict_on_an_alert_that_is_not_shown_brings_it_on_no_wall() -> None:
    board = board_with_call()
    event = board.apply(verdict(2, alarm(9)))
    assert event is not None
    assert (event["card"]["alerts"], board.snapshot(0)["alerts"]) == (0, [])


def test_an_alert_of_a_call_that_left_the_wall_is_listed_and_brings_no_card() -> None:
    board = board_with_call()
    event = board.apply(alarm(2, call=seed.live_call(2, NOW)))
    assert event is not None
    assert event["card"] is None
    assert list(cards(board)) == [CALL.id]
    assert len(board.snapshot(0)["alerts"]) == 1


def test_a_flag_marks_its_card() -> None:
    board = board_with_call()
    note = Note(CALL.id, 3.0, "", True, "me", NOW)
    event = board.apply(Change(2, "note", NOW, CALL, note=note))
    assert event is not None
    assert event["card"]["flagged"]
    assert event["note"]["at_s"] == 3.0


def test_changes_that_are_known_already_are_dropped() -> None:
    board = Board()
    board.seed(5, [(CALL, [sentence(0)])], milliseconds(NOW))
    assert board.apply(change(5, "sentence", sentence(0))) is None
    again = board.apply(change(6, "sentence", sentence(0)))  # committed between the number and the reading
    assert again is not None
    assert again["entry"] is None
    assert again["card"]["sentences"] == 1
    fresh = board.apply(change(7, "sentence", sentence(1)))
    assert fresh is not None
    assert fresh["card"]["sentences"] == 2


def test_recordings_that_are_ingested_do_not_appear() -> None:
    board = Board()
    board.seed(0, [], milliseconds(NOW))
    stored = replace(CALL, status="complete")
    assert board.apply(change(1, "sentence", sentence(0), stored)) is None
    assert board.apply(change(2, "stored", call=stored)) is None
    assert not cards(board)


def test_an_ended_call_stays_a_moment_and_a_deleted_one_does_not() -> None:
    board = board_with_call()
    event = board.apply(change(2, "finished", call=replace(CALL, status="complete", duration_s=9.0)))
    assert event is not None
    ended = NOW + timedelta(seconds=2)
    assert event["card"]["ended_ms"] == milliseconds(ended)
    stays = timedelta(milliseconds=ENDED_STAYS_MS)
    assert cards(board, ended + stays)
    assert not cards(board, ended + stays + timedelta(seconds=1))

    board = board_with_call()
    assert board.apply(change(2, "deleted")) == {"number": 2, "removed": CALL.id}
    assert board.apply(change(3, "deleted")) is None
    assert not cards(board)


def test_a_deleted_call_leaves_neither_its_words_nor_its_alerts() -> None:
    board = board_with_call()
    board.apply(change(2, "sentence", sentence(0)))
    board.apply(alarm(3))
    board.apply(change(4, "finished", call=replace(CALL, status="complete", duration_s=9.0)))
    later = milliseconds(NOW + timedelta(hours=1))
    assert [len(board.snapshot(later)[part]) for part in ("cards", "feed", "alerts")] == [
        0,
        1,
        1,
    ]  # it has left the wall
    assert board.apply(change(5, "deleted")) == {"number": 5, "removed": CALL.id}
    assert [len(board.snapshot(later)[part]) for part in ("cards", "feed", "alerts", "recent")] == [0, 0, 0, 0]


def test_what_is_kept_is_bounded() -> None:
    board = board_with_call()
    for index in range(100):
        board.apply(change(2 + index, "sentence", sentence(index)))
    last = NOW + timedelta(seconds=101)
    snapshot = board.snapshot(milliseconds(last))
    assert len(snapshot["feed"]) == FEED_ENTRIES
    assert len(snapshot["cards"][0]["trend"]) == TREND_POINTS
    assert len(snapshot["recent"][CALL.id]) == RECENT_MS // 1000
    assert snapshot["number"] == 101


def test_a_killed_call_is_forgotten_after_half_a_day() -> None:
    board = board_with_call()
    assert cards(board, NOW + timedelta(hours=11))
    assert not cards(board, NOW + timedelta(hours=13))


def test_a_restart_finds_the_same_mood() -> None:
    board = board_with_call()
    said = [sentence(0), sentence(1, "positive"), sentence(2, "neutral"), sentence(3, "positive", "agent")]
    for number, each in enumerate(said, start=2):
        board.apply(change(number, "sentence", each))
    again = Board()
    again.seed(5, [(CALL, said)], milliseconds(NOW))
    for name in ("mood", "trend", "sentences", "negative"):
        assert cards(again)[CALL.id][name] == cards(board)[CALL.id][name]
