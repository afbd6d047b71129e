"""Pooling over time: frames [B, D, N] of any number to one vector, with padded frames left out.

A mask is [B, 1, N], one where a frame is real and zero where it is padding; None means that all are real.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

PoolingName = Literal["average", "max", "average_max", "statistics", "attention", "self_attention"]

_VARIANCE_FLOOR = 1e-5


class Pooling(nn.Module):
    """What every pooling tells: its width.

    Attributes:
        out_features: length of the vector that it makes.
    """

    out_features: int


class AveragePooling(Pooling):
    """Mean over time: [B, D, N] -> [B, D]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_features = channels

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        return mean_over_time(frames, mask)


class MaxPooling(Pooling):
    """Maximum over time: [B, D, N] -> [B, D]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_features = channels

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        return max_over_time(frames, mask)


class AverageMaxPooling(Pooling):
    """Mean and maximum side by side: [B, D, N] -> [B, 2 D]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_features = 2 * channels

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        return torch.cat([mean_over_time(frames, mask), max_over_time(frames, mask)], dim=1)


class StatisticsPooling(Pooling):
    """Mean and standard deviation side by side (Snyder et al. 2018, x-vectors): [B, D, N] -> [B, 2 D]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_features = 2 * channels

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        mean = mean_over_time(frames, mask)
        square = mean_over_time((frames - mean[:, :, None]).square(), mask)
        return torch.cat([mean, (square + _VARIANCE_FLOOR).sqrt()], dim=1)


class AttentionPooling(Pooling):
    """Attentive statistics (Okabe et al. 2018): each channel weighs the frames for its mean and deviation.

    Args:
        channels: D.
        bottleneck: width of the layer that computes the weights.

    Shape:
        [B, D, N] -> [B, 2 D]
    """

    def __init__(self, channels: int, bottleneck: int = 64) -> None:
        super().__init__()
        # A bias of the last layer would cancel in the softmax.
        self.score = nn.Sequential(
            nn.Conv1d(channels, bottleneck, 1), nn.Tanh(), nn.Conv1d(bottleneck, channels, 1, bias=False)
        )
        self.out_features = 2 * channels

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        scores = self.score(frames)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, float("-inf"))
        weights = scores.softmax(dim=2)
        mean = (weights * frames).sum(dim=2)
        square = (weights * (frames - mean[:, :, None]).square()).sum(dim=2)
        return torch.cat([mean, (square + _VARIANCE_FLOOR).sqrt()], dim=1)


class SelfAttentionPooling(Pooling):
    """Weighted means of the frames, one a head, with weights that the frames themselves give (Lin et al. 2017).

    Args:
        channels: D.
        heads: number of means.
        bottleneck: width of the layer that computes the weights.

    Shape:
        [B, D, N] -> [B, heads D]
    """

    def __init__(self, channels: int, heads: int = 4, bottleneck: int = 64) -> None:
        super().__init__()
        # A bias of the last layer would cancel in the softmax.
        self.score = nn.Sequential(
            nn.Conv1d(channels, bottleneck, 1), nn.Tanh(), nn.Conv1d(bottleneck, heads, 1, bias=False)
        )
        self.out_features = heads * channels

    def forward(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        scores = self.score(frames)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, float("-inf"))
        heads: Tensor = scores.softmax(dim=2) @ frames.transpose(1, 2)
        return heads.flatten(1)


def mean_over_time(frames: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of the real frames: [B, D, N] -> [B, D]."""
    if mask is None:
        return frames.mean(dim=2)
    return (frames * mask).sum(dim=2) / mask.sum(dim=2)


def max_over_time(frames: Tensor, mask: Tensor | None) -> Tensor:
    """Maximum of the real frames: [B, D, N] -> [B, D]."""
    if mask is not None:
        frames = frames.masked_fill(mask == 0, float("-inf"))
    return frames.amax(dim=2)


def pooling(name: PoolingName, channels: int) -> Pooling:
    """The pooling of that name for D = `channels`; it tells its width in ``out_features``."""
    return _POOLINGS[name](channels)


_POOLINGS: dict[PoolingName, Callable[[int], Pooling]] = {
    "average": AveragePooling,
    "max": MaxPooling,
    "average_max": AverageMaxPooling,
    "statistics": StatisticsPooling,
    "attention": AttentionPooling,
    "self_attention": SelfAttentionPooling,
}
