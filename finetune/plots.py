"""Figures of a model as PNG files: confusion matrix, reliability, slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finetune.figures import Figures

_INK, _OURS, _OTHER = "#1f2430", "#2a6fdb", "#b6bcc8"


def draw(found: Figures, folder: Path, name: str, *, other: Figures | None = None) -> list[Path]:
    """The PNG files that were written into ``folder``, which is made where it is not there."""
    # The figure class itself, not pyplot: it keeps no global state and needs no screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    made = []

    def page(kind: str, width: float, height: float) -> tuple[Any, Any]:
        figure = Figure(figsize=(width, height), dpi=144, layout="constrained")
        FigureCanvasAgg(figure)
        made.append(folder / f"{name}.{kind}.png")
        return figure, figure.add_subplot()

    labels = [c.label for c in found.classes]
    shown = [i for i, row in enumerate(found.confusion) if any(row) or any(line[i] for line in found.confusion)]
    size = max(3.2, 0.42 * len(shown) + 2)
    figure, axes = page("confusion", size, size)
    cells = [[found.confusion[a][b] for b in shown] for a in shown]
    shares = [[cell / max(1, sum(row)) for cell in row] for row in cells]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for a, row in enumerate(cells):
        for b, cell in enumerate(row):
            if cell:
                axes.text(b, a, str(cell), ha="center", va="center", color="white" if shares[a][b] > 0.6 else _INK)
    axes.set_xticks(range(len(shown)), labels, rotation=90 if len(shown) > 4 else 0)
    axes.set_yticks(range(len(shown)), labels)
    axes.set(xlabel="the model says", ylabel="people say", title=f"{name}: {found.rows} sentences")
    figure.savefig(made[-1])

    figure, axes = page("reliability", 4.2, 4.2)
    axes.plot([0, 1], [0, 1], color=_OTHER, linewidth=1)
    for part, colour, title in ((other, _OTHER, "the other"), (found, _OURS, "the model")):
        if part is not None:
            axes.plot(
                [b.confidence for b in part.reliability],
                [b.accuracy for b in part.reliability],
                marker="o",
                color=colour,
                label=f"{title}: error {100 * part.calibration_error.value:.1f} %",
            )
    axes.set(xlabel="how sure", ylabel="how often right", xlim=(0, 1), ylim=(0, 1), title=f"{name}: calibration")
    axes.legend(frameon=False)
    figure.savefig(made[-1])

    rows = [(f"{column}: {value}", part) for column, values in found.slices.items() for value, part in values.items()]
    if rows:
        figure, axes = page("slices", 6.4, 0.28 * len(rows) + 1.4)
        for place, (_, part) in enumerate(reversed(rows)):
            spread = part.accuracy
            axes.plot([spread.low, spread.high], [place, place], color=_OURS, linewidth=2)
            axes.plot(spread.value, place, marker="o", color=_OURS)
        axes.axvline(found.accuracy.value, color=_OTHER, linewidth=1)
        axes.set_yticks(range(len(rows)), [f"{title} ({part.rows})" for title, part in reversed(rows)])
        axes.set(xlabel="accuracy with its 95 % interval", title=name)
        figure.savefig(made[-1])
    return made
