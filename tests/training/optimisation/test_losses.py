"""Loss: class weights, soft targets, cross-entropy over the emotions that a corpus can have."""

import math

import pytest
import torch
from torch.nn import functional

from emogram.training.optimisation.losses import class_weights, masked_cross_entropy, soft_targets


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
