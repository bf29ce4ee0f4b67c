"""What fails while somebody talks is said, archived and survived: the model, a service, the archive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
import riva.client

from fulfillment.services import Services
from fulfillment.weather import Weather
from pipeline.assistant import Assistant
from pipeline.calls import Turn
from pipeline.dialog import Flows
from pipeline.dialog.checks import load_texts
from pipeline.nlp import Understander
from pipeline.store import Store, open_store
from tests.assistant.conftest import FLOWS, at_noon

HASTY = """
    name: main
    home: listen
    slots: [location]
    actions:
      Weather: [weather_status, answer]
    intent_transitions:
      weather.weather: ask
    states:
      init: {type: message_text, properties: {text: Hello.}}
      listen: {type: input_user, properties: {nlp_type: riva}, transitions: {next_state: listen}}
      ask:
        type: Weather
        properties: {time_out_s: 0.05, request: {location: '{{location}}'}}
        transitions: {ok: tell, next_state: sorry}
      tell: {type: message_text, properties: {text: '{{answer}}'}, transitions: return}
      sorry: {type: message_text, properties: {text: 'No answer: {{weather_status}}.'}, transitions: return}
"""


def hasty() -> Flows:
    flows, defects = load_texts({"main_flow.yml": dedent(HASTY)})
    assert not [defect for defect in defects if defect.severity == "error"]
    return flows


class SlowWeather:
    """A weather service that answers when it is told to."""

    def __init__(self) -> None:
        self.go, self.answered = threading.Event(), threading.Event()

    def look_up(self, place: str, last: date | None = None) -> Weather:
        self.go.wait()
        self.answered.set()
        raise AssertionError("a fault in the service")

    def close(self) -> None:
        self.go.set()


@pytest.fixture
def slow() -> Iterator[SlowWeather]:
    weather = SlowWeather()
    yield weather
    weather.close()


@pytest.fixture
def deaf() -> Iterator[Understander]:
    """The understanding at an address where nobody is."""
    auth = riva.client.Auth(uri="127.0.0.1:9")
    yield Understander(auth, address="127.0.0.1:9", timeout_s=0.2, patience_s=0.0)
    auth.channel.close()


def test_a_model_that_cannot_be_reached_is_said_and_the_question_stays(
    deaf: Understander, services: Services, archive: Store
) -> None:
    with Assistant(FLOWS, deaf, services, archive, clock=at_noon) as assistant:
        talk = assistant.begin("text")
        turn = talk.say("weather in Rome")
        assert "again" in turn.replies[0] or "once more" in turn.replies[0]
        assert "127.0.0.1:9 does not answer" in turn.error
        assert turn.intent is None
        assert not turn.actions
        assert turn.timings_ms["understand_ms"] > 0
        draft = talk.consider("weather in Rome")
        assert talk.commit(draft).error
        assert [kept.error for kept in archive.turns(talk.id)[1:]] == [turn.error, turn.error]


def test_a_service_that_takes_too_long_is_given_up_and_its_answer_dropped(
    understander: Understander, services: Services, archive: Store, slow: SlowWeather
) -> None:
    with Assistant(hasty(), understander, replace(services, weather=slow), archive, clock=at_noon) as assistant:
        talk = assistant.begin("text")
        turn = talk.say("what's the weather in Rome")
        assert turn.replies == ("No answer: timed_out.",)
        (action,) = turn.actions
        assert (action.status, action.answer, action.as_of) == ("timed_out", "", None)
        assert turn.error == "weather: no answer in time"
        slow.go.set()
        assert slow.answered.wait(10)
        assert talk.say("hello").replies == ()
        assert len(archive.turns(talk.id)) == 3


def test_a_fault_in_a_service_is_an_unavailable_one(
    understander: Understander, services: Services, slow: SlowWeather, caplog: pytest.LogCaptureFixture
) -> None:
    slow.go.set()
    with (
        caplog.at_level(logging.CRITICAL),
        Assistant(FLOWS, understander, replace(services, weather=slow), clock=at_noon) as assistant,
    ):
        turn = assistant.begin("text").say("what's the weather in Rome")
    assert turn.replies == ("I can't reach the weather service right now. Please try again later.",)
    assert turn.error == "weather: AssertionError"
    assert turn.state == "listen"


def test_flows_that_ask_round_in_a_circle_are_stopped(understander: Understander, services: Services) -> None:
    text = dedent(HASTY).replace("ok: tell, next_state: sorry", "ok: ask, next_state: ask").replace("0.05", "5")
    flows, _ = load_texts({"main_flow.yml": text})
    with Assistant(flows, understander, services, clock=at_noon) as assistant:
        talk = assistant.begin("text")
        turn = talk.say("what's the weather in Rome")
        assert len(turn.actions) == 8
        assert "gave up" in turn.error
        assert isinstance(talk.say("hello"), Turn)


def test_an_archive_that_is_away_stops_nobody_and_gets_everything_later(
    understander: Understander, services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    with (
        open_store(f"sqlite:///{home}/overtone.db") as store,
        Assistant(FLOWS, understander, services, store, clock=at_noon) as assistant,
    ):
        home.rename(tmp_path / "away")
        with caplog.at_level(logging.CRITICAL):
            talk = assistant.begin("text")
            assert talk.say("hello").replies
        (tmp_path / "away").rename(home)
        talk.say("goodbye")
        talk.close()
        assert [turn.number for turn in store.turns(talk.id)] == [0, 1, 2]
        assert store.conversation(talk.id).ended_at is not None


def test_what_is_personal_is_masked_in_the_archive_alone(
    understander: Understander, services: Services, archive: Store
) -> None:
    kinds = ("card", "phone", "email", "number")
    with Assistant(FLOWS, understander, services, archive, redact=kinds, clock=at_noon) as assistant:
        talk = assistant.begin("phone", "+1 555 123 4567", {"call": "CA123456789", "from": "ann@example.com"})
        words = "my number is 555 123 4567 what is the weather in Boston tomorrow"
        turn = talk.say(words)
        talk.say("I want to speak to a person at 555 123 4567")
    assert turn.user_text == words
    conversation, kept = archive.conversation(talk.id), archive.turns(talk.id)
    assert conversation.person == "[phone]"
    assert dict(conversation.attributes) == {"call": "CA123456789", "from": "[email]"}
    assert kept[1].user_text == "my number is [phone] what is the weather in Boston tomorrow"
    assert kept[1].intent is not None
    assert turn.intent is not None
    for slot, before in zip(kept[1].intent.slots, turn.intent.slots, strict=True):
        assert kept[1].user_text[slot.start : slot.end] == slot.text
        assert slot.text == before.text or "[phone]" in slot.text
    assert "123 4567" not in str(kept)
