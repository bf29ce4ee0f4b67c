"""The docs say what the code does: generated pages are current, links lead somewhere, nothing private is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import DOCS, PAGES

ROOT = DOCS.parent


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_current(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if not t.startswith(("http:", "https:")) and not (page.parent / t).exists()]
    assert not missing


def test_constraints_pin_every_dependency_and_name_no_address() -> None:
    lines = [line for line in (ROOT / ".ci/constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = project[project.index("dependencies = [") : project.index("[project.scripts]")]
    wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r'"([A-Za-z][A-Za-z0-9._-]+)', lists)}
    assert wanted - {"overtone"} <= pinned
