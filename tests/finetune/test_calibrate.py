"""Calibration on cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from finetune import calibrate
from finetune.calibrate import Calibration


def _drawn(rows: int, bias: tuple[float, float, float], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are ``scale`` times too sure, and labels drawn from the true chances."""
    rng = np.random.default_rng(3)
    true = rng.normal(0, 2, (rows, 3))
    chances = calibrate.probabilities(true, Calibration(1.0, bias))
    truth = np.array([rng.choice(3, p=p) for p in chances], dtype=np.int64)
    return true * scale, truth


def test_the_true_temperature_and_bias_are_found() -> None:
    logits, truth = _drawn(20000, (-0.7, 0.0, 0.4), scale=3.0)
    found = calibrate.fit(logits, truth)
    assert found.temperature == pytest.approx(3.0, rel=0.08)
    assert found.bias == pytest.approx((-0.7, 0.0, 0.4), abs=0.1)


def test_without_biases_only_the_temperature_is_fitted() -> None:
    logits, truth = _drawn(20000, (0.0, 0.0, 0.0), scale=3.0)
    found = calibrate.fit(logits, truth, biases=False)
    assert found.temperature == pytest.approx(3.0, rel=0.08)
    assert found.bias == (0.0, 0.0, 0.0)
    chances = calibrate.cross_fit(logits, truth, [str(n) for n in range(len(truth))], biases=False)
    assert (chances.argmax(1) == logits.argmax(1)).all()


def test_fitting_lowers_the_calibration_error() -> None:
    logits, truth = _drawn(5000, (0.0, 0.0, 0.0), scale=3.0)
    raw = calibrate.expected_error(calibrate.probabilities(logits, Calibration()), truth)
    fitted = calibrate.expected_error(calibrate.probabilities(logits, calibrate.fit(logits, truth)), truth)
    assert raw > 0.1
    assert fitted < 0.03


def test_hopeless_logits_give_a_finite_calibration() -> None:
    rng = np.random.default_rng(1)
    found = calibrate.fit(rng.normal(size=(50, 3)), rng.integers(0, 3, 50))
    assert np.isfinite([found.temperature, *found.bias]).all()
    assert found.temperature > 0


def test_expected_error_on_known_cases() -> None:
    sure = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert calibrate.expected_error(sure, np.array([0, 0, 1, 1])) == 0.0
    assert calibrate.expected_error(sure, np.array([0, 1, 1, 0])) == pytest.approx(0.5)
    assert calibrate.expected_error(sure, np.array([1, 1, 0, 0])) == pytest.approx(1.0)
    # Two bins: 0.9 sure and right in 2 of 2, 0.6 sure and right in 1 of 2: (0.1 + 0.1) / 2.
    mixed = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    assert calibrate.expected_error(mixed, np.array([0, 0, 0, 1])) == pytest.approx(0.1)


def test_cross_fitting_never_sees_the_own_group() -> None:
    logits, truth = _drawn(300, (0.0, 0.0, 0.0), scale=2.0)
    groups = [f"call-{i % 10}" for i in range(300)]
    whole = calibrate.cross_fit(logits, truth, groups, folds=10)
    held = np.array([g == "call-0" for g in groups])
    own = calibrate.probabilities(logits[held], calibrate.fit(logits[~held], truth[~held]))
    assert whole[held] == pytest.approx(own)
    assert whole.sum(1) == pytest.approx(np.ones(300))
