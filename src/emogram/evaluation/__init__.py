"""Scores of predictions, how sure they are, and how they look."""

from emogram.evaluation.calibration import apply_temperature, fit_temperature
from emogram.evaluation.metrics import METRICS, confusion_matrix, score
from emogram.evaluation.predictions import Predictions, pool, read_predictions, write_predictions
from emogram.evaluation.published import PublishedResult, published_predictions, published_results
from emogram.evaluation.statistics import Comparison, Interval, compare, holm, mcnemar
from emogram.evaluation.summary import summarise, table

__all__ = [
    "METRICS",
    "Comparison",
    "Interval",
    "Predictions",
    "PublishedResult",
    "apply_temperature",
    "compare",
    "confusion_matrix",
    "fit_temperature",
    "holm",
    "mcnemar",
    "pool",
    "published_predictions",
    "published_results",
    "read_predictions",
    "score",
    "summarise",
    "table",
    "write_predictions",
]
