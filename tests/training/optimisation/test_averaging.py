"""Averaged weights: the share of each step, and what the shares add up to."""

import pytest
from pydantic import TypeAdapter, ValidationError

from emogram.training.optimisation.averaging import (
    AVERAGINGS,
    AveragingSettings,
    AveragingTypeSettings,
    EMASettings,
    NoAveragingSettings,
    SWASettings,
)


def averaged(settings: AveragingTypeSettings, weights: list[float]) -> float:
    average = 0.0
    for step, weight in enumerate(weights):
        average += settings.share(step, len(weights)) * (weight - average)
    return average


def test_none_is_the_last() -> None:
    assert averaged(NoAveragingSettings(), [3.0, 4.0, 7.0]) == 7.0


@pytest.mark.parametrize(("start", "tail"), [(0.75, [7.0, 8.0]), (0.0, [1.0, 2, 3, 4, 5, 6, 7, 8]), (0.99, [8.0])])
def test_swa_is_the_mean_of_the_tail(start: float, tail: list[float]) -> None:
    weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert averaged(SWASettings(start=start), weights) == pytest.approx(sum(tail) / len(tail))


def test_before_its_start_swa_has_the_last_weights() -> None:
    assert [SWASettings(start=0.5).share(step, 10) for step in range(8)] == [1, 1, 1, 1, 1, 1, 1 / 2, 1 / 3]


def test_ema_forgets_the_start_fast_and_then_decays() -> None:
    settings = EMASettings(decay=0.9)
    assert settings.share(1, 100) == 1 - 2 / 11
    assert settings.share(500, 1000) == 1 - 0.9


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (0, NoAveragingSettings()),
        (0.0, NoAveragingSettings()),
        (0.5, EMASettings(decay=0.5)),
        ("swa", SWASettings()),
        ({"decay": 0.9}, EMASettings(decay=0.9)),
        (SWASettings(), SWASettings()),
    ],
)
def test_a_number_is_the_decay_of_a_moving_average(given: object, expected: AveragingTypeSettings) -> None:
    assert TypeAdapter(AveragingSettings).validate_python(given) == expected


@pytest.mark.parametrize("wrong", [1.0, -0.1, True, [0.9], "emma"])
def test_other_values_are_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AveragingSettings).validate_python(wrong)


def test_every_way_is_named_as_its_class_says() -> None:
    assert [settings().name for settings in AVERAGINGS.values()] == list(AVERAGINGS)  # type: ignore[call-arg]
