"""Scores and differences over speakers and seeds against known answers."""

import numpy as np
import pytest

from emogram.errors import ConfigurationError
from emogram.evaluation import Predictions, compare
from emogram.evaluation.statistics import estimate as estimate_one
from emogram.studies.inference import difference, estimate
from tests.evaluation import made_up as voices
from tests.studies import made_up


def table(right: np.ndarray) -> Predictions:
    """Six speakers with eight clips each, right where told."""
    clips = made_up.clips()
    return made_up.answers(clips, {clip.clip_id: bool(value) for clip, value in zip(clips, right, strict=True)})


def test_one_seed_is_what_evaluation_says() -> None:
    first, second = voices.predictions(1), voices.predictions(2)
    reference = compare(first, second, metric="uar")
    found = difference({0: first}, {0: second}, "uar")
    assert found.estimate.value == pytest.approx(reference.difference.value, abs=1e-12)
    assert found.estimate.low == pytest.approx(reference.difference.low, abs=1e-9)
    assert found.estimate.high == pytest.approx(reference.difference.high, abs=1e-9)
    assert found.p_value == pytest.approx(reference.p_value, abs=1e-9)
    assert (found.only_first, found.only_second) == (reference.only_first, reference.only_second)
    assert found.mcnemar_p == reference.mcnemar_p
    alone = estimate({0: first}, "uar")
    uar = estimate_one(first).metrics["uar"]
    assert (alone.value, alone.low, alone.high) == pytest.approx((uar.value, uar.low, uar.high), abs=1e-9)


def test_seeds_are_averaged_and_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    seeds = {seed: table(rng.random(48) < share) for seed, share in enumerate((0.3, 0.6, 0.9))}
    found = estimate(seeds, "accuracy")
    each = [estimate({seed: one}, "accuracy").value for seed, one in seeds.items()]
    assert found.value == pytest.approx(np.mean(each))
    assert found.seed_sd == pytest.approx(np.std(each, ddof=1))
    same = estimate(dict.fromkeys(range(3), seeds[1]), "accuracy")
    assert same.seed_sd == 0
    assert found.low is not None
    assert found.high is not None
    assert same.low is not None
    assert same.high is not None
    assert found.high - found.low > same.high - same.low


def test_the_same_seed_thrice_is_one_seed() -> None:
    one, other = voices.predictions(1), voices.predictions(2)
    single = difference({0: one}, {0: other}, "uar")
    thrice = difference(dict.fromkeys(range(3), one), dict.fromkeys(range(3), other), "uar")
    assert thrice.p_value == pytest.approx(single.p_value, abs=1e-9)
    assert (thrice.only_first, thrice.mcnemar_p) == (single.only_first, single.mcnemar_p)


def test_votes_of_seeds_count_each_clip_once() -> None:
    right, wrong = np.ones(48, dtype=bool), np.zeros(48, dtype=bool)
    half = np.arange(48) < 24
    found = difference({0: table(right), 1: table(half)}, {0: table(wrong), 1: table(half)}, "accuracy")
    assert (found.only_first, found.only_second) == (48, 0)


def test_a_difference_that_is_the_same_for_every_speaker_is_certain() -> None:
    good, bad = np.tile([True] * 7 + [False], 6), np.tile([True] * 3 + [False] * 5, 6)
    found = difference({0: table(good)}, {0: table(bad)}, "accuracy")
    assert found.estimate.value == pytest.approx(0.5)
    assert found.p_value == 0
    assert found.estimate.low == found.estimate.high == found.estimate.value


def test_two_speakers_give_no_interval() -> None:
    first = table(np.ones(48, dtype=bool)).take(range(16))
    found = difference({0: first}, {0: first}, "uar")
    assert (found.p_value, found.estimate.low, found.estimate.n_speakers) == (None, None, 2)


def test_only_clips_and_seeds_in_common_count() -> None:
    right, wrong = table(np.ones(48, dtype=bool)), table(np.zeros(48, dtype=bool))
    found = difference({0: right, 1: right}, {0: wrong.take(range(24)), 2: wrong}, "accuracy")
    assert found.estimate.n_seeds == 1
    assert found.only_first == 24


def test_what_cannot_be_paired_is_said() -> None:
    first = table(np.ones(48, dtype=bool))
    with pytest.raises(ConfigurationError, match="no finished seed in common"):
        difference({0: first}, {1: first}, "uar")
    with pytest.raises(ConfigurationError, match="tested on other clips"):
        difference({0: first.take([0, 1])}, {0: first.take([2, 3])}, "uar")
    with pytest.raises(ConfigurationError, match="no predictions"):
        estimate({}, "uar")


def test_chance_alone_is_rarely_called_a_difference() -> None:
    """Two networks of equal skill whose seeds differ: the level of 5 % holds, which speakers alone would exceed."""
    rng = np.random.default_rng(1)
    n_trials, called, by_speakers = 60, 0, 0
    for _ in range(n_trials):
        speaker = rng.normal(0.6, 0.1, 6)
        points = [{}, {}]  # type: list[dict[int, Predictions]]
        for point in points:
            for seed in range(3):
                skill = np.clip(speaker + rng.normal(0, 0.12), 0, 1)
                point[seed] = table(rng.random(48) < np.repeat(skill, 8))
        found = difference(points[0], points[1], "accuracy")
        called += (found.p_value or 0) < 0.05
        single = compare(points[0][0], points[1][0], metric="accuracy", replicates=200)
        by_speakers += (single.p_value or 0) < 0.05
    assert called / n_trials < 0.1
    assert by_speakers / n_trials > 0.15
