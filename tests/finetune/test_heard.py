"""True sentences find their recognised words, and the error is split between its causes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from finetune import heard
from finetune.evaluate import Floats
from finetune.heard import Heard, Said
from finetune.judges import Meaning
from pipeline.calls import Sentence, SpeakerRole
from pipeline.errors import InputError
from pipeline.settings import DATA


def sentence(index: int, speaker: SpeakerRole, text: str) -> Sentence:
    """A recognised sentence."""
    return Sentence("c", index, 1, speaker, text, float(index), index + 1.0)


class Words:
    """A model that reads single words: good is positive, bad is negative."""

    identity, task = "words@1", "sentiment"

    def sentiments(self, texts: Sequence[str]) -> Floats:
        """Float64 [texts, 3]."""
        return np.array([[float("bad" in t), 0.5, float("good" in t)] for t in texts])

    def meanings(self, texts: Sequence[str]) -> list[Meaning]:
        """Nothing."""
        return []


def test_words_are_aligned_per_speaker_however_the_recogniser_cuts() -> None:
    said = [
        Said("agent", "Hello, how can I help you?"),
        Said("customer", "I paid $40 on Monday."),
        Said("customer", "It is not good."),
        Said("agent", "I see."),
    ]
    recognised = [
        sentence(0, "agent", "Hello how can I help"),
        sentence(1, "customer", "I paid forty dollars on a Monday it is"),
        sentence(2, "customer", "not wood."),
    ]
    found = heard.aligned("c", said, recognised)
    assert [row.said for row in found] == said
    assert [row.text for row in found] == [
        "Hello how can I help",
        "I paid forty dollars on a Monday",
        "it is not wood.",
        "",
    ]
    # Lost: you; added: a; wrong: good; lost: I see.
    assert [row.errors for row in found] == [1, 1, 1, 2]
    assert [row.words for row in found] == [6, 6, 4, 2]


def test_the_causes_add_up_to_the_whole_error() -> None:
    def row(text: str, got: str, label: str, call: int) -> Heard:
        return Heard(f"call {call}", Said("customer", text, label), got, 2, int(text != got))

    rows = []
    for call in range(10):
        rows += [
            row("so good", "so good", "positive", call),
            row("so good", "so wood", "positive", call),  # recognition's
            row("not it", "not it", "negative", call),  # the classifier's
            row("so bad", "so", "neutral", call),  # mended by luck
        ]
    found = heard.measured(rows, Words())
    assert found.word_error_rate.value == pytest.approx(20 / 80)
    assert found.changed.value == pytest.approx(0.5)
    assert found.difference.value == pytest.approx(0.5)
    split = found.split
    assert split is not None
    assert (split.right, split.classifier_wrong, split.recognition_wrong, split.mended) == (20, 10, 10, 10)
    assert split.total.value == pytest.approx(split.classifier.value + split.recognition.value)
    assert heard.told(found)["against_people"]["sentences"] == 40


def test_too_few_sentences_say_how_many_are_needed() -> None:
    with pytest.raises(InputError, match="about 30 are needed"):
        heard.measured([Heard("c", Said("agent", "x"), "x", 1, 0)], Words())


def test_references_are_read_and_defects_told_at_once(tmp_path: Path) -> None:
    assert len(heard.references(DATA / "samples")) == 6
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text(
        '{"audio": "b.ogg", "sentences": [{"speaker": "agent", "text": "x", "sentiment": "sad"}]}'
    )
    with pytest.raises(InputError) as caught:
        heard.references(tmp_path)
    assert "a.json: needs audio" in str(caught.value)
    assert "b.json: sentiment sad is none of" in str(caught.value)
