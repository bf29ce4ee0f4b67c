"""Models are measured wherever they are, against each other, with words that a person can act on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finetune import evaluation, judges
from finetune.cli import cli, main
from pipeline.errors import InputError
from pipeline.registry import Registry
from pipeline.settings import DATA, Settings
from pipeline.store import open_store
from tests.server.tiny_models import ROWS, tiny
from tests.store.samples import a_call, a_sentence

TURNED = [row[::-1] for row in ROWS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that reads "good" and "bad", one that takes them for each other, and forty sentences."""
    tiny(tmp_path, name="right")
    tiny(tmp_path, name="wrong", rows=TURNED, version="2")
    header = "label\tspeaker\tindustry\tphenomenon\ttext\tcall\n"
    lines = [
        f"{label}\t{'agent' if i % 4 else 'customer'}\tx\ty\t{word} {i}\t{i % 12}\n"
        for i in range(40)
        for label, word in (("positive", "good") if i % 2 else ("negative", "bad"),)
    ]
    (tmp_path / "data.tsv").write_text(header + "".join(lines), encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    """The verb `evaluate` in a home of its own."""
    return CliRunner(env={"OVERTONE_HOME": str(folder / "home")}).invoke(cli, ["evaluate", *arguments])


def test_a_folder_is_measured_against_another_with_plots_and_json(folder: Path) -> None:
    done = run(
        folder, str(folder / "right"), "--against", str(folder / "wrong"), "--data", str(folder / "data.tsv"),
        "--json", str(folder / "out" / "f.json"), "--plots", str(folder / "plots"),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "verdict: better: sentiment@1 beats sentiment@2" in done.output
    assert "by speaker" in done.output
    told = json.loads((folder / "out" / "f.json").read_text())
    (one,) = told["sets"]
    assert (told["model"], told["against"], one["rows"]) == ("sentiment@1", "sentiment@2", 40)
    assert one["accuracy"] == [1.0, 1.0, 1.0]
    assert one["against"]["accuracy"][0] == 0.0
    assert one["comparison"]["only_ours"] == 40
    plots = sorted(path.name for path in (folder / "plots").iterdir())
    assert plots == ["data.confusion.png", "data.reliability.png", "data.slices.png"]
    assert all((folder / "plots" / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for name in plots)


def test_a_version_of_the_registry_and_a_server_are_models_too(folder: Path, speech_server: str) -> None:
    registry = Registry(folder / "home" / "models", Settings().models)
    version = registry.register(folder / "right")
    settings = Settings(home=folder / "home")
    for wanted in (version.identity, version.version, "sentiment@0", "sentiment", "intent-slot"):
        with judges.opened(wanted, settings, {}) as judge:
            assert judge.task == ("intent_slot" if wanted == "intent-slot" else "sentiment")
    with judges.opened(speech_server, settings, {}) as judge:
        assert judge.identity.startswith("sentiment@")
        assert judge.sentiments(["I love it.", "I hate it."]).argmax(1).tolist() == [2, 0]
    with judges.opened(speech_server, settings, {}, task="intent_slot") as judge:
        (meaning,) = judge.meanings(["is it sunny in Denver"])
        assert (meaning.intent, meaning.slots) == ("weather.sunny", ((15, 21, "location"),))
    with pytest.raises(InputError, match="is no folder with a model"), judges.opened("nonsense", settings, {}):
        pass


def test_intents_and_slots_are_measured_as_their_training_did(folder: Path) -> None:
    source, target = DATA / "training" / "nara", folder / "nara"
    target.mkdir()
    for name, rows in (("test.tsv", 81), ("test_slots.tsv", 80), ("dict.intents.csv", 99), ("dict.slots.csv", 99)):
        lines = (source / name).read_text().splitlines(keepends=True)
        (target / name).write_text("".join(lines[:rows]))
    (texts,) = evaluation.read([target / "test.tsv"])
    with judges.opened("intent-slot", Settings(home=folder / "home"), {}) as judge:
        outcome = evaluation.evaluate(texts, judge)
    assert outcome.figures.rows == 80
    assert outcome.figures.accuracy.value > 0.6
    assert outcome.figures.slot_f1 is not None
    assert outcome.figures.slot_f1.value > 0.6
    assert any("slot F1" in line for line in evaluation.lines(outcome))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("positive\tgood\n" * 9, "at least 10 are needed"),
        ("sad\tgood\n" * 20, "labels that are no sentiment: sad"),
        ("positive\tgood\nno tab\n", r"data\.tsv:2: has no tab"),
    ],
)
def test_data_that_says_nothing_is_refused(folder: Path, content: str, said: str) -> None:
    (folder / "data.tsv").write_text(content)
    done = run(folder, str(folder / "right"), "--data", str(folder / "data.tsv"))
    assert isinstance(done.exception, InputError)
    assert re.search(said, str(done.exception))


def test_the_command_says_in_one_line_what_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERTONE_HOME", str(folder / "home"))
    with pytest.raises(SystemExit):
        main(["evaluate", str(folder / "right"), "--data", str(folder / "gone.tsv")])
    assert capsys.readouterr().err.startswith("overtone: there is no file ")


@pytest.fixture
def stored(folder: Path) -> Path:
    """A home with a call of forty sentences that has a reference."""
    home = folder / "home"
    with open_store(Settings(home=home).store_url) as store:
        said = [f"{'good' if i % 2 else 'bad'} {i}" for i in range(40)]
        heard = [text.replace("good", "wood") if i < 10 else text for i, text in enumerate(said)]
        call = a_call(source="one.wav")
        store.add(call, [a_sentence(call.id, i, speaker="agent", text=text) for i, text in enumerate(heard)])
    labels = ["positive" if "good" in text else "negative" for text in said]
    sentences = [{"speaker": "agent", "text": t, "sentiment": m} for t, m in zip(said, labels, strict=True)]
    (folder / "references").mkdir()
    (folder / "references" / "one.json").write_text(json.dumps({"audio": "one.wav", "sentences": sentences}))
    (folder / "references" / "two.json").write_text(json.dumps({"audio": "two.wav", "sentences": sentences}))
    return folder


def test_recognised_calls_tell_what_recognition_costs(stored: Path) -> None:
    done = run(
        stored,
        str(stored / "right"),
        "--calls",
        "--references",
        str(stored / "references"),
        "--json",
        str(stored / "f"),
    )
    assert done.exit_code == 0, done.output
    assert "not in the store: two.wav" in done.output
    found = json.loads((stored / "f").read_text())["calls"]
    assert found["sentences"] == 40
    assert found["word_error_rate"][0] == pytest.approx(5 / 98)  # 21 is two words
    # "good" became "wood" five times: neutral instead of positive.
    assert found["mean_difference"][0] == pytest.approx(5 / 40)
    assert found["against_people"]["recognition_wrong"] == 5
    assert found["against_people"]["classifier"][0] == 0.0
