"""Loss of a run: cross-entropy over the emotions that a clip's corpus can have, with soft and weighted targets."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


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
