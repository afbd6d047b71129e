"""Schedules: the values of closed forms at stated steps, for every group by its own rate, and what a plateau waits for."""

import math

import pytest
import torch
from torch import nn

from emogram.training.optimisation.optimizers import AdamWSettings, ParameterGroup, SGDSettings, optimizer
from emogram.training.optimisation.schedules import (
    SCHEDULES,
    ConstantSettings,
    CosineSettings,
    ExponentialSettings,
    OneCycleSettings,
    PlateauSettings,
    RateSchedule,
    ScheduleTypeSettings,
    StepSettings,
    schedule,
)


def rates(settings: ScheduleTypeSettings, steps: int, highest: float = 1.0) -> list[float]:
    chosen = optimizer(SGDSettings(learning_rate=highest), nn.Linear(2, 2))
    follower = schedule(settings, chosen, steps=steps)
    seen = []
    for _ in range(steps + 1):
        seen.append(float(chosen.param_groups[0]["lr"]))
        chosen.step()
        follower.step()
    return seen


CLOSED_FORMS = [
    (ConstantSettings(), {0: 1, 50: 1, 100: 1}),
    (ConstantSettings(warm_up=0.1), {0: 1 / 11, 4: 5 / 11, 9: 10 / 11, 10: 1, 100: 1}),
    (StepSettings(), {0: 1, 49: 1, 50: 0.1, 74: 0.1, 75: 0.01, 100: 0.01}),
    (StepSettings(drops=(0.2,), factor=0.5, warm_up=0.5), {0: 1 / 51, 50: 1, 59: 1, 60: 0.5, 100: 0.5}),
    (ExponentialSettings(last=0.01), {0: 1, 25: 0.01**0.25, 50: 0.1, 100: 0.01}),
    (CosineSettings(), {0: 1, 25: (1 + math.sqrt(0.5)) / 2, 50: 0.5, 100: 0}),
    (CosineSettings(last=0.1, warm_up=0.2), {20: 1, 60: 0.55, 100: 0.1}),
    (OneCycleSettings(), {0: 0.1, 15: 1, 100: 1e-4}),
    (OneCycleSettings(warm_up=0.2), {0: 0.1, 10: 0.55, 20: 1, 60: (1 + 1e-4) / 2, 100: 1e-4}),
    (OneCycleSettings(first=0.5, last=0.0), {0: 0.5, 15: 1, 100: 0}),
    (PlateauSettings(), {0: 1, 100: 1}),
    (PlateauSettings(warm_up=0.5), {0: 1 / 51, 50: 1, 100: 1}),
]


@pytest.mark.parametrize(("settings", "expected"), CLOSED_FORMS, ids=[str(form[0]) for form in CLOSED_FORMS])
def test_rates_are_those_of_the_closed_form(settings: ScheduleTypeSettings, expected: dict[int, float]) -> None:
    seen = rates(settings, 100)
    assert {step: seen[step] for step in expected} == pytest.approx(expected, abs=1e-12)


def test_every_schedule_has_a_closed_form() -> None:
    assert {form[0].name for form in CLOSED_FORMS} == set(SCHEDULES)


def test_one_cycle_of_adamw_is_what_it_always_was() -> None:
    """To the last bit: a cosine from a tenth up over 15 % of the steps, and one down to a ten-thousandth."""

    def cosine(start: float, end: float, progress: float) -> float:
        return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2

    chosen = optimizer(AdamWSettings(), nn.Linear(2, 2))
    follower = schedule(OneCycleSettings(), chosen, steps=70)
    for step in range(70):
        factor = cosine(0.1, 1.0, step / 10) if step < 10 else cosine(1.0, 1e-4, (step - 10) / 60)
        assert chosen.param_groups[0]["lr"] == 2e-3 * factor
        chosen.step()
        follower.step()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_very_short_run_has_a_schedule(name: str, steps: int) -> None:
    seen = rates(SCHEDULES[name].model_validate({"warm_up": 0.5}), steps)
    assert all(0 <= rate <= 1 for rate in seen)
    assert seen[0] > 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_group_follows_by_its_own_rate(name: str) -> None:
    layers = nn.Linear(2, 2), nn.Linear(2, 2)
    groups = [
        ParameterGroup(tuple(layers[0].parameters())),
        ParameterGroup(tuple(layers[1].parameters()), lr_scale=0.1),
    ]
    chosen = optimizer(AdamWSettings(learning_rate=0.01), groups)
    settings = SCHEDULES[name].model_validate({"warm_up": 0.2})
    follower = schedule(settings, chosen, steps=20)
    for step in range(20):
        expected = 0.01 * settings.at(step, 20)
        assert [group["lr"] for group in chosen.param_groups] == pytest.approx([expected] * 2 + [0.1 * expected] * 2)
        chosen.step()
        follower.step()


def plateau(settings: PlateauSettings) -> tuple[torch.optim.Optimizer, RateSchedule]:
    chosen = optimizer(SGDSettings(learning_rate=1.0), nn.Linear(2, 2))
    return chosen, schedule(settings, chosen, steps=1000)


def follow(
    settings: PlateauSettings, scores: list[float], *, larger_is_better: bool, cut: int | None = None
) -> list[float]:
    """The rate of each epoch after the scores of those before; through a saved state before the epoch `cut`."""
    chosen, follower = plateau(settings)
    seen = []
    for epoch, score in enumerate(scores):
        if epoch == cut:
            state, of_schedule = chosen.state_dict(), follower.state_dict()
            chosen, follower = plateau(settings)
            chosen.load_state_dict(state)
            follower.load_state_dict(of_schedule)
        follower.apply()
        seen.append(float(chosen.param_groups[0]["lr"]))
        for _ in range(3):
            chosen.step()
            follower.step()
            assert chosen.param_groups[0]["lr"] == seen[-1]
        follower.observe(score, larger_is_better=larger_is_better)
    return seen


SCORES = [0.5, 0.6, 0.6, 0.59, 0.58, 0.7, 0.7, 0.7, 0.7, 0.7]


@pytest.mark.parametrize("cut", [None, 3, 4, 8])
def test_a_plateau_halves_the_rate_after_so_many_epochs_without_gain(cut: int | None) -> None:
    expected = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]
    settings = PlateauSettings(patience=1)
    assert follow(settings, SCORES, larger_is_better=True, cut=cut) == expected
    assert follow(settings, [-score for score in SCORES], larger_is_better=False, cut=cut) == expected


def test_a_plateau_ends_at_its_lowest_rate() -> None:
    settings = PlateauSettings(patience=0, factor=0.1, last=0.05)
    assert follow(settings, [1.0] * 5, larger_is_better=True) == pytest.approx([1, 1, 0.1, 0.05, 0.05])


def test_other_schedules_take_no_notice_of_scores() -> None:
    chosen = optimizer(SGDSettings(learning_rate=1.0), nn.Linear(2, 2))
    follower = schedule(ConstantSettings(), chosen, steps=10)
    for _ in range(20):
        follower.observe(0.1, larger_is_better=True)
        follower.apply()
    assert chosen.param_groups[0]["lr"] == 1.0
