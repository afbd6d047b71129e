"""From the answers to overlapping windows to segments: averaging, smoothing, cutting where the emotion changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from emogram.recognition.voice import Interval

_Cut: TypeAlias = tuple[float, float, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech in one emotion.

    Attributes:
        start_s: where it begins, in seconds from the start of the recording.
        end_s: where it ends.
        emotion: the most probable one.
        probabilities: of every emotion the model knows, averaged over the segment.
        confidence: the probability of `emotion`.
        uncertain: whether that lies below the model's threshold.
    """

    start_s: float
    end_s: float
    emotion: str
    probabilities: dict[str, float]
    confidence: float
    uncertain: bool

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {
            "start_s": self.start_s,
            "end_s": self.end_s,
            "emotion": self.emotion,
            "probabilities": dict(self.probabilities),
            "confidence": self.confidence,
            "uncertain": self.uncertain,
        }


class Answers:
    """Probabilities over time, in cells of one hop: each the mean of the windows over it, by how much they overlap it.

    Args:
        cell_s: length of a cell.
        labels: how many probabilities there are, K.
    """

    def __init__(self, cell_s: float, labels: int) -> None:
        self.cell_s = cell_s
        self._sums = np.zeros((64, labels))
        self._weights = np.zeros(64)

    def add(self, start_s: float, end_s: float, probabilities: NDArray[np.float32]) -> None:
        """Count the answer [K] to the window between two times."""
        first, last = int(start_s / self.cell_s + 1e-6), int(np.ceil(end_s / self.cell_s - 1e-6))
        while last > len(self._weights):
            self._sums = np.concatenate((self._sums, np.zeros_like(self._sums)))
            self._weights = np.concatenate((self._weights, np.zeros_like(self._weights)))
        edges = np.clip(np.arange(first, last + 1) * self.cell_s, start_s, end_s)
        overlap = np.diff(edges)
        self._sums[first:last] += overlap[:, np.newaxis] * probabilities
        self._weights[first:last] += overlap

    def smoothed(self, smoothing_s: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The cells that have an answer: probabilities [n, K], and which cells they are [n].

        Each is averaged with its neighbours within `smoothing_s` / 2, the nearer the more.
        """
        known = self._weights > 1e-9
        means = np.where(known[:, np.newaxis], self._sums / np.maximum(self._weights, 1e-9)[:, np.newaxis], 0)
        reach = int(smoothing_s / 2 / self.cell_s + 1e-6)
        total, weight = np.zeros_like(means), np.zeros(len(means))
        for shift in range(-reach, reach + 1):
            share = 1 - abs(shift) / (reach + 1)
            to, of = slice(max(0, shift), len(means) + min(0, shift)), slice(max(0, -shift), len(means) - max(0, shift))
            total[to] += share * means[of]
            weight[to] += share * known[of]
        cells = np.flatnonzero(known)
        return total[cells] / weight[cells, np.newaxis], cells


def cut(
    answers: Answers, speech: Sequence[Interval], duration_s: float, smoothing_s: float, min_segment_s: float
) -> list[_Cut]:
    """Segments: start, end and mean probabilities [K] each, in time.

    Args:
        answers: to the windows.
        speech: when somebody speaks.
        duration_s: of the recording; no segment goes beyond.
        smoothing_s: as for `Answers.smoothed`.
        min_segment_s: a shorter one goes to the neighbour in the same stretch of speech that is longer.
    """
    means, cells = answers.smoothed(smoothing_s)
    segments: list[_Cut] = []
    for interval in speech if len(cells) else ():
        end_s = min(interval.end_s, duration_s)
        pieces = _pieces(interval.start_s, end_s, answers.cell_s, means, cells)
        segments += _join_short(_join_equal(pieces), min_segment_s)
    return segments


def _pieces(
    start_s: float, end_s: float, cell_s: float, means: NDArray[np.float64], cells: NDArray[np.intp]
) -> list[_Cut]:
    """An interval by cells; a cell without an answer takes that of the nearest."""
    wanted = np.arange(int(start_s / cell_s), max(int(np.ceil(end_s / cell_s)), int(start_s / cell_s) + 1))
    right = np.clip(np.searchsorted(cells, wanted), 0, len(cells) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.where(np.abs(cells[left] - wanted) < np.abs(cells[right] - wanted), left, right)
    edges = np.clip(np.append(wanted, wanted[-1] + 1) * cell_s, start_s, end_s).tolist()
    return [(begin, end, means[at]) for begin, end, at in zip(edges, edges[1:], nearest, strict=False) if end > begin]


def _join(first: _Cut, second: _Cut) -> _Cut:
    lengths = np.array([first[1] - first[0], second[1] - second[0]])
    return first[0], second[1], (lengths[0] * first[2] + lengths[1] * second[2]) / lengths.sum()


def _join_equal(pieces: Sequence[_Cut]) -> list[_Cut]:
    joined: list[_Cut] = []
    for piece in pieces:
        if joined and joined[-1][2].argmax() == piece[2].argmax():
            joined[-1] = _join(joined[-1], piece)
        else:
            joined.append(piece)
    return joined


def _join_short(segments: list[_Cut], min_segment_s: float) -> list[_Cut]:
    while len(segments) > 1:
        lengths = [end - start for start, end, _ in segments]
        shortest = int(np.argmin(lengths))
        if lengths[shortest] >= min_segment_s:
            break
        neighbours = [at for at in (shortest - 1, shortest + 1) if 0 <= at < len(segments)]
        other = max(neighbours, key=lambda at: lengths[at])
        first, second = sorted((shortest, other))
        start_s, end_s, mean = _join(segments[first], segments[second])
        if mean.argmax() != segments[other][2].argmax():  # a short certain piece must not rename a long one
            mean = segments[other][2]
        segments = _join_equal([*segments[:first], (start_s, end_s, mean), *segments[second + 1 :]])
    return segments
