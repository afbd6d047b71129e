"""The temperature is the best one, and the table adds up to the calibration error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import log_loss

from emogram.errors import ConfigurationError
from emogram.evaluation import apply_temperature, fit_temperature, score
from emogram.evaluation.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    at_temperature,
    reliability_table,
    uncertainty_threshold,
)
from tests.evaluation.made_up import predictions


def drawn(seed: int, temperature: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and a truth drawn with the probabilities that they have at a temperature."""
    rng = np.random.default_rng(seed)
    logits = 3 * rng.standard_normal((count, 5))
    chances = apply_temperature(logits, temperature)
    return logits, (rng.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 4)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_finds_the_temperature_that_the_truth_was_drawn_at(temperature: float) -> None:
    logits, truth = drawn(0, temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.08)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.4, 4))
def test_no_other_temperature_has_less_log_loss(seed: int, temperature: float) -> None:
    logits, truth = drawn(seed, temperature, count=60)

    def loss(log_temperature: float) -> float:
        return float(log_loss(truth, apply_temperature(logits, np.exp(log_temperature)), labels=range(5)))

    best = minimize_scalar(loss, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    assert loss(np.log(fit_temperature(logits, truth))) <= best.fun + 1e-7


def test_limits_hold_where_the_minimum_is_at_infinity() -> None:
    perfect = 5 * np.eye(4)
    assert fit_temperature(perfect, [0, 1, 2, 3]) == pytest.approx(MIN_TEMPERATURE)
    assert fit_temperature(perfect, [1, 2, 3, 0]) == pytest.approx(MAX_TEMPERATURE)


def test_large_logits_do_not_overflow() -> None:
    logits, truth = drawn(1, 2.0)
    assert np.isfinite(fit_temperature(1e4 * logits, truth))
    assert apply_temperature([[1e6, 0.0]], 0.1).tolist() == [[1.0, 0.0]]


def test_a_masked_emotion_stays_masked() -> None:
    logits, truth = drawn(2, 1.5)
    masked = np.column_stack([logits, np.full(len(logits), -np.inf)])
    assert fit_temperature(masked, truth) == pytest.approx(fit_temperature(logits, truth))
    assert (apply_temperature(masked, 2.0)[:, 5] == 0).all()


@pytest.mark.parametrize(
    ("logits", "truth"),
    [
        (np.zeros((0, 3)), []),
        (np.zeros((2, 3)), [0]),
        ([[np.nan, 0.0]], [1]),
        ([[np.inf, 0.0]], [1]),
        ([[-np.inf, 0.0]], [0]),
    ],
)
def test_unusable_logits_are_refused(logits: np.ndarray, truth: list[int]) -> None:
    with pytest.raises(ConfigurationError, match="temperature: logits"):
        fit_temperature(logits, truth)


def test_at_temperature_keeps_the_order_and_softens() -> None:
    made = predictions(skill=3)
    soft = at_temperature(made, 2.0)
    assert np.array_equal(soft.predicted, made.predicted)
    assert (soft.confidence <= made.confidence).all()
    assert at_temperature(soft, 0.5).probabilities == pytest.approx(made.probabilities, abs=1e-5)


def test_the_table_adds_up_to_the_calibration_error() -> None:
    made = predictions(5)
    table = reliability_table(made)
    assert sum(entry.clips for entry in table) == len(made)
    assert (table[0].low, table[-1].high, len(table)) == (0, 1, 15)
    error = sum(entry.clips * abs((entry.accuracy or 0) - (entry.confidence or 0)) for entry in table) / len(made)
    assert error == pytest.approx(score(made)["ece"])
    assert all(entry.low < entry.confidence <= entry.high for entry in table if entry.confidence is not None)
    assert all((entry.accuracy is None) == (entry.clips == 0) for entry in table)


def test_below_the_threshold_an_answer_is_wrong_more_often_than_right() -> None:
    confidence = np.linspace(0, 1, 101)
    assert uncertainty_threshold(confidence, confidence > 0.305) == pytest.approx(0.3)
    rng = np.random.default_rng(0)
    many = rng.uniform(0.2, 1, 5000)
    assert uncertainty_threshold(many, rng.uniform(size=5000) < many) == pytest.approx(0.5, abs=0.05)
    assert uncertainty_threshold(confidence, np.ones(101, bool)) is None
    assert uncertainty_threshold(confidence[:10], np.zeros(10, bool)) is None
