"""Metrics against scikit-learn, and the stated conventions."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from emogram.evaluation import METRICS, Predictions, confusion_matrix, score
from emogram.evaluation.metrics import Sums, accumulate, bins, higher_is_better, per_emotion, scores
from tests.evaluation.made_up import predictions


def of(truth: list[int], probabilities: npt.ArrayLike) -> Predictions:
    table = np.asarray(probabilities, dtype=np.float64)
    return Predictions(
        clip_ids=tuple(map(str, range(len(truth)))),
        corpora=("own",) * len(truth),
        speakers=("own-1",) * len(truth),
        sexes=("",) * len(truth),
        truth=np.array(truth),
        probabilities=table.astype(np.float32),
        emotions=("neutral", "happy", "sad", "angry", "disgust")[: table.shape[1]],
    )


@st.composite
def drawn(draw: st.DrawFn) -> Predictions:
    """Any predictions whose probabilities are multiples of 1/1024, exact in float32."""
    width, count = draw(st.integers(2, 5)), draw(st.integers(1, 40))
    truth = draw(st.lists(st.integers(0, width - 1), min_size=count, max_size=count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = rng.multinomial(1024 - width, rng.dirichlet(np.ones(width)), size=count) + 1
    return of(truth, parts / 1024)


@settings(deadline=None, max_examples=80)
@given(drawn())
def test_equals_scikit_learn(made: Predictions) -> None:
    truth, predicted = made.truth, made.predicted
    probabilities = made.probabilities.astype(np.float64)
    labels, present = range(len(made.emotions)), sorted(set(truth.tolist()))
    found = score(made)
    precision, recall, f1, _ = reference.precision_recall_fscore_support(
        truth, predicted, labels=present, average="macro", zero_division=0
    )
    expected = {
        "accuracy": reference.accuracy_score(truth, predicted),
        "uar": recall,
        "precision": precision,
        "f1": f1,
        "log_loss": reference.log_loss(truth, probabilities, labels=labels),
        "brier": ((probabilities - np.eye(len(labels))[truth]) ** 2).sum(axis=1).mean(),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12, rel=1e-12), name
    assert np.array_equal(confusion_matrix(made), reference.confusion_matrix(truth, predicted, labels=labels))
    each = per_emotion(accumulate(made, np.zeros(len(made), dtype=np.int64), 1).total())
    by_label = reference.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), by_label, strict=False):
        assert each[name][present] == pytest.approx(values[present], abs=1e-12)


def test_expected_calibration_error_by_hand() -> None:
    """Two bins: three clips at 0.9 of which two are right, one clip at 0.5 that is wrong."""
    made = of([0, 0, 1, 1], [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]])
    expected = (3 * abs(2 / 3 - 0.9) + 1 * abs(0 - 0.5)) / 4
    assert score(made)["ece"] == pytest.approx(expected, abs=1e-7)


def test_expected_calibration_error_bins_are_open_below_and_closed_above() -> None:
    assert bins(np.array([1e-9, 1 / 15, 1 / 15 + 1e-9, 0.5, 1.0])).tolist() == [0, 0, 1, 7, 14]


@settings(deadline=None)
@given(drawn())
def test_expected_calibration_error_by_brute_force(made: Predictions) -> None:
    right = made.predicted == made.truth
    total = 0.0
    for low in range(15):
        inside = [i for i, c in enumerate(made.confidence) if low / 15 < c <= (low + 1) / 15]
        if inside:
            total += len(inside) * abs(right[inside].mean() - made.confidence[inside].mean())
    assert score(made)["ece"] == pytest.approx(total / len(made), abs=1e-12)


def test_an_absent_emotion_is_left_out_of_macro_averages() -> None:
    """Nobody is angry; one clip is called angry all the same, which costs recall but gives no precision of its own."""
    made = of([0, 0, 1, 1], [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 0]])
    found = score(made)
    assert found["uar"] == pytest.approx((0.5 + 1) / 2)
    assert found["precision"] == pytest.approx((1 + 1) / 2)
    assert found["f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert all(np.isfinite(value) for value in found.values())


def test_an_emotion_never_predicted_has_precision_zero() -> None:
    found = score(of([0, 1], [[1, 0], [1, 0]]))
    assert found["precision"] == pytest.approx(0.25)
    assert found["f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_certainty_in_a_mistake_costs_a_finite_log_loss() -> None:
    assert score(of([1], [[1, 0]]))["log_loss"] == pytest.approx(-np.log(np.finfo(np.float64).eps))


def test_sums_of_groups_add_up_to_the_whole() -> None:
    made = predictions(1)
    group = np.arange(len(made)) % 5
    sums = accumulate(made, group, 5)
    whole = accumulate(made, np.zeros_like(group), 1)
    weighted = sums.weighted(np.ones((1, 5)))
    for name in ("confusion", "log_loss", "brier", "calibration"):
        assert getattr(weighted, name)[0] == pytest.approx(getattr(whole, name)[0])
        assert getattr(sums.total(), name) == pytest.approx(getattr(whole, name)[0])
    parts = scores(sums)
    for index in range(5):
        alone = score(made.take(np.flatnonzero(group == index)))
        assert {name: values[index] for name, values in parts.items()} == pytest.approx(alone)
    assert isinstance(weighted, Sums)


def test_every_metric_is_named_and_directed() -> None:
    assert set(score(predictions())) == set(METRICS)
    best = of([0, 1], [[1, 0], [0, 1]])
    worst = replace(best, truth=np.array([1, 0]))
    for name, value in score(best).items():
        assert (value > score(worst)[name]) == higher_is_better(name)
