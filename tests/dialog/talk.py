"""What the dialog's tests share: the shipped flows, small flows from text, and words with their understanding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from pipeline.calls import Intent, Slot
from pipeline.dialog import DialogState, Event, Flows, Said, Step, begin, load, step
from pipeline.dialog.checks import load_texts

ROOT = Path(__file__).parents[2]
FLOWS_FOLDER = ROOT / "data" / "flows"
CASES_FOLDER = FLOWS_FOLDER / "tests"
PUBLISHED = Path(__file__).parent / "published"
CORRECTED = Path(__file__).parent / "corrected"
SHIPPED = load(FLOWS_FOLDER)


def said(text: str, intent: str = "unknown", slots: Mapping[str, str | Sequence[str]] | None = None) -> Said:
    """Words as a model that tags these texts would understand them."""
    found = []
    for name, texts in (slots or {}).items():
        for one in [texts] if isinstance(texts, str) else texts:
            start = text.lower().index(one.lower())
            found.append(Slot(name, one, one, start, start + len(one), 0.9))
    return Said(text, Intent(intent, 0.9, tuple(found), "test@1"))


def flows_of(text: str, *unreached: str) -> Flows:
    """The flows of one file's text, which must be without any defect but states that nothing leads to."""
    flows, defects = load_texts({"main_flow.yml": dedent(text)})
    assert {defect.state for defect in defects} == set(unreached), "\n".join(map(str, defects))
    return flows


def talk(flows: Flows, *events: Event, seed: int = 0) -> list[Step]:
    """The steps of a conversation: its beginning, then one for each event."""
    steps = [begin(flows, seed)]
    for event in events:
        steps.append(step(flows, steps[-1].state, event))
    return steps


def texts(taken: Step) -> list[str]:
    """What is said in a step."""
    return [reply.text for reply in taken.replies]


def last(flows: Flows, *events: Event) -> DialogState:
    """The state that a conversation ends in."""
    return talk(flows, *events)[-1].state
