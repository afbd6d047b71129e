"""Optimiser, schedule and loss."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from emogram.training.configuration import OptimizerSettings
from emogram.training.optimisation import class_weights, masked_cross_entropy, optimizer, schedule, soft_targets


def rates(settings: OptimizerSettings, steps: int) -> list[float]:
    chosen = optimizer(settings, nn.Linear(2, 2))
    follower = schedule(settings, chosen, steps=steps)
    seen = []
    for _ in range(steps + 1):
        seen.append(float(chosen.param_groups[0]["lr"]))
        chosen.step()
        follower.step()
    return seen


@pytest.mark.parametrize(("steps", "warm_up"), [(100, 0.15), (40, 0.5), (7, 0.3)])
def test_one_cycle_rises_from_a_tenth_and_falls_to_a_ten_thousandth(steps: int, warm_up: float) -> None:
    seen = rates(OptimizerSettings(learning_rate=2e-3, warm_up=warm_up), steps)
    top = round(warm_up * steps)
    assert seen[0] == pytest.approx(2e-4)
    assert seen[top] == pytest.approx(2e-3)
    assert seen[steps] == pytest.approx(2e-7)
    assert seen[: top + 1] == sorted(seen[: top + 1])
    assert seen[top:] == sorted(seen[top:], reverse=True)


def test_one_cycle_is_half_way_up_in_the_middle_of_its_warm_up() -> None:
    assert rates(OptimizerSettings(learning_rate=1.0, warm_up=0.2), 100)[10] == pytest.approx((0.1 + 1) / 2)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_very_short_run_has_a_schedule(steps: int) -> None:
    seen = rates(OptimizerSettings(learning_rate=1.0), steps)
    assert seen[0] == pytest.approx(0.1)
    assert all(0 < rate <= 1 for rate in seen)


def test_a_constant_rate_is_constant() -> None:
    assert set(rates(OptimizerSettings(schedule="constant", learning_rate=0.5), 10)) == {0.5}


def test_biases_and_normalisations_do_not_decay() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    module[3].bias.requires_grad_(False)
    groups = optimizer(OptimizerSettings(weight_decay=0.3), module).param_groups
    assert [(group["weight_decay"], len(group["params"])) for group in groups] == [(0.3, 2), (0.0, 3)]
    assert all(p.ndim > 1 for p in groups[0]["params"])


def test_class_weights_are_inverse_to_counts_and_1_on_average() -> None:
    targets = [0] * 6 + [1] * 3 + [3] * 1
    weights = class_weights(targets, 4)
    assert weights.dtype == torch.float32
    assert float(weights[1] / weights[0]) == pytest.approx(2)
    assert float(weights[3] / weights[0]) == pytest.approx(6)
    assert float(weights[2]) == 0
    assert float(weights[targets].mean()) == pytest.approx(1)


def test_balanced_classes_weigh_1() -> None:
    assert class_weights([0, 1, 2] * 5, 3).tolist() == [1, 1, 1]


ALLOWED = torch.tensor([[True, True, False, True], [True, False, False, True]])
TARGET = torch.tensor([1, 0])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_soft_targets_sum_to_1_over_the_allowed(smoothing: float) -> None:
    targets = soft_targets(TARGET, ALLOWED, label_smoothing=smoothing)
    assert targets.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert not targets[~ALLOWED].any()
    assert targets[0].tolist() == pytest.approx([smoothing / 3, 1 - smoothing + smoothing / 3, 0, smoothing / 3])
    assert targets[1].tolist() == pytest.approx([1 - smoothing / 2, 0, 0, smoothing / 2])


def test_the_loss_is_that_of_torch_where_all_is_allowed() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    target, everything = torch.tensor([0, 1, 2, 3, 3]), torch.ones(5, 4, dtype=torch.bool)
    for smoothing in (0.0, 0.1):
        targets = soft_targets(target, everything, label_smoothing=smoothing)
        expected = functional.cross_entropy(logits, target, label_smoothing=smoothing)
        torch.testing.assert_close(masked_cross_entropy(logits, targets, everything), expected)


def test_the_loss_over_the_allowed_is_that_of_a_smaller_softmax() -> None:
    logits = torch.tensor([[1.0, 2.0, 50.0, -1.0]])
    targets = soft_targets(TARGET[:1], ALLOWED[:1], label_smoothing=0.0)
    expected = -2.0 + math.log(math.exp(1) + math.exp(2) + math.exp(-1))
    assert float(masked_cross_entropy(logits, targets, ALLOWED[:1])) == pytest.approx(expected)


def test_an_emotion_that_the_corpus_lacks_is_not_pushed_either_way() -> None:
    logits = torch.randn(2, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    targets = soft_targets(TARGET, ALLOWED, label_smoothing=0.1)
    masked_cross_entropy(logits, targets, ALLOWED).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.equal(logits.grad != 0, ALLOWED)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.sum(dim=1).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_weights_scale_the_loss_of_their_emotion() -> None:
    logits, everything = torch.zeros(2, 4), torch.ones(2, 4, dtype=torch.bool)
    targets = soft_targets(torch.tensor([0, 1]), everything, label_smoothing=0.0)
    weights = torch.tensor([3.0, 1.0, 1.0, 1.0])
    loss = masked_cross_entropy(logits, targets, everything, weights)
    assert float(loss) == pytest.approx(math.log(4) * (3 + 1) / 2)
