"""Optimiser, schedule and loss of a run."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from emogram.training.configuration import OptimizerSettings

_FIRST_RATE = 0.1
_LAST_RATE = 1e-4


def optimizer(settings: OptimizerSettings, groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
    """AdamW, without decay on biases and normalisations, which have nothing to gain from being small.

    Args:
        settings: of the optimiser.
        groups: each with its ``params`` and ``lr_scale``, the factor of the rate that they have.
    """
    split: list[dict[str, Any]] = []
    for group in groups:
        rate = settings.learning_rate * group["lr_scale"]
        for decayed in (True, False):
            chosen = [p for p in group["params"] if (p.ndim > 1) == decayed]
            split.append({"params": chosen, "lr": rate, "weight_decay": settings.weight_decay if decayed else 0.0})
    return torch.optim.AdamW(split, lr=settings.learning_rate, fused=True)


def schedule(settings: OptimizerSettings, optimizer: torch.optim.Optimizer, *, steps: int) -> LambdaLR:
    """Rate of each step as a factor of the highest one.

    ``one_cycle``: a cosine up from a tenth over the warm-up, then a cosine down to a ten-thousandth.
    """
    if settings.schedule == "constant":
        return LambdaLR(optimizer, lambda _: 1.0)
    rising = max(1, round(settings.warm_up * steps))

    def factor(step: int) -> float:
        if step < rising:
            return _cosine(_FIRST_RATE, 1.0, step / rising)
        return _cosine(1.0, _LAST_RATE, min(1.0, (step - rising) / max(1, steps - rising)))

    return LambdaLR(optimizer, factor)


def class_weights(targets: Sequence[int], n_classes: int) -> Tensor:
    """Weights [K] inverse to how often each emotion occurs, 1 on average over the clips."""
    counts = np.bincount(np.asarray(targets), minlength=n_classes)
    weights = len(targets) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return torch.tensor(np.where(counts > 0, weights, 0.0), dtype=torch.float32)


def soft_targets(target: Tensor, allowed: Tensor, *, label_smoothing: float) -> Tensor:
    """One-hot targets with some probability spread over the emotions that the clip's corpus can have.

    Args:
        target: [B], index.
        allowed: [B, K], boolean.
        label_smoothing: probability that is spread (Szegedy et al. 2016).

    Returns:
        [B, K], rows sum to one.
    """
    one_hot = functional.one_hot(target, allowed.shape[1]).float()
    spread = allowed.float() / allowed.sum(dim=1, keepdim=True)
    return (1 - label_smoothing) * one_hot + label_smoothing * spread


def masked_cross_entropy(logits: Tensor, targets: Tensor, allowed: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy of a softmax over the allowed emotions alone, mean over the batch.

    A corpus without an emotion must not teach that its clips never carry it.

    Args:
        logits: [B, K].
        targets: [B, K], probabilities that are zero where not allowed.
        allowed: [B, K], boolean.
        weights: [K] for rare emotions, or None.
    """
    log_probabilities = functional.log_softmax(logits.masked_fill(~allowed, -math.inf), dim=1)
    terms = -targets * log_probabilities.masked_fill(~allowed, 0.0)
    if weights is not None:
        terms = terms * weights
    return terms.sum(dim=1).mean()


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
