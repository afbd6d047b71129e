"""What spoke for an emotion: which cells of time and frequency a model's answer hangs on.

Each cell is taken out of the wave in turn, and the model is asked again (occlusion: Zeiler and Fergus 2014, "Visualizing
and understanding convolutional networks"). It needs nothing but the model file, holds for any network and front end, and
says what the model would have answered, not what its gradients promise. What is taken out is told in `Cells`.

An explanation is about the model, not about the speaker. It comes with a test of itself, see `Check`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emogram import audio
from emogram.errors import ConfigurationError, did_you_mean
from emogram.recognition.cells import Cells
from emogram.recognition.results import named

if TYPE_CHECKING:
    from emogram.recognition.recognizer import Recognizer

BANDS = 12
SPAN_S = 0.25
MOST_SPANS = 16
LONGEST_S = 5.0
"""Of longer recordings one window of this length is explained."""

CHECKED_SHARE = 0.1
_DRAWS = 8
_AUDIBLE = 0.01
"""A window this much weaker in power than the strongest says nothing about the speaker."""

_LEAST = 1e-12
"""Probabilities below this count as this, so that every ratio is a number."""


@dataclass(frozen=True, slots=True)
class Part:
    """A cell that spoke for the emotion, or against it.

    Attributes:
        start_s: in seconds from the start of the recording.
        end_s: where it ends.
        low_hz: in Hz.
        high_hz: in Hz.
        evidence: by how much the log-odds of the emotion fall without it; negative where it spoke against it.
    """

    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    evidence: float

    def __str__(self) -> str:
        return f"{self.start_s:.2f} to {self.end_s:.2f} s, {self.low_hz:.0f} to {self.high_hz:.0f} Hz"


@dataclass(frozen=True, slots=True)
class Check:
    """A test of an explanation: the probability of the emotion without a share of all cells.

    Attributes:
        share: of the cells that is taken out.
        strongest: without those that spoke most for it.
        loudest: without as many of the loudest, which one might name without an explanation.
        random: without as many at random, the mean of several draws.
    """

    share: float
    strongest: float
    loudest: float
    random: float

    @property
    def passed(self) -> bool:
        """Whether the answer hangs more on the cells that the explanation names than on any others."""
        return self.strongest < self.random

    def __str__(self) -> str:
        return (
            f"without the strongest {self.share:.0%} of the cells {self.strongest:.0%}, "
            f"without the loudest {self.loudest:.0%}, without as many at random {self.random:.0%}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Which cells of a recording spoke for an emotion.

    Attributes:
        file: the recording, as it was given.
        model: name of the model.
        emotion: that is explained.
        probability: that the model gives it, in the window that is explained.
        probabilities: of every emotion there.
        start_s: where the window begins in the recording. The whole of a recording up to `LONGEST_S`; of a longer one the
            window that speaks most for the emotion.
        end_s: where it ends.
        duration_s: length of the recording.
        times_s: edges of the cells, in seconds from the start of the recording, [spans + 1].
        frequencies_hz: edges of the cells, [bands + 1].
        evidence: by how much the log-odds of the emotion fall without each cell, [bands, spans]; negative where a cell
            spoke against it. Cells share what they say, so it does not add up to the whole.
        check: what the explanation is worth.
        evaluations: how often the model was asked.
    """

    file: str
    model: str
    emotion: str
    probability: float
    probabilities: dict[str, float]
    start_s: float
    end_s: float
    duration_s: float
    times_s: NDArray[np.float64]
    frequencies_hz: NDArray[np.float64]
    evidence: NDArray[np.float64]
    check: Check
    evaluations: int

    @property
    def is_whole(self) -> bool:
        """Whether it is about the whole recording."""
        return self.end_s - self.start_s >= self.duration_s

    def strongest(self, count: int = 3) -> tuple[Part, ...]:
        """The cells that spoke most for the emotion, the strongest first; fewer where fewer did."""
        spans = self.evidence.shape[1]
        parts = []
        for cell in np.argsort(-self.evidence, axis=None, kind="stable")[:count].tolist():
            band, span = divmod(cell, spans)
            if self.evidence[band, span] > 0:
                start_s, end_s = self.times_s[span : span + 2].tolist()
                low_hz, high_hz = self.frequencies_hz[band : band + 2].tolist()
                parts.append(Part(start_s, end_s, low_hz, high_hz, float(self.evidence[band, span])))
        return tuple(parts)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {
            "file": self.file,
            "model": self.model,
            "emotion": self.emotion,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "start_s": self.start_s,
            "end_s": self.end_s,
            "duration_s": self.duration_s,
            "times_s": self.times_s.round(4).tolist(),
            "frequencies_hz": self.frequencies_hz.round(1).tolist(),
            "evidence": self.evidence.round(4).tolist(),
            "check": {
                "share": self.check.share,
                "strongest": self.check.strongest,
                "loudest": self.check.loudest,
                "random": self.check.random,
                "passed": self.check.passed,
            },
            "evaluations": self.evaluations,
        }

    def __str__(self) -> str:
        """One line: ``clip.wav: angry 87%, above all 0.50 to 0.75 s, 1226 to 1601 Hz``."""
        where = "; ".join(map(str, self.strongest(1)))
        about = "" if self.is_whole else f" from {self.start_s:.1f} to {self.end_s:.1f} s"
        answer = f"{audio.name_of(self.file)}: {self.emotion} {self.probability:.0%}{about}"
        return f"{answer}, above all {where}" if where else f"{answer}, and no part speaks for it"


def explain(
    recognizer: "Recognizer",
    source: audio.Source,
    *,
    emotion: str | None = None,
    array_rate: int | None = None,
    workers: int = 1,
) -> Explanation:
    """Find out which cells of a recording spoke for an emotion.

    A recording of 3 s has 12 bands by 12 spans, and the model is asked 155 times.

    Args:
        recognizer: whose answer it is.
        source: path, bytes, binary file object or array, as for `emogram.audio.load`; up to 10 minutes.
        emotion: to explain; the most probable one where not given.
        array_rate: sample rate of an array; the model's own where not given.
        workers: how many threads ask the model.

    Raises:
        AudioError: the recording cannot be used.
        ConfigurationError: an emotion that the model does not know, or no worker.
        ModelError: the model fails on it.
    """
    emotions = recognizer.emotions
    if emotion is not None:
        _refuse_unknown(emotion, emotions)
    asked = _Asked(recognizer, workers)
    rate = recognizer.info.sample_rate
    wave = audio.load(source, rate, array_rate=array_rate)
    begin, answer, chosen = _window(asked, wave, None if emotion is None else emotions.index(emotion))
    window = wave[begin : begin + asked.size]
    spans = min(MOST_SPANS, max(1, round(len(window) / rate / SPAN_S)))
    cells = Cells(window, rate, bands=BANDS, spans=spans)
    evidence = _evidence(asked, cells, answer, chosen)
    return Explanation(
        file=audio.name_of(source),
        model=recognizer.info.name,
        emotion=emotions[chosen],
        probability=float(answer[chosen]),
        probabilities=named(emotions, answer)[1],
        start_s=begin / rate,
        end_s=(begin + len(window)) / rate,
        duration_s=len(wave) / rate,
        times_s=begin / rate + cells.times_s,
        frequencies_hz=cells.frequencies_hz,
        evidence=evidence,
        check=_check(asked, cells, evidence, chosen),
        evaluations=asked.count,
    )


def _refuse_unknown(emotion: str, emotions: Sequence[str]) -> None:
    if emotion not in emotions:
        near = did_you_mean(emotion, emotions) or ";"
        raise ConfigurationError(
            f"emotion: {emotion[:80]!r} is unknown to the model{near} choose from {', '.join(emotions)}"
        )


class _Asked:
    """A recogniser that is asked many times, and how often it was."""

    def __init__(self, recognizer: "Recognizer", workers: int) -> None:
        if workers < 1:
            raise ConfigurationError(f"workers: {workers} is not 1 or more")
        self._recognizer = recognizer
        self._workers = workers
        self._shortest = max(1, round(recognizer.info.min_s * recognizer.info.sample_rate))
        self.size = round(min(LONGEST_S, recognizer.info.window_s) * recognizer.info.sample_rate)
        self.count = 0

    def each(self, make: Callable[[int], audio.Wave], count: int) -> NDArray[np.float64]:
        """Probabilities [count, K] of the waves that `make` gives for 0, 1, …; few of them are there at a time."""
        self.count += count

        def answer(number: int) -> NDArray[np.float32]:
            wave = make(number)
            return self._recognizer.probabilities(np.pad(wave, (0, max(0, self._shortest - len(wave)))))

        if self._workers == 1:
            return np.array([answer(number) for number in range(count)], np.float64)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="emogram") as pool:
            return np.array(list(pool.map(answer, range(count))), np.float64)


def _window(asked: _Asked, wave: audio.Wave, wanted: int | None) -> tuple[int, NDArray[np.float64], int]:
    """Where the window begins that speaks most for an emotion, the answer there [K], and the emotion's number.

    Without an emotion that is wanted, it is the one that is most probable over all windows.
    """
    starts = _starts(wave, asked.size)
    answers = asked.each(lambda number: wave[starts[number] : starts[number] + asked.size], len(starts))
    chosen = int(answers.mean(axis=0).argmax()) if wanted is None else wanted
    best = int(answers[:, chosen].argmax())
    return starts[best], answers[best], chosen


def _starts(wave: audio.Wave, size: int) -> list[int]:
    """Where windows begin: one for all of a short wave, else half a window apart, without those that are nearly silent."""
    if len(wave) <= size:
        return [0]
    starts = [*range(0, len(wave) - size, size // 2), len(wave) - size]
    levels = np.array([float(np.mean(np.square(wave[start : start + size], dtype=np.float64))) for start in starts])
    return [start for start, level in zip(starts, levels, strict=True) if level >= _AUDIBLE * levels.max()]


def _log_odds(probabilities: NDArray[np.float64], chosen: int) -> NDArray[np.float64]:
    """The logarithm of an emotion's probability over that of all others, [B] of [B, K]."""
    others = np.delete(probabilities, chosen, axis=-1).sum(axis=-1)
    odds: NDArray[np.float64] = np.log(np.maximum(probabilities[:, chosen], _LEAST) / np.maximum(others, _LEAST))
    return odds


def _evidence(asked: _Asked, cells: Cells, answer: NDArray[np.float64], chosen: int) -> NDArray[np.float64]:
    """By how much the log-odds fall without each cell, [bands, spans].

    Of what was compared (random masks as in RISE, ridge regression on them, blocks of cells, bands times spans), nothing
    found the cells whose loss costs most clearly better at as many evaluations: docs/explanation.md.
    """
    every = np.eye(np.prod(cells.shape, dtype=int)).reshape(-1, *cells.shape)
    without = asked.each(lambda number: cells.without(every[number]), len(every))
    fall: NDArray[np.float64] = (_log_odds(answer[None], chosen) - _log_odds(without, chosen)).reshape(cells.shape)
    return fall


def _check(asked: _Asked, cells: Cells, evidence: NDArray[np.float64], chosen: int) -> Check:
    size = evidence.size
    count = max(1, round(CHECKED_SHARE * size))
    rng = np.random.default_rng(0)
    orders = [np.argsort(-evidence, axis=None), np.argsort(-cells.energy, axis=None)]
    orders += [rng.permutation(size) for _ in range(_DRAWS)]
    taken = np.zeros((len(orders), size))
    for row, order in zip(taken, orders, strict=True):
        row[order[:count]] = 1
    without = asked.each(lambda number: cells.without(taken[number].reshape(cells.shape)), len(taken))
    strongest, loudest, *by_chance = without[:, chosen].tolist()
    return Check(CHECKED_SHARE, strongest, loudest, float(np.mean(by_chance)))
