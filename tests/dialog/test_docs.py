"""What docs/flows.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.dialog import ActionDone, Reply
from pipeline.dialog.cases import read_cases
from pipeline.dialog.checks import load_texts
from pipeline.dialog.schema import reference
from pipeline.dialog.tests_as_data import report, run
from tests.dialog.talk import ROOT, SHIPPED, said, talk, texts

DOCS = (ROOT / "docs" / "flows.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)


def test_the_example_is_without_defects_and_talks_as_the_docs_say() -> None:
    flows, defects = load_texts({"example.yml": EXAMPLES[0]})
    assert not defects
    steps = talk(
        flows,
        said("When are you open?", "opening_hours"),
        said("The one on Main Street", "unknown", {"store.name": "Main Street"}),
        ActionDone(2, {"hours_status": "ok", "answer": "It is open until nine."}),
        said("And on Sunday?", "unknown", {"store.hour.day": "Sunday"}),
        ActionDone(4, {"hours_status": "ok", "answer": "On Sunday until five."}),
    )
    assert texts(steps[1]) == ["Which store?"]
    assert steps[4].actions[0].request == {"store": "Main Street", "day": "Sunday"}
    spoken = [text for taken in steps[1:] for text in texts(taken)]
    assert all(f"**{text}**" in " ".join(DOCS.replace("> ", "").split()) for text in spoken)


def test_the_conversation_goes_as_written(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(EXAMPLES[1])
    outcome = run(SHIPPED, read_cases(tmp_path))
    assert outcome.passed, report(outcome)


def test_the_python_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    names: dict[str, object] = {}
    exec(code.replace('Path("data/flows")', f'Path("{ROOT}/data/flows")'), names)
    taken = names["taken"]
    assert getattr(taken, "replies", None) == (Reply("Yes, in the afternoon."),)


def test_the_docs_hold_the_reference_that_the_code_makes() -> None:
    assert reference() in DOCS


def test_the_docs_name_every_action_with_its_keys() -> None:
    for action, keys in SHIPPED.results.items():
        assert f"`{action}`" in DOCS
        assert all(f"`{key}`" in DOCS for key in keys)
    assert all(f"`{slot}`" in DOCS for slot in SHIPPED.slots)
