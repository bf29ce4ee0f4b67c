"""The dialog engine: flow files in YAML, and conversations as pure functions of them."""

from pipeline.dialog.asked import Asked, asked
from pipeline.dialog.checks import check, load
from pipeline.dialog.defects import Defect, FlowError
from pipeline.dialog.draw import draw
from pipeline.dialog.engine import begin, ended, replay, step, waits
from pipeline.dialog.flows import Flows
from pipeline.dialog.values import (
    Action,
    ActionDone,
    DialogState,
    Event,
    Move,
    NoInput,
    Reply,
    Reset,
    Said,
    Step,
    TimedOut,
    Undo,
    Waits,
)

__all__ = [
    "Action",
    "ActionDone",
    "Asked",
    "Defect",
    "DialogState",
    "Event",
    "FlowError",
    "Flows",
    "Move",
    "NoInput",
    "Reply",
    "Reset",
    "Said",
    "Step",
    "TimedOut",
    "Undo",
    "Waits",
    "asked",
    "begin",
    "check",
    "draw",
    "ended",
    "load",
    "replay",
    "step",
    "waits",
]
