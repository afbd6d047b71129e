"""Probabilities that mean what they say: one temperature, fitted on validation, and the table that checks it.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from emogram.errors import ConfigurationError
from emogram.evaluation.metrics import N_BINS, Predictions, bins

MIN_TEMPERATURE = 0.1
MAX_TEMPERATURE = 10.0

_FEWEST = 20
"""Wrong answers that a threshold rests on at least."""

Array = npt.NDArray[np.float64]


def fit_temperature(logits: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """The temperature that minimises the log-loss of ``softmax(logits / temperature)``.

    The log-loss is convex in 1 / temperature, so that the sign of its slope is enough: bisection, which cannot diverge.
    Limited to 0.1 … 10: where every clip is right (or the logits say nothing) the minimum lies at infinity.

    Args:
        logits: [N, K]; minus infinity for an emotion that is masked out.
        truth: index of the true emotion of each clip, [N].

    Raises:
        ConfigurationError: no clips, logits that are no numbers, or a true emotion that is masked out.
    """
    z, y = np.asarray(logits, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    if z.ndim != 2 or len(z) == 0 or y.shape != (len(z),):
        raise ConfigurationError(
            f"temperature: logits {z.shape} and truth {y.shape}; give [N, K] and [N] with N above 0"
        )
    right = z[np.arange(len(z)), y]
    if np.isnan(z).any() or np.isposinf(z).any() or not np.isfinite(right).all():
        raise ConfigurationError("temperature: logits are not finite; check the training, and that masks fit the truth")
    kept = np.where(np.isfinite(z), z, 0.0)

    def slope(sharpness: float) -> float:
        expected = (apply_temperature(z, 1 / sharpness) * kept).sum(axis=1)
        return float((expected - right).mean())

    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    for _ in range(60):
        middle = (low * high) ** 0.5
        if slope(middle) > 0:
            high = middle
        else:
            low = middle
    return float(1 / (low * high) ** 0.5)


def apply_temperature(logits: npt.ArrayLike, temperature: float) -> Array:
    """``softmax(logits / temperature)`` over the last axis, float64; a masked emotion keeps probability 0."""
    z = np.asarray(logits, dtype=np.float64) / temperature
    raised = np.exp(z - z.max(axis=-1, keepdims=True))
    probabilities: Array = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities


def at_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """The same predictions at another temperature, relative to the one that they were made at."""
    with np.errstate(divide="ignore"):
        logits = np.log(predictions.probabilities.astype(np.float64))
    return replace(predictions, probabilities=apply_temperature(logits, temperature).astype(np.float32))


@dataclass(frozen=True)
class ReliabilityBin:
    """Clips whose predicted emotion has a probability in (low, high].

    Attributes:
        low: lower end, excluded.
        high: upper end, included.
        clips: how many.
        confidence: their mean probability, None without clips.
        accuracy: the share that is right, None without clips.
    """

    low: float
    high: float
    clips: int
    confidence: float | None
    accuracy: float | None


def reliability_table(predictions: Predictions) -> list[ReliabilityBin]:
    """Accuracy against confidence in the `N_BINS` bins of the expected calibration error, from 0 to 1."""
    place, right = bins(predictions.confidence), predictions.predicted == predictions.truth
    table = []
    for index in range(N_BINS):
        inside = place == index
        clips = int(inside.sum())
        table.append(
            ReliabilityBin(
                low=index / N_BINS,
                high=(index + 1) / N_BINS,
                clips=clips,
                confidence=float(predictions.confidence[inside].mean()) if clips else None,
                accuracy=float(right[inside].mean()) if clips else None,
            )
        )
    return table


def uncertainty_threshold(confidence: Array, right: npt.NDArray[np.bool_]) -> float | None:
    """The confidence below which an answer is wrong more often than right, or None where there is none such.

    The share of right answers is taken to grow with confidence and is fitted so (isotonic regression, Barlow and Brunk 1972):
    it is that of answers of about this confidence, not of all answers below, among which sure ones would count.

    Args:
        confidence: of each answer, [N].
        right: whether it is, [N].
    """
    order = np.argsort(confidence, kind="stable")
    share = isotonic_regression(right[order].astype(np.float64)).x
    wrong = np.flatnonzero(share < 0.5)
    if len(wrong) < _FEWEST:
        return None
    return round(float(min(confidence[order][wrong[-1]], 0.99)), 4)
