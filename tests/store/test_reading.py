"""Lists of calls narrow, order and page; moods sum up; none of it reads the sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from statistics import fmean, variance

import pytest
from sqlalchemy import Engine, event

from pipeline.calls import SENTIMENT_LABELS, Sentence
from pipeline.errors import InputError
from pipeline.store import Store, open_store
from pipeline.store.queries import CallQuery, MoodPoint, Order, mood_label
from tests.store.samples import START, a_call, a_sentence, conversation

DAY = 24 * 60  # minutes


@pytest.fixture
def busy(store: Store) -> Store:
    """Five calls of three agents over two days, one of them live, one without scores."""
    store.add(a_call("good", minutes=0, agent="Ada", customer="Cy", duration_s=50), spoken("good", 0.9, 0.7))
    store.add(a_call("flat", minutes=1, agent="Ada", customer="Di", duration_s=40), spoken("flat", 0.05, -0.05))
    store.add(a_call("bad", minutes=2, agent="Bo", customer="Cy", duration_s=30), spoken("bad", -0.9, -0.5))
    store.add(a_call("mute", minutes=DAY, agent="Bo", customer=None, duration_s=20), [])
    store.begin(a_call("live", minutes=DAY + 1, agent=None, customer="Di", duration_s=0))
    store.append("live", spoken("live", -0.7))
    return store


def spoken(call_id: str, *polarities: float) -> list[Sentence]:
    """The customer's sentences with these polarities, each after a cheerful one of the agent."""
    both = tuple(polarity for customer in polarities for polarity in (1.0, customer))
    return conversation(call_id, both)


def ids(store: Store, query: CallQuery, limit: int = 50, offset: int = 0) -> list[str]:
    return [row.call.id for row in store.calls(query, limit, offset).rows]


def test_a_summary_tells_the_call_without_its_sentences(busy: Store) -> None:
    row = busy.calls(CallQuery(order="best")).rows[0]
    assert row.call == busy.call("good")
    assert row.sentences == 4
    assert row.labels == {"negative": 0, "neutral": 0, "positive": 4}
    assert row.mood == pytest.approx(0.8)
    assert row.trend == pytest.approx((0.9, 0.7))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("newest", ["live", "mute", "bad", "flat", "good"]),
        ("oldest", ["good", "flat", "bad", "mute", "live"]),
        ("worst", ["bad", "live", "flat", "good", "mute"]),  # two calls share a mood: the id decides
        ("best", ["good", "flat", "bad", "live", "mute"]),
        ("longest", ["good", "flat", "bad", "mute", "live"]),
    ],
)
def test_orders(busy: Store, order: Order, expected: list[str]) -> None:
    assert ids(busy, CallQuery(order=order)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (CallQuery(), {"good", "flat", "bad", "mute", "live"}),
        (CallQuery(agent="Ada"), {"good", "flat"}),
        (CallQuery(agent="ada"), set()),
        (CallQuery(customer="Cy"), {"good", "bad"}),
        (CallQuery(agent="Bo", customer="Cy"), {"bad"}),
        (CallQuery(status="live"), {"live"}),
        (CallQuery(status="complete", customer="Di"), {"flat"}),
        (CallQuery(since=START + timedelta(minutes=1)), {"flat", "bad", "mute", "live"}),
        (CallQuery(until=START + timedelta(minutes=1)), {"good"}),
        (CallQuery(since=START, until=START + timedelta(days=1)), {"good", "flat", "bad"}),
        (CallQuery(mood="positive"), {"good"}),
        (CallQuery(mood="neutral"), {"flat"}),
        (CallQuery(mood="negative"), {"bad", "live"}),
    ],
)
def test_filters(busy: Store, query: CallQuery, expected: set[str]) -> None:
    page = busy.calls(query)
    assert {row.call.id for row in page.rows} == expected
    assert page.total == len(expected)


def test_pages_cover_every_call_once(busy: Store) -> None:
    pages = [busy.calls(CallQuery(), limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [len(page.rows) for page in pages] == [2, 2, 1, 0]
    assert {page.total for page in pages} == {5}
    assert [row.call.id for page in pages for row in page.rows] == ids(busy, CallQuery())
    assert busy.calls(CallQuery(), limit=0).total == 5
    with pytest.raises(InputError, match="starts at 0 or above"):
        busy.calls(CallQuery(), offset=-1)


def test_a_mood_is_filtered_by_the_word_that_is_shown_for_it(busy: Store) -> None:
    for row in busy.calls().rows:
        named = mood_label(row.mood)
        for label in SENTIMENT_LABELS:
            assert (row.call.id in ids(busy, CallQuery(mood=label))) == (named == label)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refund", {"said"}),
        ("REFUND", {"said"}),
        ("100%", {"said"}),
        ("0% o", {"said"}),
        ("%", {"said"}),
        ("a_b", {"said"}),
        ("_", {"said"}),
        ("'; DROP TABLE calls; --", {"said"}),
        ("it's", {"said"}),
        ('"now"', {"said"}),
        ("back\\slash", {"said"}),
        ("and/or", {"said"}),
        ("😀", {"said"}),
        ("axb", set()),
        ("100 %", set()),
        ("statement", {"named"}),
        ("oRLa", {"named"}),
        ("Quentin", {"named"}),
        ("call", {"said", "named"}),
    ],
)
def test_text_is_looked_for_literally(store: Store, text: str, expected: set[str]) -> None:
    words = "I call for a refund: 100% of it, a_b and/or it's \"now\" back\\slash '; DROP TABLE calls; -- 😀"
    store.add(a_call("said", source="1.wav"), [a_sentence("said", text="Hello."), a_sentence("said", 1, text=words)])
    store.add(a_call("named", source="call statement.wav", agent="Orla", customer="Quentin"), [a_sentence("named")])
    store.add(a_call("other", source="2.wav", agent=None, customer=None), [])
    page = store.calls(CallQuery(text=text))
    assert {row.call.id for row in page.rows} == expected
    assert page.total == len(expected)


def test_text_that_no_longer_counts_is_not_found(store: Store) -> None:
    store.begin(a_call())
    store.append(a_call().id, [a_sentence(text="first guess")])
    assert store.calls(CallQuery(text="guess")).total == 1
    store.add(a_call(), [a_sentence(text="what was really said")])
    assert store.calls(CallQuery(text="guess")).total == 0
    assert store.calls(CallQuery(text="really")).total == 1


@pytest.mark.parametrize(
    "query",
    [
        CallQuery(text="a\x00"),
        CallQuery(text="\ud800"),
        CallQuery(text="x" * 1001),
        CallQuery(agent="a\x00"),
        CallQuery(since=START.replace(tzinfo=None)),
    ],
)
def test_a_query_that_cannot_be_asked_is_refused(store: Store, query: CallQuery) -> None:
    with pytest.raises(InputError):
        store.calls(query)


def test_live_calls_in_which_nothing_is_written_any_more(store: Store) -> None:
    store.add(a_call("complete"), [])
    store.begin(a_call("silent", minutes=1))
    store.begin(a_call("spoken", minutes=0))
    before = datetime.now(UTC)
    store.append("spoken", spoken("spoken", 0.1))
    assert store.stale_calls(START) == []
    assert [call.id for call in store.stale_calls(before)] == ["silent"]
    after = datetime.now(UTC) + timedelta(seconds=1)
    assert store.stale_calls(after) == [store.call("spoken"), store.call("silent")]
    with pytest.raises(InputError, match="no time zone"):
        store.stale_calls(datetime(2026, 1, 1))


def test_moods_by_person(busy: Store) -> None:
    ada, bo = busy.moods("agent")
    assert (ada.group, ada.day, ada.calls, ada.scored_calls, ada.sentences) == ("Ada", None, 2, 2, 8)
    assert ada.labels == {"negative": 0, "neutral": 2, "positive": 6}
    assert ada.duration_s == 90
    assert ada.mood == pytest.approx(fmean((0.8, 0.0)))
    assert ada.variance == pytest.approx(variance((0.8, 0.0)))
    assert ada.standard_error == pytest.approx(sqrt(variance((0.8, 0.0)) / 2))
    assert (bo.group, bo.calls, bo.scored_calls) == ("Bo", 2, 1)
    assert bo.mood == pytest.approx(-0.7)
    assert bo.variance is None
    assert bo.standard_error is None
    assert [point.group for point in busy.moods("customer")] == ["Cy", "Di"]


def test_moods_by_day(busy: Store) -> None:
    first, second = busy.moods("day")
    assert (first.group, first.day, first.calls) == ("", date(2026, 3, 14), 3)
    assert (second.group, second.day, second.calls) == ("", date(2026, 3, 15), 2)
    assert first.mood == pytest.approx(fmean((0.8, 0.0, -0.7)))


def test_moods_narrowed_and_split_by_day(busy: Store) -> None:
    def keys(points: list[MoodPoint]) -> list[tuple[str, date | None]]:
        return [(point.group, point.day) for point in points]

    assert keys(busy.moods("agent", daily=True)) == [
        ("Ada", date(2026, 3, 14)),
        ("Bo", date(2026, 3, 14)),
        ("Bo", date(2026, 3, 15)),
    ]
    assert keys(busy.moods("agent", customer="Di")) == [("Ada", None)]
    assert keys(busy.moods("day", agent="Ada")) == [("", date(2026, 3, 14))]
    assert keys(busy.moods("day", since=START + timedelta(days=1))) == [("", date(2026, 3, 15))]
    assert keys(busy.moods("day", until=START)) == []
    assert busy.moods("customer", agent="nobody") == []


def test_nothing_scored_is_no_mood(store: Store) -> None:
    store.add(a_call(), [a_sentence(polarity=None)])
    assert store.calls().rows[0].mood is None
    assert store.calls().rows[0].trend == ()
    assert mood_label(None) is None
    (point,) = store.moods("agent")
    assert (point.calls, point.scored_calls, point.mood, point.variance) == (1, 0, None, None)


@pytest.fixture
def statements(busy: Store) -> Iterator[list[str]]:
    """The SQL that ``busy`` runs from now on."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def test_lists_and_moods_never_read_sentences(busy: Store, statements: list[str]) -> None:
    busy.calls(CallQuery(agent="Ada", mood="positive", order="worst"))
    busy.moods("agent", daily=True)
    busy.people("customer")
    read = [statement for statement in statements if "FROM" in statement]
    assert read
    assert not [statement for statement in read if "FROM sentences" in statement or "JOIN sentences" in statement]


def test_summaries_are_the_same_whether_a_call_came_at_once_or_bit_by_bit(store: Store) -> None:
    polarities = tuple((i * 37 % 100 - 50) / 50 for i in range(90))
    store.add(a_call("once"), conversation("once", polarities))
    store.begin(a_call("bits"))
    sentences = conversation("bits", polarities)
    for start in range(0, len(sentences), 7):
        store.append("bits", sentences[start : start + 7])
    once, bits = (next(row for row in store.calls().rows if row.call.id == id) for id in ("once", "bits"))
    assert (once.sentences, once.labels) == (bits.sentences, bits.labels)
    assert once.mood == pytest.approx(bits.mood, abs=1e-6)
    assert once.trend == pytest.approx(bits.trend, abs=1e-6)
    assert 15 <= len(once.trend) <= 30


def test_a_second_store_sees_what_the_first_wrote(busy: Store, url: str) -> None:
    with open_store(url) as other:
        assert other.calls().total == 5
        assert busy.delete("mute")
        assert other.calls().total == 4
