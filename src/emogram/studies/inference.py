"""How sure the score of a point is, and the difference of two: over speakers, and over seeds where there are several.

A point is trained with several seeds; the test parts of its folds are pooled seed by seed, so that every seed gives one
table of predictions, and the score of the point is the mean of the scores of its seeds. A speaker is the unit that is
drawn, with all clips and the same weight in every seed and, of a comparison, in both points (as in
`emogram.evaluation.statistics`, which this equals where there is one seed). That leaves out that other seeds would have
given other networks: the variance of the mean over seeds is added to that over speakers (Bouthillier et al., "Accounting
for variance in machine learning benchmarks", MLSys 2021, on why it must be), and the degrees of freedom are those of
Satterthwaite (Biometrics Bulletin 2, 1946) for the sum. What seeds and speakers have in common is in both terms, so the
interval errs on the side of being too wide, as resampling both at once does (Owen, "The pigeonhole bootstrap", Annals of
Applied Statistics 1, 2007).

In simulations of two networks of equal skill (12 speakers with 8 clips each, three seeds between which the skill has a
standard deviation of 0, 5 and 10 points, 150 trials each), 1, 4 and 5 % were called different at the level of 5 %; over
speakers alone it were 7, 15 and 39 %. With two seeds it were 3, 7 and 11 %: use three or more.
Leaving out what is in both terms, 5, 8 and 12 % were with
three. A single seed has no such term: its interval is over speakers alone, and says nothing of other seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from emogram.errors import ConfigurationError
from emogram.evaluation.metrics import Predictions, Sums, accumulate, scores
from emogram.evaluation.statistics import LEVEL, MIN_SPEAKERS, RANGES, REPLICATES, mcnemar

Array = npt.NDArray[np.float64]
Seeds = Mapping[int, Predictions]
"""The pooled predictions of every seed."""


@dataclass(frozen=True)
class Estimate:
    """The score of a point.

    Attributes:
        value: mean over the seeds.
        low: end of the 95 % interval; None where there are too few speakers for one.
        high: the other end.
        n_speakers: drawn from; 0 where they are unknown.
        n_seeds: averaged.
        seed_sd: standard deviation of the scores of the seeds; None for a single one.
    """

    value: float
    low: float | None
    high: float | None
    n_speakers: int
    n_seeds: int
    seed_sd: float | None


@dataclass(frozen=True)
class Difference:
    """One point minus another, on the clips and seeds that both have.

    Attributes:
        first: score of the one, on the clips in common.
        second: score of the other.
        estimate: of the difference.
        p_value: two-sided, the level at which the interval just reaches 0; None where there is no interval.
        only_first: clips that the first point has right with more seeds than the second.
        only_second: the other way round.
        mcnemar_p: McNemar's mid-p for these two counts, with one seed the usual test; several seeds have one vote a clip.
            It takes clips for independent, which those of a speaker are not: read it beside the interval.
    """

    first: float
    second: float
    estimate: Estimate
    p_value: float | None
    only_first: int
    only_second: int
    mcnemar_p: float


def estimate(seeds: Seeds, metric: str) -> Estimate:
    """The mean score over seeds with its interval.

    Raises:
        ConfigurationError: no predictions.
    """
    if not seeds:
        raise ConfigurationError("no predictions to score; run the study first")
    values, drawn, n_speakers = _scores([list(seeds.values())], metric)
    found, _ = _interval(values[0], drawn[0] if drawn else None, n_speakers, RANGES[metric])
    return found


def difference(first: Seeds, second: Seeds, metric: str) -> Difference:
    """The paired difference of two points.

    Raises:
        ConfigurationError: they have no seed, or no clip, in common, or tell other emotions apart.
    """
    pairs = [_paired(first[seed], second[seed]) for seed in first if seed in second]
    if not pairs:
        raise ConfigurationError("they have no finished seed in common")
    values, drawn, n_speakers = _scores([[one for one, _ in pairs], [other for _, other in pairs]], metric)
    apart = drawn[0] - drawn[1] if drawn else None
    found, p_value = _interval(values[0] - values[1], apart, n_speakers, (-math.inf, math.inf))
    votes: dict[str, int] = {}
    for one, other in pairs:
        right = (one.predicted == one.truth).astype(int) - (other.predicted == other.truth).astype(int)
        for clip_id, vote in zip(one.clip_ids, right, strict=True):
            votes[clip_id] = votes.get(clip_id, 0) + int(vote)
    only_first, only_second = (sum(sign * vote > 0 for vote in votes.values()) for sign in (1, -1))
    return Difference(
        first=float(values[0].mean()),
        second=float(values[1].mean()),
        estimate=found,
        p_value=p_value,
        only_first=only_first,
        only_second=only_second,
        mcnemar_p=mcnemar(only_first, only_second),
    )


def _paired(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """The clips that both have, in one order."""
    if first.emotions != second.emotions:
        raise ConfigurationError("they tell other emotions apart")
    place = {clip_id: at for at, clip_id in enumerate(second.clip_ids)}
    shared = [at for at, clip_id in enumerate(first.clip_ids) if clip_id in place]
    if not shared:
        raise ConfigurationError("they were tested on other clips")
    return first.take(shared), second.take([place[first.clip_ids[at]] for at in shared])


def _scores(points: Sequence[Sequence[Predictions]], metric: str) -> tuple[list[Array], list[Array], int]:
    """For each point the scores of its seeds [S], and for each draw of speakers their scores [S, B], where there are any.

    All points have the same speakers and are given the same draws.
    """
    names = {speaker for seeds in points for predictions in seeds for speaker in predictions.speakers}
    speakers = [] if "" in names else sorted(names)
    sums = [[_by_speaker(predictions, speakers) for predictions in seeds] for seeds in points]
    values = [np.array([float(scores(one.total())[metric]) for one in seeds]) for seeds in sums]
    if len(speakers) < MIN_SPEAKERS:
        return values, [], len(speakers)
    chances = np.full(len(speakers), 1 / len(speakers))
    weights = np.random.default_rng(0).multinomial(len(speakers), chances, size=REPLICATES).astype(np.float64)
    # A seed need not have tested every speaker; a draw that leaves one without any clip says nothing.
    held = np.stack([one.confusion.sum(axis=(1, 2)) for seeds in sums for one in seeds])
    weights = weights[(weights @ held.T > 0).all(axis=1)]
    drawn = [np.stack([scores(one.weighted(weights))[metric] for one in seeds]) for seeds in sums]
    return values, drawn, len(speakers)


def _by_speaker(predictions: Predictions, speakers: Sequence[str]) -> Sums:
    place = {speaker: at for at, speaker in enumerate(speakers)}
    group = np.array([place.get(speaker, 0) for speaker in predictions.speakers], dtype=np.int64)
    return accumulate(predictions, group, max(1, len(speakers)))


def _interval(
    values: Array, drawn: Array | None, n_speakers: int, limits: tuple[float, float]
) -> tuple[Estimate, float | None]:
    """The mean of the seeds' values [S] with its interval and the p-value of its being 0; draws are [S, B]."""
    value = float(values.mean())
    seed_sd = float(values.std(ddof=1)) if len(values) > 1 else None
    if drawn is None:
        return Estimate(value, None, None, n_speakers, len(values), seed_sd), None
    over_speakers = float(drawn.mean(axis=0).var()) * n_speakers / (n_speakers - 1)
    over_seeds = 0.0 if seed_sd is None else seed_sd**2 / len(values)
    error = math.sqrt(over_speakers + over_seeds)
    if error == 0:
        return Estimate(value, value, value, n_speakers, len(values), seed_sd), 1.0 if value == 0 else 0.0
    inverse = over_speakers**2 / (n_speakers - 1) + over_seeds**2 / max(1, len(values) - 1)
    freedom = (over_speakers + over_seeds) ** 2 / inverse
    half = -float(stdtrit(freedom, (1 - LEVEL) / 2)) * error
    low, high = max(limits[0], value - half), min(limits[1], value + half)
    return Estimate(value, low, high, n_speakers, len(values), seed_sd), float(2 * stdtr(freedom, -abs(value) / error))
