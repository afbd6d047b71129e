"""Intervals hold what they promise; comparisons are paired; corrections equal the published ones."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, sem, t

from emogram.errors import ConfigurationError
from emogram.evaluation import Predictions, compare, holm, mcnemar, score
from emogram.evaluation.calibration import at_temperature
from emogram.evaluation.metrics import METRICS
from emogram.evaluation.statistics import RANGES, estimate
from tests.evaluation.made_up import predictions


class TestEstimate:
    def test_values_are_the_scores_and_lie_inside_their_intervals(self) -> None:
        made = predictions(n_speakers=12)
        found = estimate(made)
        assert {name: interval.value for name, interval in found.metrics.items()} == pytest.approx(score(made))
        assert set(found.metrics) == set(METRICS) == set(RANGES)
        for interval in found.metrics.values():
            assert interval.low is not None
            assert interval.high is not None
            assert interval.low < interval.value < interval.high
        assert (found.n_speakers, found.note) == (12, "")

    @pytest.mark.parametrize("n_speakers", [3, 6, 24])
    def test_coverage(self, n_speakers: int) -> None:
        """Of 120 test parts drawn from one population, about 95 % of intervals hold the population's value."""
        population = score(predictions(1, n_speakers=2000))
        held = dict.fromkeys(("uar", "f1", "log_loss"), 0)
        for seed in range(120):
            found = estimate(predictions(seed + 10, n_speakers=n_speakers), replicates=300, seed=seed)
            for name in held:
                interval = found.metrics[name]
                held[name] += (interval.low or 0) <= population[name] <= (interval.high or 1)
        assert all(count / 120 >= 0.86 for count in held.values()), held
        assert all(count < 120 for count in held.values()), held

    def test_with_as_many_clips_each_it_is_student_s_interval_of_the_speakers(self) -> None:
        made = predictions(n_speakers=4)
        right = (made.predicted == made.truth).reshape(4, -1).mean(axis=1)
        low, high = t.interval(0.95, 3, loc=right.mean(), scale=sem(right))
        found = estimate(made, replicates=50_000).metrics["accuracy"]
        assert (found.low, found.high) == pytest.approx((low, high), rel=0.01)

    def test_speakers_who_differ_widen_the_interval(self) -> None:
        """An interval over clips would not see the difference."""
        widths = []
        for spread in (0.0, 2.0):
            interval = estimate(predictions(n_speakers=24, spread=spread)).metrics["accuracy"]
            widths.append((interval.high or 0) - (interval.low or 0))
        assert widths[1] > 2 * widths[0]

    def test_copies_of_a_clip_do_not_narrow_it(self) -> None:
        made = predictions(n_speakers=10)
        twice = Predictions(
            clip_ids=(*made.clip_ids, *(f"{clip_id}b" for clip_id in made.clip_ids)),
            corpora=made.corpora * 2,
            speakers=made.speakers * 2,
            sexes=made.sexes * 2,
            truth=np.tile(made.truth, 2),
            probabilities=np.tile(made.probabilities, (2, 1)),
            emotions=made.emotions,
        )
        assert estimate(twice).metrics["uar"].low == pytest.approx(estimate(made).metrics["uar"].low)

    @pytest.mark.parametrize(
        ("n_speakers", "note"),
        [(1, "1 speaker is too few"), (2, "2 speakers are too few"), (4, "only 4 speakers are rough")],
    )
    def test_few_speakers_are_told(self, n_speakers: int, note: str) -> None:
        found = estimate(predictions(n_speakers=n_speakers))
        assert note in found.note
        for interval in found.metrics.values():
            assert (interval.low is None) == (interval.high is None) == (n_speakers < 3)

    def test_unknown_speakers_give_no_interval(self) -> None:
        made = predictions()
        found = estimate(replace(made, speakers=("", *made.speakers[1:])))
        assert "unknown" in found.note
        assert found.n_speakers == 0
        assert all(interval.low is None for interval in found.metrics.values())
        assert found.metrics["accuracy"].value == score(made)["accuracy"]

    def test_intervals_end_where_the_metric_ends(self) -> None:
        sure = predictions(n_speakers=4, skill=5)
        found = estimate(sure)
        assert found.metrics["accuracy"].high == 1
        assert (found.metrics["ece"].low or 0) >= 0

    def test_emotions_of_few_speakers_have_no_interval_and_absent_ones_no_score(self) -> None:
        made = predictions(n_speakers=6, n_emotions=4)
        first = sorted(set(made.speakers))[:2]
        keep = [i for i, t in enumerate(made.truth) if t != 3 and (t != 2 or made.speakers[i] in first)]
        found = estimate(made.take(keep)).per_emotion
        assert found["sad"] is None
        assert found["happy"] is not None
        assert found["happy"]["recall"].low is None
        assert found["calm"] is not None
        assert found["calm"]["recall"].low is not None

    def test_is_repeatable_and_follows_the_seed(self) -> None:
        made = predictions()
        assert estimate(made).metrics == estimate(made).metrics
        assert estimate(made, seed=1).metrics["uar"] != estimate(made, seed=2).metrics["uar"]


class TestCompare:
    def test_the_better_is_found_though_the_intervals_overlap(self) -> None:
        """Speakers differ by far more than the models: only a paired comparison sees the difference."""
        first = predictions(n_speakers=24, clips_each=48, spread=1.2)
        truth = np.eye(6)[first.truth]
        rng = np.random.default_rng(1)
        helped = rng.random(len(first)) < 0.1
        mixed = np.where(helped[:, None], truth, first.probabilities)
        second = replace(first, probabilities=mixed.astype(np.float32))
        overlap = estimate(first).metrics["uar"].high or 0, estimate(second).metrics["uar"].low or 0
        assert overlap[0] > overlap[1]
        found = compare(second, first, names=("mixed", "plain"))
        assert found.verdict == "better"
        assert found.sentence.startswith("Mixed is better than plain: unweighted average recall ")
        assert "(95 % interval +" in found.sentence
        assert found.p_value is not None
        assert found.p_value < 0.001
        assert found.mcnemar_p < 0.001
        assert found.only_second == 0
        back = compare(first, second, names=("plain", "mixed"))
        assert back.verdict == "worse"
        assert back.difference.value == pytest.approx(-found.difference.value)
        assert back.p_value == pytest.approx(found.p_value)

    def test_less_log_loss_is_better(self) -> None:
        sharp = predictions(n_speakers=12, skill=3)
        flat = at_temperature(sharp, 5)
        found = compare(sharp, flat, metric="log_loss", names=("sharp", "flat"))
        assert found.difference.value < 0
        assert found.verdict == "better"
        assert found.only_first == found.only_second == 0

    def test_no_evidence(self) -> None:
        found = compare(predictions(1), predictions(2), names=("one", "two"))
        assert found.verdict == "no evidence"
        assert found.sentence.startswith("No evidence that one and two differ: ")
        assert found.p_value is not None
        assert found.p_value > 0.05

    def test_the_same_predictions(self) -> None:
        found = compare(predictions(), predictions())
        assert (found.difference.value, found.p_value, found.mcnemar_p) == (0, 1, 1)

    def test_error_rate_when_nothing_differs(self) -> None:
        """Two equal models: about 5 % false alarms."""
        alarms = 0
        for seed in range(100):
            first = predictions(seed, n_speakers=10, spread=0.0)
            second = replace(first, probabilities=predictions(seed + 500, n_speakers=10, spread=0.0).probabilities)
            alarms += compare(first, second, replicates=300).verdict != "no evidence"
        assert alarms <= 12

    def test_two_speakers_give_no_verdict(self) -> None:
        found = compare(predictions(1, n_speakers=2), predictions(2, n_speakers=2))
        assert found.verdict == "no evidence"
        assert found.p_value is None
        assert "cannot be told" in found.sentence
        assert "2 speakers are too few" in found.sentence

    def test_order_of_clips_does_not_matter(self) -> None:
        first, second = predictions(1), predictions(2)
        turned = second.take(range(len(second))[::-1])
        assert compare(first, turned) == compare(first, second)

    def test_other_clips_emotions_or_metrics_are_refused(self) -> None:
        made = predictions()
        with pytest.raises(ConfigurationError, match=r"1 clips are in one of them only .first: made/00000"):
            compare(made, made.take(range(1, len(made))))
        with pytest.raises(ConfigurationError, match="emotions differ"):
            compare(made, predictions(n_emotions=3))
        with pytest.raises(ConfigurationError, match="made/00000 has another emotion"):
            compare(made, replace(made, truth=(made.truth + 1) % 6))
        with pytest.raises(ConfigurationError, match="no such metric; choose from accuracy"):
            compare(made, made, metric="kappa")


class TestMcNemar:
    def test_the_published_example(self) -> None:
        """Bentur et al. 2009 in Fagerland et al. 2013: exact 0.0703, mid-p 0.0391."""
        assert mcnemar(1, 7, exact=True) == pytest.approx(0.0703125)
        assert mcnemar(7, 1) == pytest.approx(0.0390625)

    @pytest.mark.timeout(10)
    def test_many_clips_take_no_time(self) -> None:
        """The first as a sum of whole numbers had it, the second by Stirling's formula."""
        assert mcnemar(9_800, 10_200) == pytest.approx(0.00467756271045458, rel=1e-12)
        assert mcnemar(1_000_000, 1_000_000) == pytest.approx(1 - 0.5 / math.sqrt(1_000_000 * math.pi), rel=1e-9)

    @given(st.integers(0, 200), st.integers(0, 200))
    def test_exact_equals_scipy_and_mid_p_is_smaller(self, first: int, second: int) -> None:
        exact = mcnemar(first, second, exact=True)
        if first + second:
            assert exact == pytest.approx(binomtest(first, first + second).pvalue)
        assert 0 < mcnemar(first, second) <= exact <= 1

    def test_equal_counts(self) -> None:
        assert mcnemar(1, 1) == pytest.approx(0.75)
        assert mcnemar(0, 0) == mcnemar(0, 0, exact=True) == 1

    def test_many_clips(self) -> None:
        assert mcnemar(2000, 2100) == pytest.approx(0.118, abs=0.001)


class TestHolm:
    def test_by_hand(self) -> None:
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
        assert holm([0.9, 0.8]) == (1.0, 1.0)
        assert holm([]) == ()

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
    def test_lies_between_none_and_bonferroni_and_keeps_the_order(self, p_values: list[float]) -> None:
        corrected = holm(p_values)
        for before, after in zip(p_values, corrected, strict=True):
            assert before <= after <= min(1, before * len(p_values)) + 1e-15 or after <= 1
        order = np.argsort(p_values, kind="stable")
        assert np.all(np.diff(np.array(corrected)[order]) >= 0)
        assert corrected[order[0]] == pytest.approx(min(1, len(p_values) * p_values[order[0]]))
