"""Training on meanings: wordings of one come nearer to each other, denials and questions do not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from finetune import encoder, meaning, sentence_encoder
from finetune.config import Encoder
from finetune.meaning import Meaning, Recipe
from finetune.model import SentenceEmbedder
from pipeline.alerts.meaning import bare
from pipeline.errors import InputError
from tests.bench import meanings as bench

HEADER = "meaning\twho\tkind\ttext\n"
CALLS = [
    Meaning(name, tuple(f"{word} {name} {end}" for word, end in pairs), (f"no {name} at all",))
    for name, pairs in {
        "parcel lost": (("my", "today"), ("the", "again"), ("our", "somewhere"), ("that", "for good")),
        "card stolen": (("his", "yesterday"), ("a", "at night"), ("her", "abroad"), ("one", "from me")),
    }.items()
]
QUICK = Recipe(epochs=3, meanings=2, plain=2, learning_rate=1e-3)


def test_what_is_shipped_can_be_read_and_leaves_out_what_measures() -> None:
    known = meaning.read(sentence_encoder.MEANINGS)
    assert len(known) >= 360
    assert all(len(one.said) >= 11 and len(one.others) >= 6 for one in known)
    texts = {bare(text).lower() for one in known for text in (*one.said, *one.others)}
    measured = bench.rows(bench.LABELLED)
    assert {row["meaning"] for row in measured}.isdisjoint(one.name for one in known)
    told = {bare(row["text"]).lower() for row in measured if row["kind"] != "asked"}  # two questions are in both
    assert told.isdisjoint(texts)


def test_defects_are_told_at_once_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(HEADER + "lost\tcustomer\tshouted\tIt is lost.\nlost\tcustomer\tsaid\n", "utf-8")
    (tmp_path / "b.tsv").write_text("meaning,text\n", "utf-8")
    (tmp_path / "c.tsv").write_text(HEADER + "alone\tcustomer\tsaid\tIt is lost.\n", "utf-8")
    with pytest.raises(InputError) as caught:
        meaning.read(tmp_path)
    told = str(caught.value)
    assert all(part in told for part in ("a.tsv:2", "a.tsv:3", "b.tsv:1", "alone: fewer than two wordings"))
    with pytest.raises(InputError, match="no meanings"):
        meaning.read(tmp_path / "nothing")


def trained(work: Path, recipe: Recipe) -> tuple[list[float], SentenceEmbedder]:
    folder = encoder.unpack(work)
    model = SentenceEmbedder(encoder.read(folder, Encoder(max_tokens=32, layers=1))).eval()
    losses: list[float] = []
    tokenizer = encoder.tokenizer(folder, 32)
    plain = ["Good morning.", "What time is it?", "One moment, please."]
    meaning.train(model, tokenizer, CALLS, plain, recipe, lambda step, steps, loss: losses.append(loss))
    return losses, model


def test_training_lowers_the_loss_and_the_same_seed_gives_the_same_weights(work: Path) -> None:
    losses, model = trained(work, QUICK)
    again, other = trained(work, QUICK)
    assert losses == again
    assert losses[-1] < losses[0]
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))


def test_every_tenth_meaning_is_kept_out() -> None:
    known = [Meaning(str(number), ("a", "b"), ()) for number in range(25)]
    trained_on, kept = meaning.split(known)
    assert [one.name for one in kept] == ["0", "10", "20"]
    assert len(trained_on) == 22
