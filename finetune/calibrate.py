"""Probabilities that mean what they say: softmax(logits / temperature + bias), fitted on held-out rows.

Temperature scaling: Guo et al. 2017, "On Calibration of Modern Neural Networks". The class biases are there because
calls are mostly neutral while training sets are balanced. The bias of "neutral" is 0: only differences count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetune.evaluate import Floats, Ints


@dataclass(frozen=True)
class Calibration:
    """What is applied to logits before softmax."""

    temperature: float = 1.0
    bias: tuple[float, ...] = (0.0, 0.0, 0.0)


def probabilities(logits: Floats, calibration: Calibration) -> Floats:
    """Float64 [rows, labels], each row summing to 1."""
    shifted = logits / calibration.temperature + np.asarray(calibration.bias)
    shifted = shifted - shifted.max(1, keepdims=True)
    exp = np.exp(shifted)
    scaled: Floats = exp / exp.sum(1, keepdims=True)
    return scaled


def fit(logits: Floats, truth: Ints, *, biases: bool = True, strength: float = 1.0, rounds: int = 100) -> Calibration:
    """The calibration of least mean log loss plus ``strength`` / rows times the squares of 1 / T - 1 and biases.

    Without ``biases`` they stay 0 and only the temperature is fitted.

    Newton's method with a line search on multinomial logistic regression of 1 + labels - 1 parameters; convex in the
    inverse temperature and the biases.
    """
    rows, labels = logits.shape
    free = [i for i in range(labels) if i != labels // 2] if biases else []
    # Column 0 multiplies the logits, each further one is the bias of a label.
    design = np.zeros((rows, labels, 1 + len(free)))
    design[:, :, 0] = logits
    for place, label in enumerate(free, 1):
        design[:, label, place] = 1.0
    start = np.array([1.0] + [0.0] * len(free))
    weights = start.copy()

    def loss(at: Floats) -> float:
        scores = design @ at
        top = scores.max(1, keepdims=True)
        log_norm = np.log(np.exp(scores - top).sum(1)) + top[:, 0]
        return float((log_norm - scores[np.arange(rows), truth]).mean() + strength / rows * ((at - start) ** 2).sum())

    for _ in range(rounds):
        scores = design @ weights
        exp = np.exp(scores - scores.max(1, keepdims=True))
        share = exp / exp.sum(1, keepdims=True)
        mean = np.einsum("nk,nkp->np", share, design)
        gradient = (mean - design[np.arange(rows), truth]).mean(0) + 2 * strength / rows * (weights - start)
        spread = np.einsum("nk,nkp,nkq->pq", share, design, design) / rows - mean.T @ mean / rows
        move = np.linalg.solve(spread + 2 * strength / rows * np.eye(len(weights)), gradient)
        size = 1.0
        while loss(weights - size * move) > loss(weights) and size > 1e-6:
            size /= 2
        weights = weights - size * move
        if np.abs(size * move).max() < 1e-9:
            break
    bias = [0.0] * labels
    for place, label in enumerate(free, 1):
        bias[label] = float(weights[place])
    # A negative inverse temperature would turn the labels round; then the logits say nothing and are flattened.
    return Calibration(1.0 / max(float(weights[0]), 1e-2), tuple(bias))


def cross_fit(logits: Floats, truth: Ints, groups: Sequence[str], *, biases: bool = True, folds: int = 5) -> Floats:
    """Probabilities of each row from a calibration fitted without the row's group (whole calls stay together)."""
    names = sorted(set(groups))
    fold_of = {name: i % folds for i, name in enumerate(names)}
    fold = np.array([fold_of[name] for name in groups])
    made = np.zeros(logits.shape)
    for number in range(folds):
        held = fold == number
        if held.any():
            made[held] = probabilities(logits[held], fit(logits[~held], truth[~held], biases=biases))
    return made


def expected_error(chances: Floats, truth: Ints, *, bins: int = 15) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal-width bins of the top probability.

    Bins are (k/bins, (k+1)/bins], weighted by their rows; 0 is perfect (Guo et al. 2017, equation 3).
    """
    confidence = chances.max(1)
    right = chances.argmax(1) == truth
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = 0.0
    for number in range(bins):
        inside = place == number
        if inside.any():
            gap += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(gap)
