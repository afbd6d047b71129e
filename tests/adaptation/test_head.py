"""The fitted layer: equal to another library's, the same in every basis, drawn towards what it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from emogram.adaptation.head import BIAS_PRIOR, Array, Head, fit_head
from emogram.evaluation import apply_temperature

Drawn = tuple[Array, np.ndarray, Array, Head]


def drawn(count: int, width: int, *, seed: int = 0, n_emotions: int = 3) -> Drawn:
    """Rows around a centre for each emotion, and the layer to start from."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % n_emotions
    rows = rng.normal(size=(n_emotions, width))[targets] + rng.normal(size=(count, width))
    start = Head(0.3 * rng.normal(size=(n_emotions, width)), 0.3 * rng.normal(size=n_emotions))
    return rows, targets, np.ones(count), start


@pytest.mark.parametrize(("count", "width"), [(60, 5), (30, 80)])
def test_without_a_start_it_is_ordinary_logistic_regression(count: int, width: int) -> None:
    rows, targets, shares, _ = drawn(count, width)
    prior = 0.02
    strength = prior * (rows**2).sum(axis=1).mean()
    fitted = fit_head(rows, targets, shares, Head(np.zeros((3, width)), np.zeros(3)), prior=prior)
    # Theirs has one prior for all: the bias is the weight of a column that makes its prior ours.
    theirs = LogisticRegression(C=1 / strength, tol=1e-8, max_iter=5000, fit_intercept=False)
    column = np.full((count, 1), np.sqrt(strength / BIAS_PRIOR))
    answers = theirs.fit(np.hstack([rows, column]), targets).predict_proba(np.hstack([rows, column]))
    np.testing.assert_allclose(apply_temperature(fitted.logits(rows), 1), answers, atol=2e-3)


@pytest.mark.parametrize(("count", "width"), [(90, 8), (9, 40)])
def test_turned_rows_give_the_turned_layer(count: int, width: int) -> None:
    rows, targets, shares, start = drawn(count, width)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(width, width)))[0]
    plain = fit_head(rows, targets, shares, start)
    turned = fit_head(rows @ turn, targets, shares, Head(start.weight @ turn, start.bias))
    np.testing.assert_allclose(plain.logits(rows), turned.logits(rows @ turn), atol=2e-2)


def test_the_prior_decides_how_far_it_goes() -> None:
    rows, targets, shares, start = drawn(60, 10)
    gone = [
        float(np.abs(fit_head(rows, targets, shares, start, prior=prior).weight - start.weight).max())
        for prior in (1e-4, 1e-2, 1e0, 1e4)
    ]
    assert gone == sorted(gone, reverse=True)
    assert gone[-1] < 1e-3 < gone[0]


def test_from_nothing_follows_the_start() -> None:
    rows, targets, shares, start = drawn(0, 10)
    assert fit_head(rows, targets, shares, start) is start


def test_an_emotion_without_rows_keeps_finite_numbers() -> None:
    rows, targets, shares, start = drawn(40, 10)
    few = targets != 2
    fitted = fit_head(rows[few], targets[few], shares[few], start)
    assert np.isfinite(fitted.bias).all()
    assert (fitted.logits(rows[few]).argmax(axis=1) != 2).mean() > 0.95


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_two_halves_count_as_one(seed: int) -> None:
    rows, targets, shares, start = drawn(20, 4, seed=seed)
    once = fit_head(rows, targets, shares, start)
    twice = fit_head(np.tile(rows, (2, 1)), np.tile(targets, 2), np.full(40, 0.5), start)
    np.testing.assert_allclose(once.logits(rows), twice.logits(rows), atol=1e-2)
