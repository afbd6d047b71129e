"""Stability: what is measured in an epoch, and when a run is ended."""

import math

import numpy as np
import pytest
import torch

from emogram.errors import TrainingError
from emogram.training.optimisation.stability import Stability, StabilitySettings


def see(stability: Stability, *losses: float) -> None:
    for loss in losses:
        stability.see_loss(torch.tensor(loss), 8)


def test_variance_and_norms_are_of_one_epoch() -> None:
    stability = Stability(StabilitySettings(), "mend it")
    see(stability, 9.0)
    stability.begin(1)
    see(stability, 1.0, 2.0, 4.0)
    for norm in (1.0, 3.0):
        stability.see_gradient(torch.tensor(norm))
    assert stability.scores() == pytest.approx(
        {"train_loss_variance": np.var([1, 2, 4]), "gradient_norm_mean": 2.0, "gradient_norm_max": 3.0}
    )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_ends_the_run(value: float) -> None:
    stability = Stability(StabilitySettings(explosion=0), "mend it")
    stability.begin(2)
    see(stability, 1.0)
    with pytest.raises(TrainingError, match=rf"^epoch 3, batch 2: the loss is {value}; mend it$"):
        see(stability, value)
    with pytest.raises(TrainingError, match=rf"^epoch 3, batch 1: the norm of the gradient is {value}; mend it$"):
        stability.see_gradient(torch.tensor(value))


def test_explosions_in_a_row_end_the_run() -> None:
    """The threshold is 2 ln 8, 4.16."""
    stability = Stability(StabilitySettings(explosion=2.0, batches=3), "mend it")
    see(stability, 4.2, 4.2, 4.1, 4.2)
    stability.begin(1)
    see(stability, 50.0)
    with pytest.raises(TrainingError) as refusal:
        see(stability, 60.0)
    assert str(refusal.value) == (
        "epoch 2, batch 2: the loss has exploded to 60, for 3 batches above 4.16, 2 times that of guessing; mend it"
    )


def test_explosions_can_be_let_pass() -> None:
    see(Stability(StabilitySettings(explosion=0, batches=1), "mend it"), *[1e9] * 50)
