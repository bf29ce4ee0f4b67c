"""Defects of training data come all at once, with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune import data
from finetune.config import Source
from pipeline.errors import InputError
from tests.finetune.conftest import REPOSITORY

HEADER = "label\tspeaker\tindustry\tphenomenon\ttext\n"


def _load(folder: Path, *sources: Source) -> list[data.Row]:
    return data.load(sources, {"repository": folder, "datasets": folder}, seed=1, labels=data.LABELS)


def test_all_defects_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.tsv").write_bytes(
        HEADER.encode()
        + b"neutral\tagent\tbanking\tplain\tYour card is on its way.\n"  # 2: good
        + b"angry\tcustomer\tbanking\tanger\tThis is a joke.\n"  # 3: unknown label
        + b"neutral\tcustomer\tbanking\tplain\n"  # 4: four columns
        + b"neutral\trobot\tbanking\tplain\tPress one.\n"  # 5: unknown speaker
        + b"neutral\tagent\tbanking\tplain\t  \n"  # 6: empty text
        + b"neutral\tagent\tbanking\tplain\tCaf\xe9 closed.\n"  # 7: Latin-1
        + b"\n"  # 8: empty line
        + b"negative\tcustomer\tbanking\tplain\tyour card is on its way\n"  # 9: contradicts line 2
    )
    (tmp_path / "two.tsv").write_text("positive\tlovely\nno tab here\n", encoding="utf-8")
    (tmp_path / "three.tsv").write_text("text\tlabel\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        _load(
            tmp_path,
            Source("one.tsv"),
            Source("two.tsv", "labelled"),
            Source("three.tsv"),
            Source("four.tsv"),
        )
    told = str(caught.value)
    for defect in (
        "one.tsv:3: label 'angry' is not one of negative, neutral, positive",
        "one.tsv:4: has 4 columns instead of 5",
        "one.tsv:5: speaker 'robot'",
        "one.tsv:6: the text is empty",
        "one.tsv:7: is not UTF-8",
        "one.tsv:8: is empty",
        "one.tsv:9: labelled negative, but neutral at one.tsv:2",
        "two.tsv:2: has no tab",
        "three.tsv:1: the header must be",
        "four.tsv:0: cannot be read",
    ):
        assert defect in told
    assert told.startswith("10 defects")


def test_a_dev_file_tells_the_call_of_each_row(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text(
        HEADER.replace("\n", "\tcall\n") + "neutral\tagent\tbanking\tplain\tOne moment.\tcall-7\n", encoding="utf-8"
    )
    (row,) = _load(tmp_path, Source("d.tsv"))
    assert (row.call, row.speaker, row.line, row.text) == ("call-7", "agent", 2, "One moment.")


def test_a_limit_draws_the_same_rows_each_time(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("".join(f"neutral\trow {i}\n" for i in range(100)), encoding="utf-8")
    drawn = _load(tmp_path, Source("x.tsv", "labelled", limit=10))
    assert len(drawn) == 10
    assert drawn == _load(tmp_path, Source("x.tsv", "labelled", limit=10))


def test_public_formats_become_rows_with_the_given_label(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text('text,category\n"Where is\nmy card?",card\nWhy me,x\n', encoding="utf-8")
    (tmp_path / "c.json").write_text(json.dumps({"train": [["book a table", "book"]]}), encoding="utf-8")
    (tmp_path / "n.json").write_text(json.dumps([{"text": "a new pin please"}]), encoding="utf-8")
    (tmp_path / "t.tsv").write_text("Play\tplay some jazz\tO O B-genre\n", encoding="utf-8")
    rows = _load(
        tmp_path,
        Source("b.csv", "banking77", label="neutral", exclude=("why me",)),
        Source("c.json", "clinc150", label="neutral"),
        Source("n.json", "nlupp", label="neutral"),
        Source("t.tsv", "tokens", label="neutral", weight=0.5),
    )
    assert [r.text for r in rows] == ["Where is my card?", "book a table", "a new pin please", "play some jazz"]
    assert {r.label for r in rows} == {"neutral"}
    assert rows[-1].weight == 0.5


def test_wrong_counts_of_tags_and_broken_json_are_defects(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("Play\tplay some jazz\tO O\n", encoding="utf-8")
    (tmp_path / "n.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"(?s)n\.json:1: is no nlupp file.*t\.tsv:1: needs intent"):
        _load(tmp_path, Source("t.tsv", "tokens", label="neutral"), Source("n.json", "nlupp", label="neutral"))


def test_held_out_texts_are_not_trained_on_however_they_are_written() -> None:
    train = [data.Row("neutral", text, "a", 1) for text in ("I lost my card.", "Hello there")]
    held = [data.Row("neutral", "i lost my card", "b", 1)]
    assert [r.text for r in data.without(train, held)] == ["Hello there"]


def test_a_class_without_examples_is_refused() -> None:
    rows = [data.Row("neutral", "a", "a", 1), data.Row("neutral", "b", "a", 2), data.Row("positive", "c", "a", 3)]
    told = [str(defect) for defect in data.lacking((row.label for row in rows), data.LABELS, "a.tsv")]
    assert told == [
        "a.tsv:0: too few training rows for negative (0); each label needs at least 2",
        "a.tsv:0: too few training rows for positive (1); each label needs at least 2",
    ]


def test_ids_stand_once_in_all_files(tmp_path: Path) -> None:
    header = HEADER.replace("\n", "\tid\n")
    (tmp_path / "a.tsv").write_text(header + "neutral\tagent\tx\ty\tOne.\tc:1\n", encoding="utf-8")
    (tmp_path / "b.tsv").write_text(header + "neutral\tagent\tx\ty\tTwo.\tc:1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"b\.tsv:2: id 'c:1' stands at a\.tsv:2 already"):
        _load(tmp_path, Source("a.tsv"), Source("b.tsv", "reviewed"))
    assert len(_load(tmp_path, Source("a.tsv"), Source("a.tsv"))) == 2


def test_other_encodings_are_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes((HEADER + "neutral\tagent\tx\ty\tOne.\n").encode("utf-16"))
    (tmp_path / "b.tsv").write_bytes(b"neutral\tgood\nneutral\tcaf\xef\xbf\xbd\nneutral\tn\x00o\nneutral\tcaf\xe9\n")
    with pytest.raises(InputError) as caught:
        _load(tmp_path, Source("a.tsv"), Source("b.tsv", "labelled"))
    told = str(caught.value)
    assert told.startswith("4 defects")
    assert "a.tsv:1: is UTF-16" in told
    for line, what in ((2, "an earlier conversion"), (3, "an earlier conversion"), (4, "is not UTF-8")):
        assert f"b.tsv:{line}: " in told
        assert what in told


def test_our_own_sentences_are_without_defect_and_apart_from_dev() -> None:
    folder = REPOSITORY / "data" / "training" / "sentiment"
    names = sorted(path.name for path in folder.glob("*.tsv"))
    plain = ("reviews_", "posts")
    sources = [Source(name, format="labelled") if name.startswith(plain) else Source(name) for name in names]
    rows = {source.path: _load(folder, source) for source in sources}
    dev = {data.key(r.text) for name in names if "_dev" in name for r in rows[name]}
    trained = [r for name in names if "_dev" not in name for r in rows[name]]
    assert len(dev) > 500
    assert len(trained) > 4000
    assert sum(data.key(r.text) in dev for r in trained) < 0.01 * len(trained)
