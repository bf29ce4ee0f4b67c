"""What the assistant offers an agent, over the shipped flows, the real model and the sample services."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.backends import Backends
from pipeline.calls import Call, Intent, Sentence, SpeakerRole
from pipeline.live.suggesting import KEPT, Suggester, Suggestion, message, silent
from pipeline.settings import Settings
from pipeline.store.queries import ConversationQuery
from tests.dashboard import seed


class Advice:
    """Gathers suggestions; ``count`` waits for so many."""

    def __init__(self) -> None:
        self.all: list[Suggestion] = []
        self._came = threading.Condition()

    def __call__(self, suggestion: Suggestion) -> None:
        with self._came:
            self.all.append(suggestion)
            self._came.notify_all()

    def count(self, wanted: int) -> list[Suggestion]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.all) >= wanted, 60), self.all
            return list(self.all)


@pytest.fixture(scope="module")
def services(speech_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    home: Path = tmp_path_factory.mktemp("suggesting")
    settings = Settings(home=home, asr_uri=speech_server, nlp_uri=speech_server, tts_uri=speech_server)
    with Backends(settings, os.environ) as found:
        yield found


@pytest.fixture
def suggester(services: Backends) -> Iterator[Suggester]:
    found = Suggester(lambda: silent(services))
    yield found
    found.close()


class Said:
    """Sentences of one call, with the intents that the live gateway gives them."""

    def __init__(self, services: Backends, number: int) -> None:
        self.call: Call = seed.live_call(number, datetime.now(UTC))
        self._services, self._index = services, 0

    def __call__(self, suggester: Suggester, text: str, speaker: SpeakerRole = "customer") -> int:
        intent: Intent = self._services.understander.understand(text)
        index, self._index = self._index, self._index + 1
        sentence = Sentence(self.call.id, index, 2, speaker, text, 0.0, 1.0, intent=intent)
        suggester.heard(self.call, sentence)
        return index


def test_a_request_is_answered_and_nothing_else_is(suggester: Suggester, services: Backends) -> None:
    advice, say = Advice(), Said(services, 1)
    suggester.watch(advice)
    for text in (
        "Hello, good morning.",
        "My bill is twice what I normally pay.",
        "I want to speak to a person.",
        "Do you have a flying carpet in stock in Boston?",
        "Thank you, goodbye.",
    ):
        say(suggester, text)
    say(suggester, "Will it rain in Denver?", speaker="agent")
    asked = say(suggester, "Will it rain in Boston tomorrow?")
    (found,) = advice.count(1)
    assert (found.call_id, found.index, found.asked) == (say.call.id, asked, "Will it rain in Boston tomorrow?")
    assert "Boston tomorrow" in found.text
    assert not found.is_question
    assert found.source == "sample weather"
    assert found.as_of is not None
    assert message(found)["as_of_ms"] == round(found.as_of.timestamp() * 1000)
    conversations = services.store.conversations(ConversationQuery())
    assert conversations.total == 0, "what nobody talked about with the assistant is no conversation of its archive"


def test_what_has_to_be_asked_back_is_offered_as_a_question(suggester: Suggester, services: Backends) -> None:
    advice, say = Advice(), Said(services, 2)
    suggester.watch(advice)
    say(suggester, "What will the weather be like?")
    (question,) = advice.count(1)
    assert question.is_question
    assert "city" in question.text.lower()
    assert question.source == ""
    say(suggester, "Well, I do not know.")  # answers nothing: the question stands
    say(suggester, "In Chicago.")
    _, answer = advice.count(2)
    assert "Chicago" in answer.text
    assert not answer.is_question


def test_calls_do_not_mix_and_who_comes_late_hears_what_stands(suggester: Suggester, services: Backends) -> None:
    first, one, other = Advice(), Said(services, 3), Said(services, 4)
    stop = suggester.watch(first)
    say = ["Will it snow in Denver?", "Is it sunny in Chicago?", "How much is a wool sweater?"]
    for number in range(KEPT + 1):
        one(suggester, say[number % 3])
        first.count(number + 1)
    stop()
    other(suggester, "What will the weather be like?")
    late = Advice()
    for _ in range(600):
        late = Advice()
        suggester.watch(late)()
        if len(late.all) > KEPT:
            break
        threading.Event().wait(0.05)
    assert len(late.all) == KEPT + 1
    assert [found.is_question for found in late.all if found.call_id == other.call.id] == [True], (
        "its own place is asked"
    )
    assert len(first.all) == KEPT + 1
    suggester.ended(one.call.id)
    left = Advice()
    suggester.watch(left)
    assert {found.call_id for found in left.all} == {other.call.id}
