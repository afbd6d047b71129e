"""Networks with weights that hide nothing: no statistic or bias is left at the zero or one it starts with."""

from typing import Any

import torch
from torch import Tensor, nn

from emogram.networks.cnn import CNN, CNNSettings

N_BANDS = 64
N_EMOTIONS = 5


def disturbed(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in evaluation mode, each shift and scale of its normalisations made random, its weights as large as
    keeps the signal from dying out on the way.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(like: Tensor, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(like.shape, generator=generator)

    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(part.weight, generator=generator)
            normalisations = nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm
            if isinstance(part, normalisations) and part.weight is not None:
                part.weight.copy_(uniform(part.weight, 0.7, 1.3))
                part.bias.copy_(uniform(part.bias, -0.3, 0.3))
            if (
                isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)
                and part.running_mean is not None
                and part.running_var is not None
            ):
                part.running_mean.copy_(uniform(part.running_mean, -0.3, 0.3))
                part.running_var.copy_(uniform(part.running_var, 0.5, 1.5))
    return module.eval()


def cnn(fields: dict[str, Any] | str, n_classes: int = N_EMOTIONS) -> CNN:
    """The CNN of a recipe or of fields."""
    network = CNNSettings.model_validate(fields).build(n_classes)
    assert isinstance(network, CNN)
    return network


def spec(clips: int, frames: int, *, bands: int = N_BANDS, seed: int = 0) -> Tensor:
    """A standardised spectrogram [B, 1, F, N] of noise."""
    return torch.randn(clips, 1, bands, frames, generator=torch.Generator().manual_seed(seed))
