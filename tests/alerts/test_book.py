from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.alerts import book
from pipeline.alerts.reading import RulesError, read
from pipeline.errors import InputError

OWN = """\
# ours
rules:
  - name: Quiet line  # a remark
    when: {silence_s: 30}
  - {name: Row, when: {negative_in_a_row: 3}}
  - when:
      asks_for_supervisor: true
    enabled: no
    name: "Boss"
"""


def test_the_shipped_rules_count_until_there_are_own_ones(tmp_path: Path) -> None:
    assert book.load(tmp_path).origin == book.SHIPPED
    assert book.text(tmp_path) == book.SHIPPED.read_text()
    assert book.stamp(tmp_path) is None
    assert [rule.name for rule in book.save(tmp_path, OWN)] == ["Quiet line", "Row", "Boss"]
    assert book.load(tmp_path).origin == tmp_path / "alerts.yml"
    assert book.text(tmp_path) == OWN
    assert book.stamp(tmp_path) is not None


def test_a_text_with_defects_is_not_saved(tmp_path: Path) -> None:
    book.save(tmp_path, OWN)
    with pytest.raises(RulesError, match=r"alerts\.yml cannot be used, 2 things to mend"):
        book.save(tmp_path, "rules:\n  - {name: a}\n  - {name: b}\n")
    assert book.text(tmp_path) == OWN
    assert [path.name for path in tmp_path.iterdir()] == ["alerts.yml"]


@pytest.mark.parametrize("content", [b"rules: [", b"\xff\xfe", b"rules:\n" + b"# x\n" * 300_000])
def test_a_damaged_file_leaves_the_shipped_rules_in_force_and_says_why(tmp_path: Path, content: bytes) -> None:
    book.own_file(tmp_path).write_bytes(content)
    found = book.load(tmp_path)
    assert found.rules == book.load(tmp_path / "elsewhere").rules
    assert "alerts.yml cannot be used" in found.defects


@pytest.mark.parametrize("name", ["Quiet line", "Row", "Boss"])
def test_a_rule_is_switched_and_nothing_else_changes(name: str) -> None:
    before = read(OWN, "x")
    text = OWN
    for on in (False, True, False, False, True):
        text = book.switched(text, name, on=on)
        expected = [replace(rule, enabled=on) if rule.name == name else rule for rule in before]
        assert list(read(text, "x")) == expected
    assert text.startswith("# ours\n")
    assert "# a remark" in text


def test_a_rule_that_is_not_there_cannot_be_switched() -> None:
    with pytest.raises(InputError, match="no rule called “Gone”"):
        book.switched(OWN, "Gone", on=True)
