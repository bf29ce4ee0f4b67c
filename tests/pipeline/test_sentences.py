from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calls import Word
from pipeline.sentences import Said, join, merge, without_loops


def words(text: str, start_s: float = 0.0) -> list[Word]:
    """Words of 0.3 s, 0.1 s apart; ``|2`` is a silence of 2 s more."""
    found, at_s = [], start_s
    for part in text.split():
        if part.startswith("|"):
            at_s += float(part[1:])
        else:
            found.append(Word(part, round(at_s, 3), round(at_s + 0.3, 3), 0.9))
            at_s += 0.4
    return found


def texts(text: str) -> list[str]:
    return [said.text for said in join(words(text))]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Hello there. How are you? Fine!", ["Hello there.", "How are you?", "Fine!"]),
        ("Mr. Smith met Dr. Jones on Main St. Louis", ["Mr. Smith met Dr. Jones on Main St. Louis"]),
        ("Come at 9 a.m. Monday or 5 p.m. I can wait.", ["Come at 9 a.m. Monday or 5 p.m.", "I can wait."]),
        ("The U.S. Government pays. We know.", ["The U.S. Government pays.", "We know."]),
        ("It costs 3.5 dollars. Or 3. 5 dollars.", ["It costs 3.5 dollars.", "Or 3. 5 dollars."]),
        ("No. I will not. Take No. 5 then.", ["No.", "I will not.", "Take No. 5 then."]),
        ("J. F. Kennedy called. So did I. Then we spoke.", ["J. F. Kennedy called.", "So did I.", "Then we spoke."]),
        ("Visit www. example. com today.", ["Visit www. example. com today."]),
        ("Sorry about that. let me look.", ["Sorry about that.", "let me look."]),
        ("Well... maybe. Hmm... Okay.", ["Well... maybe.", "Hmm...", "Okay."]),
        ('"Really?" she asked. (Yes.) Good.', ['"Really?"', "she asked.", "(Yes.)", "Good."]),
        ("call us. The plan etc. is fine", ["call us.", "The plan etc. is fine"]),
        ("I moved to the U.S. |1 Government pays", ["I moved to the U.S.", "Government pays"]),
    ],
)
def test_sentences_end_at_their_own_punctuation(said: str, expected: list[str]) -> None:
    assert texts(said) == expected


def test_a_long_silence_ends_a_sentence_without_punctuation() -> None:
    assert texts("i would like to |0.8 cancel |2 hello") == ["i would like to cancel", "hello"]


def test_nothing_and_mere_punctuation_are_no_sentences() -> None:
    assert join([]) == []
    assert texts("... |2 - ? .") == []
    assert join([Word("  ", 0, 1), Word("", 1, 2)]) == []


def test_times_are_those_of_the_first_and_the_last_word() -> None:
    first, second = join(words("Hello there. Good morning.", start_s=5.0), channel=2)
    assert (first.channel, first.start_s, first.end_s) == (2, 5.0, 5.7)
    assert (second.start_s, second.end_s) == (5.8, 6.5)
    assert [word.text for word in second.words] == ["Good", "morning."]


def test_long_sentences_part_at_the_best_comma() -> None:
    spoken = "so I went to the shop and asked them about it, they said the box was lost again last week"
    assert [said.text for said in join(words(spoken), most_words=15)] == [
        "so I went to the shop and asked them about it,",
        "they said the box was lost again last week",
    ]


def test_long_sentences_part_at_the_longest_pause() -> None:
    spoken = "one two three four five six |0.9 seven eight nine ten eleven twelve"
    assert [len(said.words) for said in join(words(spoken), most_s=4.0)] == [6, 6]


@given(
    st.lists(
        st.sampled_from(["yes", "no.", "and", "well,", "Mr.", "-", "5", "U.S.", "what?", "|1", "|3"]), max_size=120
    )
)
def test_no_word_is_lost_or_moved_and_no_sentence_is_too_long(parts: list[str]) -> None:
    given_words = words(" ".join(parts))
    found = join(given_words, most_words=10, most_s=8.0)
    assert all(len(said.words) <= 10 and said.end_s - said.start_s <= 8.0 for said in found)
    kept = [word for said in found for word in said.words]
    assert [word for word in kept if word.text != "-"] == [word for word in given_words if word.text != "-"]
    assert all(any(c.isalnum() for c in said.text) for said in found)


def test_channels_merge_in_the_order_of_the_conversation() -> None:
    agent = join(words("Hello. |3 Goodbye.", start_s=0.0), 1)
    customer = join(words("Hi. |5 Bye.", start_s=1.0), 2)
    assert [(said.channel, said.text) for said in merge([agent, customer])] == [
        (1, "Hello."),
        (2, "Hi."),
        (1, "Goodbye."),
        (2, "Bye."),
    ]
    one, two = Said(1, tuple(words("a"))), Said(2, tuple(words("b")))
    assert merge([[two], [one]]) == [one, two]


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        ("thank you. Thank you! thank you thank you bye", "thank you. Thank you! bye"),
        ("no no no no no stop", "no no no no no stop"),
        ("no no no no no no no stop", "no no stop"),
        ("code five five five five five five five seven", "code five five five five five five five seven"),
        ("1 2 1 2 1 2 1 2 1 2", "1 2 1 2 1 2 1 2 1 2"),
        ("we will see. we will see. we will see. end", "we will see. we will see. we will see. end"),
        ("", ""),
    ],
)
def test_loops_are_cut_to_two_rounds(heard: str, kept: str) -> None:
    assert " ".join(word.text for word in without_loops(words(heard))) == kept
