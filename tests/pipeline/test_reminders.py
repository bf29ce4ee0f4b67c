"""Reminders: the shipped list, a company's own, and what ticks one off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import reminders
from pipeline.calls import Sentence, SpeakerRole
from pipeline.errors import InputError

SENTENCE = Sentence(call_id="c", index=0, channel=1, speaker="agent", text="", start_s=0.0, end_s=1.0)


def said(speaker: SpeakerRole, text: str) -> list[str]:
    return reminders.said(reminders.read(reminders.SHIPPED.read_text(), "default.yml"), speaker, text)


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("Good morning, this is Dana speaking.", ["Greet the customer", "Say your name"]),
        ("May I ask who I am speaking to?", ["Ask for the customer's name"]),
        ("Could you give me the last four digits of your customer number?", ["Verify the account"]),
        ("I'm sorry to hear that.", ["Show that you understand"]),
        ("So just to confirm, you will get the form by email.", ["Sum up what happens next"]),
        ("Is there anything else?", ["Ask if there is anything else"]),
        ("Have a lovely day, goodbye!", ["Say goodbye"]),
        ("The history of this chip is odd.", []),
    ],
)
def test_the_shipped_list_knows_what_agents_say(text: str, ticks: list[str]) -> None:
    assert said("agent", text) == ticks
    assert said("unknown", text) == ticks
    assert said("customer", text) == []


def test_the_first_sentence_counts() -> None:
    texts = ["Hello.", "Hi again.", "Bye."]
    spoken = [replace(SENTENCE, index=index, text=text) for index, text in enumerate(texts)]
    shipped = reminders.load(Path("nowhere")).reminders
    assert reminders.ticked(shipped, spoken) == {"Greet the customer": 0, "Say goodbye": 2}


def test_a_company_has_its_own(tmp_path: Path) -> None:
    reminders.own_file(tmp_path).write_text(
        "forms: {offer: [offers, offered]}\nreminders:\n- {name: The plan, says: offer ... plan}\n- name: Smile\n"
    )
    found = reminders.load(tmp_path)
    assert found.defects == ""
    assert [reminder.name for reminder in found.reminders] == ["The plan", "Smile"]
    assert reminders.said(found.reminders, "agent", "I've offered you the bigger plan.") == ["The plan"]


def test_a_file_with_defects_says_all_of_them_and_the_shipped_list_stands_in(tmp_path: Path) -> None:
    reminders.own_file(tmp_path).write_text(
        "form: {}\nreminders:\n- {nam: a}\n- {name: b, says: ['...']}\n- {name: b, says: [ok]}\n- {name: d, says: []}\n"
    )
    found = reminders.load(tmp_path)
    assert found.reminders == reminders.load(tmp_path / "nowhere").reminders
    assert found.defects.splitlines() == [
        "the reminders in reminders.yml cannot be used:",
        "line 1: `form` is no key of the file, did you mean `forms`?",
        "line 3: `nam` is no key of a reminder, did you mean `name`?",
        "line 3: a reminder needs `name`, a text",
        "line 4: “...” is no phrase: write words, and `...` only between two of them",
        "line 5: a reminder called “b” is there already",
        "line 6: `says` must be a list of texts, none of them empty",
    ]


@pytest.mark.parametrize(
    "text", ["", "- a", "reminders: 3", "reminders: [", "reminders:\n- a", "forms: [a]\nreminders: []"]
)
def test_what_is_no_list_of_reminders_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        reminders.read(text, "mine.yml")
