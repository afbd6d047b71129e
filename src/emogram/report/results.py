"""The tables of a report, from stored predictions: headline scores, confusion matrix, emotions, speakers, mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emogram.evaluation.metrics import METRICS, Predictions, confusion_matrix, higher_is_better
from emogram.evaluation.statistics import Estimates, Interval, estimate

MOST_MISTAKES = 10
MOST_CONFUSIONS = 6

HEADLINE = {
    "accuracy": ("Accuracy", "Share of clips that it named rightly."),
    "uar": ("UAR", "Unweighted average recall: each emotion counts alike. The customary score of the field."),
    "f1": ("Macro F1", "F1 averaged over emotions: neither missing one nor crying it too often."),
    "ece": ("Calibration error", "How far its stated confidence lies from how often it is right. Less is better."),
}
"""The scores shown large: what to call them, and what they mean."""


@dataclass(frozen=True)
class Score:
    """One score, its interval and how to show it.

    Attributes:
        name: in words.
        value: of the score.
        low: lower end of its 95 % interval, or None.
        high: upper end, or None.
        percent: shown as a percentage, else as a plain number.
        chance: what guessing would score, or None where that means nothing.
        meaning: one sentence.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    percent: bool = True
    chance: float | None = None
    meaning: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix: clips, and their share of the true emotion's clips."""

    clips: int
    share: float


@dataclass(frozen=True)
class MatrixRow:
    """All clips of one true emotion by what they were taken for; `index` is the column that is right."""

    emotion: str
    index: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Confusion:
    """How many clips of one emotion were taken for another."""

    emotion: str
    predicted: str
    clips: int
    share: float


@dataclass(frozen=True)
class EmotionRow:
    """Scores of one emotion; meaningless where it has no clips."""

    emotion: str
    clips: int
    recall: Score
    precision: float
    f1: float


@dataclass(frozen=True)
class GroupRow:
    """Accuracy on the clips of one speaker or sex."""

    name: str
    clips: int
    accuracy: Score


@dataclass(frozen=True)
class Mistake:
    """A clip that was named wrongly."""

    clip_id: str
    emotion: str
    predicted: str
    confidence: float


def headline(estimates: Estimates, n_emotions: int) -> tuple[Score, ...]:
    """The scores shown large."""
    return tuple(
        _score(title, estimates.metrics[name], chance=1 / n_emotions if name != "ece" else None, meaning=meaning)
        for name, (title, meaning) in HEADLINE.items()
    )


def others(estimates: Estimates) -> tuple[tuple[str, str], ...]:
    """The scores shown small, as name and text."""
    rest = (name for name in METRICS if name not in HEADLINE)
    return tuple((METRICS[name], _with_interval(estimates.metrics[name], higher_is_better(name))) for name in rest)


def plain(metric: str, estimates: Estimates) -> Score:
    """One score without its interval."""
    return _score(METRICS[metric], Interval(estimates.metrics[metric].value))


def matrix(predictions: Predictions) -> tuple[MatrixRow, ...]:
    """The confusion matrix, one row a true emotion."""
    return tuple(
        MatrixRow(emotion, index, tuple(Cell(int(clips), float(clips / max(1, row.sum()))) for clips in row))
        for index, (emotion, row) in enumerate(zip(predictions.emotions, confusion_matrix(predictions), strict=True))
    )


def confusions(predictions: Predictions) -> tuple[Confusion, ...]:
    """The most frequent confusions by share of the true emotion's clips, the most frequent first."""
    found = [
        Confusion(row.emotion, predictions.emotions[column], cell.clips, cell.share)
        for row in matrix(predictions)
        for column, cell in enumerate(row.cells)
        if cell.clips and column != row.index
    ]
    return tuple(sorted(found, key=lambda confusion: -confusion.share)[:MOST_CONFUSIONS])


def emotions(predictions: Predictions, estimates: Estimates) -> tuple[EmotionRow, ...]:
    """Recall, precision and F1 of every emotion."""
    rows = []
    for index, emotion in enumerate(predictions.emotions):
        scores = estimates.per_emotion[emotion] or dict.fromkeys(("recall", "precision", "f1"), Interval(0.0))
        rows.append(
            EmotionRow(
                emotion=emotion,
                clips=int((predictions.truth == index).sum()),
                recall=_score("recall", scores["recall"]),
                precision=scores["precision"].value,
                f1=scores["f1"].value,
            )
        )
    return tuple(rows)


def speakers(predictions: Predictions) -> tuple[GroupRow, ...]:
    """Accuracy of every speaker from the lowest, without intervals; empty where a speaker is unknown."""
    if not all(predictions.speakers):
        return ()
    rows = (
        GroupRow(speaker, len(clips), _score("accuracy", Interval(_accuracy(clips))))
        for speaker, clips in _grouped(predictions, predictions.speakers)
    )
    return tuple(sorted(rows, key=lambda row: (row.accuracy.value, row.name)))


def sexes(predictions: Predictions) -> tuple[GroupRow, ...]:
    """Accuracy of every sex with its interval over speakers; empty where fewer than two are known."""
    if len({sex for sex in predictions.sexes if sex}) < 2:
        return ()
    return tuple(
        GroupRow(sex or "unknown", len(clips), _score("accuracy", estimate(clips).metrics["accuracy"]))
        for sex, clips in _grouped(predictions, predictions.sexes)
    )


def mistakes(predictions: Predictions) -> tuple[Mistake, ...]:
    """The wrong answers of which the network was most sure, the surest first."""
    wrong = np.flatnonzero(predictions.predicted != predictions.truth)
    surest = wrong[np.argsort(-predictions.confidence[wrong], kind="stable")][:MOST_MISTAKES]
    return tuple(
        Mistake(
            clip_id=predictions.clip_ids[index],
            emotion=predictions.emotions[predictions.truth[index]],
            predicted=predictions.emotions[predictions.predicted[index]],
            confidence=float(predictions.confidence[index]),
        )
        for index in surest
    )


def shown(value: float, percent: bool) -> str:
    """A score as text: ``61.3 %`` or ``1.024``."""
    return f"{value * 100:.1f} %" if percent else f"{value:.3f}"


def span(score: Score | Interval, percent: bool) -> str:
    """The interval of a score as text: ``55.8 – 77.6 %``; empty where there is none."""
    if score.low is None or score.high is None:
        return ""
    return f"{shown(score.low, percent).removesuffix(' %')} – {shown(score.high, percent)}"


def _score(name: str, interval: Interval, *, chance: float | None = None, meaning: str = "") -> Score:
    return Score(name, interval.value, interval.low, interval.high, chance=chance, meaning=meaning)


def _with_interval(interval: Interval, percent: bool) -> str:
    ends = span(interval, percent)
    return shown(interval.value, percent) + (f" ({ends})" if ends else "")


def _accuracy(predictions: Predictions) -> float:
    return float((predictions.predicted == predictions.truth).mean())


def _grouped(predictions: Predictions, labels: Sequence[str]) -> list[tuple[str, Predictions]]:
    array = np.array(labels)
    return [(label, predictions.take(np.flatnonzero(array == label))) for label in sorted(set(labels))]
