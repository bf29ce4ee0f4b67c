"""Conversations are begun, grow turn by turn, are listed and go; none touches another, nor the feed of calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.calls import Conversation, TurnLabel
from pipeline.errors import InputError
from pipeline.store import Store, open_store
from pipeline.store.queries import ConversationOrder, ConversationPage, ConversationQuery
from tests.store.samples import START, a_call, a_sentence, a_talk, a_turn


@pytest.fixture
def busy(store: Store) -> Store:
    """Four conversations: on the weather, on shopping (unsure, reviewed), one that failed, one without a turn."""
    store.begin_conversation(a_talk("rain", minutes=0))
    store.add_turn(a_turn("rain", 0, text="", intent=None, replies=("Hello! 100%_sure",)))
    store.add_turn(a_turn("rain", 1, score=0.9))
    store.add_turn(a_turn("rain", 2, text="And tomorrow?", score=0.7))
    store.add_turn(a_turn("rain", 3, text="", intent=None, replies=("Are you there?",)))
    store.begin_conversation(a_talk("shop", minutes=1, channel="text", person="Zoë 50%"))
    store.add_turn(a_turn("shop", 1, text="A wool sweater", intent="retail.price", score=0.4, replies=("It's $9.",)))
    store.add_turn(a_turn("shop", 2, text="Rain?", score=0.95, replies=('It said "no", [a]\\n',)))
    store.add_turn_label(TurnLabel("shop", 1, "retail.stock", (), "ann", START))
    store.add_turn_label(TurnLabel("shop", 1, "retail.price", (), "bob", START))
    store.begin_conversation(a_talk("fail", minutes=2, channel="phone", person=""))
    store.add_turn(a_turn("fail", 0, text="Hi_there", intent=None, replies=("Sorry.",), error="the weather is away"))
    store.begin_conversation(a_talk("mute", minutes=3))
    return store


def ids(store: Store, query: ConversationQuery, limit: int = 50, offset: int = 0) -> list[str]:
    return [row.conversation.id for row in store.conversations(query, limit, offset).rows]


def test_a_conversation_comes_back_as_it_went_in(store: Store, url: str) -> None:
    ended = replace(a_talk("ended"), ended_at=START + timedelta(hours=1))
    store.begin_conversation(a_talk())
    store.begin_conversation(ended)
    with open_store(url) as other:
        assert other.conversation(a_talk().id) == a_talk()
        assert other.conversation("ended") == ended
        assert other.turns("ended") == []


def test_the_first_end_counts(store: Store) -> None:
    store.begin_conversation(a_talk())
    store.end_conversation(a_talk().id, START + timedelta(minutes=5))
    store.end_conversation(a_talk().id, START + timedelta(minutes=9))
    assert store.conversation(a_talk().id) == replace(a_talk(), ended_at=START + timedelta(minutes=5))
    with pytest.raises(InputError, match="no conversation 'gone'"):
        store.end_conversation("gone", START)
    with pytest.raises(InputError, match="no time zone"):
        store.end_conversation(a_talk().id, datetime(2026, 1, 1))


def test_a_conversation_is_found_by_the_start_of_its_id(store: Store) -> None:
    for id in ("aa11", "aa12", "b_1", "bx1"):
        store.begin_conversation(a_talk(id))
    assert store.conversation("aa11").id == "aa11"
    assert store.conversation("b_").id == "b_1"  # not a wildcard
    with pytest.raises(InputError, match="more than one conversation starts with 'aa'"):
        store.conversation("aa")
    with pytest.raises(InputError, match="no conversation 'zz' in the store"):
        store.conversation("zz")
    with pytest.raises(InputError, match="no conversation was named"):
        store.conversation("")


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (replace(a_talk(), id=""), "without an id"),
        (replace(a_talk(), person="a\x00"), "person of conversation .* NUL"),
        (replace(a_talk(), started_at=datetime(2026, 1, 1)), "start of conversation .* no time zone"),
        (replace(a_talk(), ended_at=datetime(2026, 1, 1)), "end of conversation .* no time zone"),
        (replace(a_talk(), channel="fax"), "channel of conversation .* 'fax': give one of text, voice, phone"),  # type: ignore[arg-type]
        (replace(a_talk(), attributes={"k": "\udc80"}), "attribute 'k' .* not text"),
    ],
)
def test_a_conversation_that_cannot_be_stored_is_refused(store: Store, bad: Conversation, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        store.begin_conversation(bad)
    assert store.conversations() == ConversationPage((), 0)


def test_an_id_is_used_once(store: Store) -> None:
    store.begin_conversation(a_talk())
    store.add_turn(a_turn())
    with pytest.raises(InputError, match="there is a conversation 'ta1k000000000001' already"):
        store.begin_conversation(a_talk(person="Somebody else"))
    assert store.conversation(a_talk().id) == a_talk()
    assert store.turns(a_talk().id) == [a_turn()]


def test_a_summary_tells_the_conversation(busy: Store) -> None:
    rows = {row.conversation.id: row for row in busy.conversations().rows}
    rain, shop, fail, mute = (rows[id] for id in ("rain", "shop", "fail", "mute"))
    assert (rain.turns, rain.intents, rain.last_text, rain.errors, rain.labelled) == (
        4,
        ("weather.rain",),
        "And tomorrow?",
        0,
        0,
    )
    assert (shop.turns, shop.intents, shop.last_text, shop.labelled) == (
        2,
        ("retail.price", "weather.rain"),
        "Rain?",
        1,
    )
    assert (fail.turns, fail.intents, fail.last_text, fail.errors) == (1, (), "Hi_there", 1)
    assert (mute.turns, mute.intents, mute.last_text) == (0, (), "")
    assert mute.conversation == a_talk("mute", minutes=3)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("newest", ["mute", "fail", "shop", "rain"]),
        ("oldest", ["rain", "shop", "fail", "mute"]),
        ("unsure", ["shop", "rain", "fail", "mute"]),
    ],
)
def test_orders(busy: Store, order: ConversationOrder, expected: list[str]) -> None:
    query = ConversationQuery(order=order)
    assert ids(busy, query) == expected
    assert [id for offset in range(4) for id in ids(busy, query, 1, offset)] == expected
    assert busy.conversations(query, 1, 2).total == 4
    assert busy.conversations(query, 1, 9) == ConversationPage((), 4)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ConversationQuery(since=START + timedelta(minutes=1)), {"shop", "fail", "mute"}),
        (ConversationQuery(until=START + timedelta(minutes=1)), {"rain"}),
        (ConversationQuery(channel="phone"), {"fail"}),
        (ConversationQuery(intent="weather.rain"), {"rain", "shop"}),
        (ConversationQuery(intent="weather_rain"), set()),
        (ConversationQuery(reviewed=True), {"shop"}),
        (ConversationQuery(reviewed=False), {"rain", "fail", "mute"}),
        (ConversationQuery(intent="weather.rain", reviewed=False), {"rain"}),
        (ConversationQuery(text="tomorrow"), {"rain"}),
        (ConversationQuery(text="TOMORROW"), {"rain"}),
        (ConversationQuery(text="it's $9"), {"shop"}),  # an answer
        (ConversationQuery(text="%"), {"rain", "shop"}),  # an answer and a person
        (ConversationQuery(text="_"), {"rain", "fail"}),
        (ConversationQuery(text='"no", [a]\\'), {"shop"}),
        (ConversationQuery(text=","), {"rain", "shop"}),  # what is said, not how the columns hold it
        (ConversationQuery(text="]"), {"shop"}),
        (ConversationQuery(text="\\n"), {"shop"}),
        (ConversationQuery(text="\\"), {"shop"}),
        (ConversationQuery(text="Zoë"), {"shop"}),
        (ConversationQuery(text="'; DROP TABLE turns; --"), set()),
    ],
)
def test_filters(busy: Store, query: ConversationQuery, expected: set[str]) -> None:
    assert set(ids(busy, query)) == expected
    assert busy.conversations(query).total == len(expected)


@pytest.mark.parametrize(
    "query",
    [
        ConversationQuery(text="a\x00b"),
        ConversationQuery(text="x" * 1001),
        ConversationQuery(intent="\x00"),
        ConversationQuery(since=datetime(2026, 1, 1)),
    ],
)
def test_a_query_that_cannot_be_asked_is_refused(store: Store, query: ConversationQuery) -> None:
    with pytest.raises(InputError):
        store.conversations(query)
    with pytest.raises(InputError, match="not 0 and -1"):
        store.conversations(None, -1, 0)


def test_more_conversations_than_one_read_takes_are_listed(store: Store) -> None:
    store.begin_conversation(a_talk("rain"))
    store.add_turn(a_turn("rain"))
    for number in range(520):
        store.begin_conversation(a_talk(f"{number}", minutes=1 + number))
    page = store.conversations(limit=1000)
    assert page.total == len(page.rows) == 521
    assert page.rows[-1].intents == ("weather.rain",)


def test_deleting_takes_everything_of_one_conversation(busy: Store) -> None:
    assert busy.delete_conversation("shop")
    assert not busy.delete_conversation("shop")
    assert busy.turn_labels("shop") == []
    with pytest.raises(InputError, match="no conversation 'shop'"):
        busy.turns("shop")
    assert len(busy.turns("rain")) == 4
    assert busy.turn_labels_between(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)) == []
    busy.begin_conversation(a_talk("shop"))  # and it may come again
    assert busy.turns("shop") == []


def test_conversations_are_no_change_of_calls(busy: Store) -> None:
    busy.end_conversation("rain", START)
    busy.delete_conversation("fail")
    assert busy.last_change() == 0
    assert busy.changes(0) == []


def test_eight_conversations_at_once_beside_a_live_call(store: Store) -> None:
    turns = 12

    def hold(conversation: int) -> None:
        own = f"c{conversation}"
        store.begin_conversation(a_talk(own))
        for number in range(turns):
            store.add_turn(a_turn(own, number, text=f"{own} says {number}", score=1 - conversation / 10))
        store.end_conversation(own, START)

    def listen() -> None:
        store.begin(a_call())
        for index in range(2 * turns):
            store.append(a_call().id, [a_sentence(index=index)])
        store.finish(a_call().id)

    with ThreadPoolExecutor(9) as pool:
        going_on = [pool.submit(listen), *(pool.submit(hold, conversation) for conversation in range(8))]
        for future in going_on:
            future.result()
    assert [sentence.index for sentence in store.sentences(a_call().id)] == list(range(2 * turns))
    page = store.conversations(ConversationQuery(order="unsure"))
    assert [row.conversation.id for row in page.rows] == [f"c{conversation}" for conversation in reversed(range(8))]
    for row in page.rows:
        own = row.conversation.id
        assert [turn.user_text for turn in store.turns(own)] == [f"{own} says {number}" for number in range(turns)]
        assert (row.turns, row.conversation.ended_at) == (turns, START)
