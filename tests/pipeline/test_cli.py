"""The verbs that need no service; tests/end_to_end runs the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.settings import DATA

PUBLISHED = Path(__file__).resolve().parent.parent / "dialog" / "published"


def test_flows_that_are_shipped_have_no_defects_and_go_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    main(["flows", "check", str(DATA / "flows")])
    main(["flows", "test", str(DATA / "flows")])
    main(["flows", "draw", str(DATA / "flows"), "--only", "weather_flow"])
    out = capsys.readouterr().out
    assert "no defects" in out
    assert "transitions covered" in out
    assert "(100 %)" in out
    assert "flowchart" in out


def test_every_defect_of_a_folder_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["flows", "check", str(PUBLISHED)])
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert len([line for line in out.splitlines() if line.startswith("error: ")]) > 1


def test_an_action_that_the_assistant_cannot_perform_is_a_defect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = "{type: Wether, transitions: {next_state: hear}}"
    hear = "{type: input_user, properties: {nlp_type: riva}, transitions: {next_state: init}}"
    (tmp_path / "main_flow.yml").write_text(f"name: main\nstates:\n  init: {ask}\n  hear: {hear}\n")
    with pytest.raises(SystemExit):
        main(["flows", "check", str(tmp_path)])
    assert "init: nobody serves the action `wether`, did you mean `weather`?" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuchverb"],
        ["report"],
        ["archive", "export", "--day", "today"],
        ["ingest", "--jobs", "0", "x"],
        ["calls", "--limit", "-1"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "Usage" in capsys.readouterr().err


def test_an_error_of_ours_is_one_line_and_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERTONE_ASR_URL", "typo:1")
    with pytest.raises(SystemExit) as ended:
        main(["calls"])
    err = capsys.readouterr().err
    assert ended.value.code == 1
    assert err.startswith("overtone: unknown setting OVERTONE_ASR_URL")
    assert len(err.splitlines()) == 1
