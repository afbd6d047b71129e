"""What stands between the convolutions: normalisations, activations, and what is left out at random in training."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

NormalisationName = Literal["batch", "group", "instance", "layer", "none"]
ActivationName = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "mish"]
DropName = Literal["element", "channel", "block"]

ACTIVATIONS: dict[ActivationName, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
}


class _GroupNormalisation(nn.GroupNorm):
    def forward(self, x: Tensor) -> Tensor:
        """As its parent, which refuses a clip so short that one value a group is left; here that gives the bias."""
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class LayerNormalisation(nn.LayerNorm):
    """Over the channels of each place by itself (Ba et al. 2016), so that padding cannot touch it: [B, C, F, N] -> same."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def normalisation(name: NormalisationName, channels: int) -> nn.Module:
    """The normalisation of that name: [B, C, F, N] -> the same, C = `channels`."""
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "group":
        return _GroupNormalisation(next(groups for groups in (8, 4, 2, 1) if channels % groups == 0), channels)
    if name == "instance":
        return _GroupNormalisation(channels, channels)
    return LayerNormalisation(channels) if name == "layer" else nn.Identity()


class DropBlock(nn.Module):
    """Set squares of neighbouring values to zero in training (Ghiasi et al. 2018), and scale the rest up.

    Values beside each other say nearly the same, so that leaving out single ones hides little. The squares are cut to
    pictures that are smaller than they.

    Args:
        rate: part of the values to drop.
        size: of a square, in values.

    Shape:
        [B, C, F, N] -> the same
    """

    def __init__(self, rate: float, size: int = 5) -> None:
        super().__init__()
        self.rate = rate
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if not self.training or self.rate == 0:
            return x
        bands, frames = x.shape[2:]
        height, width = min(self.size, bands), min(self.size, frames)
        rows, columns = bands - height + 1, frames - width + 1
        # As many corners as drop `rate` of the values where squares do not overlap.
        chance = min(1.0, self.rate * bands * frames / (height * width * rows * columns))
        corners = (torch.rand(*x.shape[:2], rows, columns, device=x.device) < chance).float()
        margins = (width - 1, width - 1, height - 1, height - 1)
        dropped = functional.max_pool2d(functional.pad(corners, margins), (height, width), 1)
        kept = 1 - dropped
        return x * (kept * (kept.numel() / kept.sum().clamp_min(1))).to(x.dtype)


DROPS: dict[DropName, Callable[[float], nn.Module]] = {
    "element": nn.Dropout,
    "channel": nn.Dropout2d,
    "block": DropBlock,
}
"""What leaves a part of a feature map out in training, by the part of it."""
