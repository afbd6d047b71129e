"""A convolutional network made of Whisper's encoder: convolutions over time where the encoder attends.

What attention adds in the first blocks of an encoder that knows speech depends mostly on how far away a position is, and less
on what is there. So a depthwise convolution of 31 positions and a share of the clip's mean stand between the published
projections, and all is 1-D convolutions: the published stem, kernels of one position in place of linear layers, and depthwise
ones in place of attention, as in ConvNeXt (Liu et al. 2022) but for the order. It has no positions, hears clips of any length,
and costs the same for every second.

It starts from the published weights of whisper-tiny, its linear layers thinned out to those numbers that weigh most, and then
follows the frames of the encoder that it is made of: ``distillation.teacher``.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from typing_extensions import override

from emogram.networks.encoder import BlocksSettings, Encoder, EncoderBlock, EncoderNetwork
from emogram.networks.network import Network
from emogram.networks.settings import OddSize, Recipe

_WIDTH, _PUBLISHED_BLOCKS, _PUBLISHED_HIDDEN = 384, 4, 1536
_SMALLEST_COUNT = 1.0

_FIRST_REACH, _FIRST_TAP, _FIRST_SHARE = 2, 0.1, 0.5
"""What a kernel starts from: five even taps and half the mean of the clip, about what attention's mean is."""


class WhisperCNNSettings(BlocksSettings):
    """Convolutions over time in place of attention in the first blocks of Whisper's encoder, tiny."""

    recipes: ClassVar = {
        "whisper-cnn": Recipe(
            "Whisper's stem and first two blocks, tiny (Radford et al. 2023), with convolutions in place of attention.",
            {"blocks": 2, "pooled": 2},
        )
    }
    own_bands: ClassVar = 80
    name: Literal["whisper-cnn"] = Field("whisper-cnn", description="the only one")
    kernel: OddSize = Field(31, description="of the convolution over time, in positions of 20 ms")
    hidden: int = Field(
        1152,
        ge=8,
        le=_PUBLISHED_HIDDEN,
        description="width between the two linear layers of a block; the publisher's is 1536",
    )

    @model_validator(mode="after")
    def _consistent(self) -> "WhisperCNNSettings":
        if self.blocks > _PUBLISHED_BLOCKS:
            raise ValueError(f"blocks: whisper-tiny has {_PUBLISHED_BLOCKS}; choose at most that")
        return self

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> Network:
        self.require_one_channel(in_channels)
        return EncoderNetwork(self, ConvolvedEncoder(self, in_bands), _WIDTH, n_classes)


class ConvolvedEncoder(Encoder):
    """Stem and blocks, all convolutions over time. See `Encoder`."""

    def __init__(self, settings: WhisperCNNSettings, in_bands: int = 80) -> None:
        super().__init__(in_bands, _WIDTH)
        self.layers = nn.ModuleList(
            EncoderBlock(Convolution(settings.kernel), _WIDTH, settings.hidden, dropout=settings.block_dropout)
            for _ in range(settings.blocks)
        )

    @override
    def published(self) -> frozenset[str]:
        return frozenset(name for name in self.state_dict() if not name.endswith(Convolution.OWN))

    @override
    def adapted(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """With the numbers between the linear layers that weigh most, and kernels as they are."""
        own = dict(tensors)
        for number in range(len(self.layers)):
            block = f"layers.{number}."
            first, bias, second = (f"{block}{part}" for part in ("fc1.weight", "fc1.bias", "fc2.weight"))
            if not {first, bias, second} <= own.keys():
                continue
            weighs = own[first].norm(dim=1) * own[second].norm(dim=0)
            wanted = self.get_parameter(bias).numel()
            kept = weighs.argsort(descending=True, stable=True)[:wanted].sort().values
            own |= {first: own[first][kept], bias: own[bias][kept], second: own[second][:, kept]}
        kernels = {name: tensor for name, tensor in self.state_dict().items() if name.endswith(Convolution.OWN)}
        return own | kernels


class Convolution(nn.Module):
    """Depthwise convolution over time between two linear maps, with a share of the clip's mean: [B, N, D] -> [B, N, D].

    Args:
        kernel: positions it reaches over.
    """

    OWN = ("self_attn.conv.weight", "self_attn.clip_share")
    """Ends of the names that the publisher has not."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.v_proj = nn.Linear(_WIDTH, _WIDTH)
        self.conv = nn.Conv1d(_WIDTH, _WIDTH, kernel, padding=kernel // 2, groups=_WIDTH, bias=False)
        self.clip_share = nn.Parameter(torch.full((_WIDTH,), _FIRST_SHARE))
        self.out_proj = nn.Linear(_WIDTH, _WIDTH)
        with torch.no_grad():
            middle = kernel // 2
            self.conv.weight.zero_()
            self.conv.weight[:, :, max(0, middle - _FIRST_REACH) : middle + _FIRST_REACH + 1] = _FIRST_TAP

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class; `mask` [B, N] is one where a position is real."""
        values = self.v_proj(x)
        if mask is None:
            mean = values.mean(dim=1, keepdim=True)
        else:
            values = values * mask[:, :, None]
            mean = values.sum(dim=1, keepdim=True) / mask.sum(dim=1).clamp_min(_SMALLEST_COUNT)[:, None, None]
        mixed = self.conv(values.transpose(1, 2)).transpose(1, 2) + self.clip_share * mean
        out: Tensor = self.out_proj(mixed)
        return out
