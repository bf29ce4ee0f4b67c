"""The assistant at a terminal, and its archive, as a person runs them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.end_to_end.conftest import TIMEOUT_S, Overtone


def typed(overtone: Overtone, lines: bytes, *arguments: str | Path) -> str:
    """What `overtone chat` printed for the lines."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "chat", *map(str, arguments)],
        env=dict(overtone.environment) | {"OVERTONE_HOME": str(overtone.home), "OVERTONE_REDACT": "phone"},
        input=lines,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_a_typed_conversation_a_spoken_one_and_their_archive(
    overtone: Overtone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    said = b"will it rain tomorrow\nBoston\n\n\xff\xfe\nbye\nnever read\n"
    shown = typed(overtone, said, "--show", "--out", question)
    assert "city" in shown
    assert "action   weather kind='rainfall_yes_no' location='Boston'" in shown
    assert "intent   weather.rainfall_yes_no" in shown
    assert "understand_ms" in shown
    assert "never read" not in shown

    lines = typed(overtone, b"my number is 555 123 4567\n!undo\nweather in Oslo", "--json", "--person", "Ann")
    turns = [json.loads(line) for line in lines.splitlines()]
    assert [turn["event"] for turn in turns] == ["opened", "said", "undo", "said"]
    assert turns[-1]["actions"][0]["source"] == "sample weather"
    conversation = turns[0]["conversation"]

    # The answers of the first conversation are the questions of this one: any speech will do.
    spoken = typed(overtone, b"never read", "--voice", question, "--voice", question, "--out", answer, "--json")
    heard = [json.loads(line) for line in spoken.splitlines()]
    assert [turn["number"] for turn in heard] == [0, 1, 2]
    assert all(turn["recogniser"].startswith("moonshine") for turn in heard[1:])
    assert all(turn["timings_ms"]["recognise_ms"] > 0 for turn in heard[1:])
    assert answer.stat().st_size > 44

    monkeypatch.setenv("OVERTONE_HOME", str(overtone.home))
    main(["archive", "export", "--day", datetime.now(UTC).date().isoformat(), "--to", str(tmp_path / "out"), "--json"])
    done = json.loads(capsys.readouterr().out)
    assert done["waiting"] > 0
    with (Path(done["folder"]) / "turns.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["channel"] for row in rows} == {"text", "voice"}
    mine = [row for row in rows if row["conversation"] == conversation]
    assert "my number is [phone]" in [row["user_text"] for row in mine]
    assert {row["person"] for row in mine} == {"Ann"}
    main(["archive", "delete", "--before", "2999-01-01"])
    assert capsys.readouterr().out == "3 conversations deleted\n"
