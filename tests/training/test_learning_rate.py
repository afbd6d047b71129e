"""The range test: what it suggests from a curve, and that a real one rises, repeats itself and keeps nothing."""

from typing import Any

import numpy as np
import pytest

from emogram.errors import ConfigurationError, TrainingError
from emogram.training import learning_rate
from emogram.training.learner import Learner
from emogram.training.learning_rate import RangeTest, range_test, smooth
from tests.training import runs

RATES = np.geomspace(1e-6, 1.0, 61)


def curve(fall: float, rise: float) -> RangeTest:
    """A loss that falls around one rate and rises around a later one, both as a logistic curve of the logarithm."""
    place = np.log10(RATES)
    losses = 2 - 1 / (1 + np.exp(-6 * (place - fall))) + 5 / (1 + np.exp(-12 * (place - rise)))
    return RangeTest(RATES, losses, losses)


def test_the_steepest_descent_and_a_tenth_of_the_minimum_are_suggested() -> None:
    found = curve(fall=-3.0, rise=-1.0)
    assert found.steepest == pytest.approx(1e-3)
    assert 1e-3 < found.minimum < 1e-1
    assert found.suggestion == pytest.approx(found.minimum / 10)
    assert not found.still_falling
    assert curve(fall=-3.0, rise=9.0).still_falling


def test_smoothing_keeps_level_and_place() -> None:
    assert smooth([3.0] * 20, 2.0) == pytest.approx(np.full(20, 3.0))
    assert smooth(list(range(21)), 2.0)[10] == pytest.approx(10)
    noise = np.random.default_rng(0).standard_normal(200)
    assert smooth(noise.tolist(), 5.0)[20:180].std() < 0.35 * noise.std()
    assert int(np.argmin(smooth([abs(place - 30.0) for place in range(60)], 3.0))) == 30


@pytest.fixture(scope="module")
def found(material: runs.Material) -> RangeTest:
    return measured(material)


def measured(material: runs.Material, *settings: str, **options: Any) -> RangeTest:
    configuration = material.configuration("fit.batch_size=4", *settings)
    clips = [clip for clip in material.clips() if clip.emotion in {"angry", "sad"}]
    return range_test(configuration, clips, **{"batches": 14, "lowest": 1e-4, "highest": 1.0, **options})


def test_a_real_one_rises_and_repeats_itself(material: runs.Material, found: RangeTest) -> None:
    told: list[tuple[int, int]] = []
    again = measured(material, progress=lambda done, total: told.append((done, total)))
    assert np.array_equal(found.losses, again.losses)
    assert np.isfinite(found.losses).all()
    assert found.rates[0] == 1e-4
    assert np.diff(np.log(found.rates)) == pytest.approx(np.log(1e4) / 13)
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    assert told == [(step + 1, 14) for step in range(len(again.losses))]


def test_the_optimiser_of_the_configuration_is_measured(material: runs.Material, found: RangeTest) -> None:
    other = measured(material, "fit.optimizer=sgd")
    assert other.losses[0] == found.losses[0]
    assert other.losses[3] != found.losses[3]


def test_what_comes_apart_ends_the_curve(material: runs.Material, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Learner._network
    calls: list[int] = []

    def breaking(*arguments: Any) -> Any:
        calls.append(1)
        return network(*arguments) * (float("nan") if len(calls) > 12 else 1.0)

    monkeypatch.setattr(Learner, "_network", breaking)
    assert len(measured(material).losses) <= 12
    calls[:] = [1] * 12
    with pytest.raises(TrainingError, match=r"the loss explodes at once, at a rate of 0\.0001; begin with a lower one"):
        measured(material)


def test_a_loss_that_never_fell_is_one_line(material: runs.Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning_rate, "_losses", lambda *_: [1.0 + step for step in range(14)])
    with pytest.raises(
        TrainingError, match=r"lowest at the first rate, 0\.0001: it never fell; begin with a lower rate"
    ):
        measured(material)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0.0}, "rates 0 to 1: give two numbers above 0, the lower one first"),
        ({"lowest": 2.0}, "rates 2 to 1: give two"),
        ({"highest": float("inf")}, "rates 0.0001 to inf"),
        ({"batches": 9}, "9 batches: too few to see a curve; give 10 or more"),
    ],
)
def test_rates_and_batches_that_cannot_be_are_one_line(
    material: runs.Material, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        measured(material, **options)
