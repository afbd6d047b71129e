"""Explanations beside other ways to make them: how fast an answer falls as the cells that each calls strongest are taken out.

Run: EMOGRAM_RUN=FOLDER OF A RUN make bench NAME=explanation
With EMOGRAM_MODEL=FILE, what an explanation of 3 s takes with that model.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emogram import audio
from emogram.corpora import read_manifest
from emogram.evaluation.predictions import read_predictions
from emogram.recognition import Recognizer, load
from emogram.recognition.cells import Cells
from emogram.recognition.explanation import BANDS, LONGEST_S, MOST_SPANS, SPAN_S

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
MOST_CLIPS = 24

Values = NDArray[np.float64]


class Answer:
    """The answer to one clip, asked again without cells of it."""

    def __init__(self, recognizer: Recognizer, wave: audio.Wave) -> None:
        rate = recognizer.info.sample_rate
        spans = min(MOST_SPANS, max(1, round(len(wave) / rate / SPAN_S)))
        self.recognizer = recognizer
        self.cells = Cells(wave, rate, bands=BANDS, spans=spans)
        self.size = BANDS * spans
        whole = recognizer.probabilities(wave)
        self.emotion = int(whole.argmax())
        self.odds = self._log_odds(whole)

    def probability(self, taken: Values) -> float:
        return float(self._ask(taken)[self.emotion])

    def falls(self, taken: Values) -> Values:
        """By how much the log-odds fall without the cells of each row [M, cells]."""
        return np.array([self.odds - self._log_odds(self._ask(row)) for row in taken])

    def _ask(self, taken: Values) -> NDArray[np.float32]:
        return self.recognizer.probabilities(self.cells.without(taken.reshape(self.cells.shape)))

    def _log_odds(self, probabilities: NDArray[np.float32]) -> float:
        others = float(np.delete(probabilities, self.emotion).sum())
        return float(np.log(max(float(probabilities[self.emotion]), 1e-12) / max(others, 1e-12)))


def one_by_one(answer: Answer, _: np.random.Generator) -> tuple[Values, int]:
    return answer.falls(np.eye(answer.size)), answer.size


def blocks(answer: Answer, _: np.random.Generator) -> tuple[Values, int]:
    """Two by two cells at a time; each has the mean of the blocks that it is in."""
    bands, spans = answer.cells.shape
    taken = []
    for band in range(-1, bands):
        for span in range(-1, spans):
            block = np.zeros((bands, spans))
            block[max(0, band) : band + 2, max(0, span) : span + 2] = 1
            taken.append(block.ravel())
    rows = np.array(taken)
    shares = answer.falls(rows) / rows.sum(axis=1)
    return shares @ rows / rows.sum(axis=0), len(rows)


def bands_by_spans(answer: Answer, _: np.random.Generator) -> tuple[Values, int]:
    bands, spans = answer.cells.shape
    rows = [np.repeat(np.eye(bands)[band], spans) for band in range(bands)]
    rows += [np.tile(np.eye(spans)[span], bands) for span in range(spans)]
    falls = np.maximum(answer.falls(np.array(rows)), 1e-6)
    return np.outer(falls[:bands], falls[bands:]).ravel(), len(rows)


def random_masks(answer: Answer, rng: np.random.Generator) -> tuple[Values, int]:
    """RISE (Petsiuk and others 2018): a fifth of the cells at a time, as many masks as cells."""
    taken, falls = _masked(answer, rng)
    return taken.T @ falls, len(taken)


def regression(answer: Answer, rng: np.random.Generator) -> tuple[Values, int]:
    """The same masks, and a ridge regression on them, as LIME and SHAP do."""
    taken, falls = _masked(answer, rng)
    ridge = 0.2 * len(taken) * np.eye(answer.size)
    weights: Values = np.linalg.solve(taken.T @ taken + ridge, taken.T @ falls).astype(np.float64)
    return weights, len(taken)


def loudest(answer: Answer, _: np.random.Generator) -> tuple[Values, int]:
    return answer.cells.energy.ravel(), 0


def at_random(answer: Answer, rng: np.random.Generator) -> tuple[Values, int]:
    return rng.random(answer.size), 0


def _masked(answer: Answer, rng: np.random.Generator) -> tuple[Values, Values]:
    taken = (rng.random((answer.size, answer.size)) < 0.2).astype(np.float64)
    falls = answer.falls(taken)
    return taken - taken.mean(axis=0), falls - falls.mean()


WAYS: dict[str, Callable[[Answer, np.random.Generator], tuple[Values, int]]] = {
    "cells one by one (emogram)": one_by_one,
    "blocks of 2 x 2 cells": blocks,
    "bands times spans": bands_by_spans,
    "random masks (RISE)": random_masks,
    "regression on them": regression,
    "the loudest cells": loudest,
    "any cells": at_random,
}


def main() -> None:
    model, run = os.environ.get("EMOGRAM_MODEL"), os.environ.get("EMOGRAM_RUN")
    if model:
        _time_three_seconds(load(model))
    if not run:
        print("comparison: skipped, name the folder of a run with EMOGRAM_RUN=FOLDER, for example emogram-demo/run")
        return
    recognizer = load(Path(run, "model.onnx"))
    clips = _clips(Path(run))
    waves = [audio.load(path, recognizer.info.sample_rate) for path in clips]
    waves = [wave[: round(LONGEST_S * recognizer.info.sample_rate)] for wave in waves]
    answers = [Answer(recognizer, wave) for wave in waves]
    print(f"{len(answers)} test clips, probability of the answer without so many of the strongest cells:\n")
    print(f"{'':28}" + "".join(f"{share:>7.0%}" for share in SHARES) + "   mean  asked")
    for name, way in WAYS.items():
        rng = np.random.default_rng(0)
        curves, asked = [], []
        for answer in answers:
            strength, count = way(answer, rng)
            asked.append(count)
            curves.append([answer.probability(_strongest(strength, share)) for share in SHARES])
        means = np.mean(curves, axis=0)
        print(f"{name:28}" + "".join(f"{value:7.3f}" for value in means) + f"{means.mean():7.3f}{np.mean(asked):7.0f}")
    _time(recognizer, clips)


def _time_three_seconds(recognizer: Recognizer) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * recognizer.info.sample_rate).astype(np.float32)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        explanation = recognizer.explain(noise, workers=1)
        seconds.append(time.process_time() - start)
    print(f"{recognizer.info.name}: 3 s explained in {min(seconds):.2f} s of processor time at best, ", end="")
    print(f"{np.median(seconds):.2f} s in the median of 5, {explanation.evaluations} evaluations")


def _time(recognizer: Recognizer, clips: Sequence[str]) -> None:
    seconds, evaluations, passed = [], [], []
    for clip in clips:
        start = time.process_time()
        explanation = recognizer.explain(clip, workers=1)
        seconds.append((time.process_time() - start) / min(explanation.duration_s, LONGEST_S))
        evaluations.append(explanation.evaluations)
        passed.append(explanation.check.passed)
    print(f"\n{np.median(seconds):.2f} s of processor time a second of sound, {np.mean(evaluations):.0f} evaluations")
    print(f"{sum(passed)} of {len(passed)} explanations pass their own check")


def _clips(run: Path) -> list[str]:
    """Some of the clips of the test part that were answered rightly."""
    answers = read_predictions(run / "predictions-test.csv")
    paths = {clip.clip_id: clip.path for clip in read_manifest(run / "manifest.csv")}
    right = answers.predicted == answers.truth
    chosen = [paths[clip_id] for clip_id, good in zip(answers.clip_ids, right, strict=True) if good]
    return chosen[:: max(1, len(chosen) // MOST_CLIPS)][:MOST_CLIPS]


def _strongest(strength: Values, share: float) -> Values:
    taken = np.zeros(strength.size)
    taken[np.argsort(-strength)[: round(share * strength.size)]] = 1
    return taken
