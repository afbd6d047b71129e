"""Scores of predictions, each a sum over clips followed by a formula, so that any set of clips can be scored at once.

Conventions:
- Emotions without a clip in the test part have no recall, precision or F1 (``None`` in tables) and are left out of the
  macro averages. Predicting such an emotion still is a mistake.
- An emotion that is never predicted has precision 0, and F1 0.
- Macro averages weigh each emotion alike. Unweighted average recall (UAR) is macro recall, the customary score of the
  field since Schuller et al., INTERSPEECH 2009.
- Log-loss is in nats, with probabilities below 2.2e-16 raised to it.
- The Brier score is the squared distance to the truth summed over emotions: 0 to 2 (Brier 1950).
- Expected calibration error: 15 bins of equal width ``(m/15, (m+1)/15]`` of the predicted emotion's probability; the
  mean distance between accuracy and confidence, weighted by clips (Guo et al., "On Calibration of Modern Neural
  Networks", ICML 2017). It depends on the bins and grows as clips get fewer; compare it at equal numbers of clips.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emogram.evaluation.predictions import Predictions, pool, read_predictions, write_predictions

__all__ = [
    "METRICS",
    "N_BINS",
    "Predictions",
    "Sums",
    "accumulate",
    "bins",
    "confusion_matrix",
    "higher_is_better",
    "per_emotion",
    "pool",
    "read_predictions",
    "score",
    "scores",
    "write_predictions",
]

Array = npt.NDArray[np.float64]

METRICS: Mapping[str, str] = {
    "accuracy": "accuracy",
    "uar": "unweighted average recall",
    "precision": "macro precision",
    "f1": "macro F1",
    "log_loss": "log-loss",
    "brier": "Brier score",
    "ece": "expected calibration error",
}
"""Name of every metric in files, and in words."""

N_BINS = 15
_TINY = float(np.finfo(np.float64).eps)


def higher_is_better(metric: str) -> bool:
    """Whether more of this metric is better: true for all but log-loss, Brier score and calibration error."""
    return metric not in {"log_loss", "brier", "ece"}


@dataclass(frozen=True, eq=False)
class Sums:
    """What all metrics are computed from, summed over clips; leading axes may hold speakers or bootstrap draws.

    Attributes:
        confusion: clips by truth and prediction, [..., K, K].
        log_loss: [...].
        brier: [...].
        calibration: clips, correct clips and confidence in each bin, [..., 3, N_BINS].
    """

    confusion: Array
    log_loss: Array
    brier: Array
    calibration: Array

    def weighted(self, weights: Array) -> "Sums":
        """Sums over the first axis (speakers, S) with weights [B, S]: one total for each of B rows."""
        return Sums(
            confusion=np.tensordot(weights, self.confusion, axes=1),
            log_loss=weights @ self.log_loss,
            brier=weights @ self.brier,
            calibration=np.tensordot(weights, self.calibration, axes=1),
        )

    def total(self) -> "Sums":
        """Sums over the first axis."""
        return Sums(
            self.confusion.sum(axis=0), self.log_loss.sum(axis=0), self.brier.sum(axis=0), self.calibration.sum(axis=0)
        )


def bins(confidence: Array) -> npt.NDArray[np.int64]:
    """The calibration bin of each confidence, 0 to ``N_BINS - 1``."""
    return np.clip(np.ceil(confidence * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)


def accumulate(predictions: Predictions, group: npt.NDArray[np.int64], n_groups: int) -> Sums:
    """Sums over the clips of each group.

    Args:
        predictions: N clips.
        group: the group of each clip, 0 to ``n_groups - 1``, [N].
        n_groups: number of groups, G.

    Returns:
        Sums with a first axis of G.
    """
    width = len(predictions.emotions)
    probabilities = predictions.probabilities.astype(np.float64)
    rows = np.arange(len(predictions))
    predicted, confidence = predictions.predicted, predictions.confidence
    confusion = np.zeros((n_groups, width, width))
    np.add.at(confusion, (group, predictions.truth, predicted), 1.0)
    losses = -np.log(np.clip(probabilities[rows, predictions.truth], _TINY, 1.0))
    truth = np.zeros_like(probabilities)
    truth[rows, predictions.truth] = 1.0
    calibration = np.zeros((n_groups, 3, N_BINS))
    place = bins(confidence)
    for index, value in enumerate(
        (np.ones(len(rows)), (predicted == predictions.truth).astype(np.float64), confidence)
    ):
        np.add.at(calibration[:, index], (group, place), value)
    distances = ((probabilities - truth) ** 2).sum(axis=1)
    return Sums(
        confusion=confusion,
        log_loss=np.bincount(group, losses, n_groups).astype(np.float64),
        brier=np.bincount(group, distances, n_groups).astype(np.float64),
        calibration=calibration,
    )


def scores(sums: Sums) -> dict[str, Array]:
    """Every metric of `METRICS`, each [...] over the leading axes of the sums (which hold at least one clip)."""
    clips = sums.confusion.sum(axis=(-2, -1))
    present = sums.confusion.sum(axis=-1) > 0
    each = per_emotion(sums)
    excess = sums.calibration[..., 1, :] - sums.calibration[..., 2, :]

    def macro(values: Array) -> Array:
        macro_mean: Array = np.where(present, values, 0.0).sum(axis=-1) / present.sum(axis=-1)
        return macro_mean

    return {
        "accuracy": np.trace(sums.confusion, axis1=-2, axis2=-1) / clips,
        "uar": macro(each["recall"]),
        "precision": macro(each["precision"]),
        "f1": macro(each["f1"]),
        "log_loss": sums.log_loss / clips,
        "brier": sums.brier / clips,
        "ece": np.abs(excess).sum(axis=-1) / clips,
    }


def per_emotion(sums: Sums) -> dict[str, Array]:
    """``recall``, ``precision`` and ``f1`` of every emotion, each [..., K]; 0 for an emotion without clips."""
    hits = np.diagonal(sums.confusion, axis1=-2, axis2=-1)
    true, predicted = sums.confusion.sum(axis=-1), sums.confusion.sum(axis=-2)
    return {
        "recall": _ratio(hits, true),
        "precision": np.where(true > 0, _ratio(hits, predicted), 0.0),
        "f1": _ratio(2 * hits, true + predicted),
    }


def score(predictions: Predictions) -> dict[str, float]:
    """Every metric of `METRICS` over all clips."""
    sums = accumulate(predictions, np.zeros(len(predictions), dtype=np.int64), 1).total()
    return {name: float(value) for name, value in scores(sums).items()}


def confusion_matrix(predictions: Predictions) -> npt.NDArray[np.int64]:
    """Clips by true emotion (rows) and predicted emotion (columns), int64 [K, K]."""
    width = len(predictions.emotions)
    flat = predictions.truth * width + predictions.predicted
    return np.bincount(flat, minlength=width * width).reshape(width, width)


def _ratio(part: Array, whole: Array) -> Array:
    """The quotient, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0)
