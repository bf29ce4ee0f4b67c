"""What is wrong with a folder of flows, by file, line and state."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from pipeline.errors import InputError


@dataclass(frozen=True)
class Defect:
    """One thing to mend. An error keeps the folder from loading; a warning is a flaw that conversations survive."""

    file: str
    line: int
    state: str  # or the key of the file that it is under; "" for the file as a whole
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.state + ': ' if self.state else ''}{self.message}"


class FlowError(InputError):
    """A folder of flows cannot be used; ``defects`` is the full list, warnings included."""

    def __init__(self, folder: str, defects: Iterable[Defect]) -> None:
        self.defects = tuple(defects)
        lines = [f"  {defect}" for defect in self.defects if defect.severity == "error"]
        count = f"{len(lines)} error" + ("" if len(lines) == 1 else "s")
        super().__init__("\n".join([f"the flows in {folder} cannot be used, {count} to mend:", *lines]))


def did_you_mean(name: str, names: Collection[str]) -> str:
    """``", did you mean `x`?"`` where a name like it exists, else ""."""
    close = get_close_matches(name, names, 1, 0.75)
    return f", did you mean `{close[0]}`?" if close else ""
