"""How often a rule is right, as people judge it, and how sure that is (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from pipeline.calls import Alert

Z_95 = 1.959964  # the 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class Precision:
    """The verdicts on one rule's alerts: ``right`` of ``judged``, out of ``alerts`` in all."""

    alerts: int
    judged: int
    right: int

    @property
    def share(self) -> float | None:
        """Right alerts among those judged, 0..1; None where none was judged."""
        return self.right / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share; None where none was judged."""
        return wilson(self.right, self.judged) if self.judged else None


def wilson(hits: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval of a share of ``hits`` in ``trials``: low and high, within 0..1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Unlike the
    textbook interval it holds for a handful of trials and for shares near 0 and 1. Raises ValueError for no trials or
    more hits than trials.
    """
    if not 0 <= hits <= trials or trials < 1:
        raise ValueError(f"{hits} of {trials} is no share")
    share = hits / trials
    scale = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    # At the ends rounding may push the bound past the share itself.
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def by_rule(alerts: Iterable[Alert]) -> dict[str, Precision]:
    """The precision of each rule that has alerts, by its name; the last verdict on an alert counts."""
    counts: dict[str, list[int]] = {}
    for alert in alerts:
        row = counts.setdefault(alert.rule, [0, 0, 0])
        row[0] += 1
        row[1] += alert.verdict is not None
        row[2] += alert.verdict == "right"
    return {rule: Precision(*row) for rule, row in counts.items()}
