"""Rules on meaning with the encoder that we ship: paraphrases are found, and how well is what the docs say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.alerts.meaning import Meanings, bare, denies, missing
from pipeline.alerts.shape import DEFAULT_CLOSENESS
from pipeline.embedding import SentenceEncoder
from pipeline.errors import ConfigError
from pipeline.settings import DATA
from tests.alerts.calls import rules, said
from tests.bench import meanings

MODELS = DATA / "models"
BACK = "I want my money back."
REFUND = rules(f"  - {{name: back, when: {{who: customer, means: [{BACK}]}}}}")


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder(MODELS)


class Counting(SentenceEncoder):
    """The real encoder, which remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(MODELS)
        self.asked: list[str] = []

    def vector(self, text: str) -> np.ndarray:
        self.asked.append(text)
        return super().vector(text)


def test_an_embedding_has_length_one_and_is_the_same_each_time(encoder: SentenceEncoder) -> None:
    vector = encoder.vector("I want my money back.")
    assert vector.shape == (384,)
    assert float(vector @ vector) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(vector, encoder.vector("I want my money back."))
    assert encoder.vector("").shape == encoder.vector("word " * 10_000).shape == (384,)
    assert encoder.identity == "sentence_encoder@2026.11.2"


def test_what_means_the_same_is_nearer(encoder: SentenceEncoder) -> None:
    back, same, other = map(encoder.vector, (BACK, "just refund me already", "The parcel came on Monday."))
    assert float(back @ same) > DEFAULT_CLOSENESS > float(back @ other)


def test_a_folder_without_the_encoder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no model 'sentence_encoder'"):
        SentenceEncoder(tmp_path)


@pytest.mark.parametrize("text", ["I don't want that.", "No.", "I’ve NOT paid", "i cannot pay", "never again"])
def test_denials(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize("text", ["I know.", "Notice me", "another one", "a knot"])
def test_no_denials(text: str) -> None:
    assert not denies(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Uh, so I just want, you know, a refund please.", "I want, a refund ."),
        ("Well, honestly, no, this is a scam.", "this is a scam."),
        ("No no, give me a refund.", "give me a refund."),
        ("No need for a refund.", "No need for a refund."),
        ("I would like a refund.", "I would like a refund."),
        ("Just please.", "Just please."),
        ("uh", "uh"),
    ],
)
def test_what_means_nothing_is_left_out(text: str, left: str) -> None:
    assert bare(text) == left


def test_a_sentence_is_embedded_once_for_all_rules_and_those_of_the_rules_once_for_all() -> None:
    asked = Counting()
    found = Meanings(lambda: asked)
    given = (*REFUND, *rules("  - {name: b, when: {means: [I want my money back., This is a scam.]}}"))
    found.follow(given)
    found.follow(given)  # as when the file is saved again
    assert sorted(asked.asked) == [BACK, "This is a scam."]
    near = found.near(said(0, "just refund me already"))
    assert near.keys() == {BACK, "This is a scam."}
    assert near[BACK] > near["This is a scam."]
    assert len(asked.asked) == 3
    assert found.near(said(1, "Refund him.", speaker="agent")).keys() == near.keys()
    found.follow(REFUND)
    count = len(asked.asked)
    assert found.near(said(2, "Refund him.", speaker="agent")) == {}  # no rule looks at the agent
    assert found.near(said(4, "No, I want my money back."))
    count = len(asked.asked)
    assert found.near(said(3, "I don't want my money back.")) == {}  # no sentence of the rule denies
    assert len(asked.asked) == count


def test_a_rule_that_denies_is_held_against_denials() -> None:
    found = Meanings(lambda: SentenceEncoder(MODELS))
    found.follow(rules("  - {name: a, when: {means: [I can't pay this., I have no money left.]}}"))
    near = found.near(said(0, "I can't afford that."))
    assert near["I can't pay this."] > DEFAULT_CLOSENESS


def never() -> SentenceEncoder:
    raise AssertionError("the encoder is loaded for nobody")


@pytest.mark.parametrize(
    "given", [(), rules("  - {name: a, when: {silence_s: 30}}"), [replace(REFUND[0], enabled=False)]]
)
def test_without_a_rule_on_meaning_nothing_is_loaded(given: list[object]) -> None:
    found = Meanings(never)
    found.follow(given)  # type: ignore[arg-type]
    assert found.near(said(0, BACK)) == {}


def test_without_the_encoder_other_rules_go_on_and_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = Meanings(lambda: SentenceEncoder(tmp_path))
    found.follow(REFUND)
    assert found.near(said(0, BACK)) == {}
    assert "rules on meaning (`means`) are off, the others go on: no model 'sentence_encoder'" in caplog.text
    assert "no model 'sentence_encoder'" in missing(REFUND, tmp_path)
    assert missing(REFUND, MODELS) == missing([replace(REFUND[0], enabled=False)], tmp_path) == ""


def test_meanings_are_found_as_well_as_the_docs_say(encoder: SentenceEncoder) -> None:
    """Recall and false alarms on the half that the default threshold was not chosen by."""
    chosen, reported = meanings.halves(meanings.scores(encoder))
    assert {each.meaning for each in reported} == {each.meaning for each in chosen}
    assert meanings.threshold(chosen) == pytest.approx(DEFAULT_CLOSENESS, abs=0.01)
    found = meanings.shares(reported, DEFAULT_CLOSENESS)
    assert found["unrelated"] <= 1.5 * meanings.ALARMS  # by chance more than in the half that chose
    assert found["said"] >= 0.4
    assert found["denied"] <= 0.2
    assert found["asked"] <= 0.1
