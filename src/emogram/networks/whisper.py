"""The first blocks of Whisper's encoder (Radford et al. 2023) as a network over spectrograms.

A convolutional stem over an 80-band log-mel picture, then transformer blocks. What is asked here is how a thing is said,
not what: the middle blocks hold that, so only the first few are taken. The outputs of the last of them are pooled over time
as they are, side by side, and every number of the result is standardised for itself, since some are thousands of times as
large as others. Parameters are named as in the checkpoints that Hugging Face publishes (``openai/whisper-base``).

Clips of any length up to the 30 s that the published positions cover: positions are cut to the clip, padding is left out
of the attention and of the pooling, so that a clip in a batch gives what it gives alone.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.networks.encoder import BlocksSettings, Encoder, EncoderBlock, EncoderNetwork
from emogram.networks.network import Network
from emogram.networks.settings import Recipe

_POSITIONS = 1500
_FEED_FORWARD = 4


class Size(NamedTuple):
    """Width, heads and number of blocks of a published encoder."""

    width: int
    heads: int
    blocks: int


SIZES = {"tiny": Size(384, 6, 4), "base": Size(512, 8, 6), "small": Size(768, 12, 12)}
"""Of the published encoders, by what follows ``whisper-`` in their name."""

MAX_FRAMES = 2 * _POSITIONS
"""Frames of a picture that the published positions cover: 30 s."""


class WhisperNetworkSettings(BlocksSettings):
    """First blocks of Whisper's encoder (Radford et al. 2023), the outputs of the last few pooled over time, side by side."""

    recipes: ClassVar = {
        f"whisper-{name}": Recipe(
            f"First blocks of Whisper's encoder, {name} (Radford et al. 2023): {size.width} wide, {size.blocks} blocks."
        )
        for name, size in SIZES.items()
    }
    own_bands: ClassVar = 80
    name: Literal["whisper-tiny", "whisper-base", "whisper-small"] = Field(
        "whisper-base", description="which of the published encoders"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "WhisperNetworkSettings":
        published = SIZES[self.name.removeprefix("whisper-")].blocks
        if self.blocks > published:
            raise ValueError(f"blocks: {self.name} has {published}; choose at most that")
        return self

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> Network:
        self.require_one_channel(in_channels)
        size = SIZES[self.name.removeprefix("whisper-")]
        encoder = WhisperEncoder(size, blocks=self.blocks, in_bands=in_bands, dropout=self.block_dropout)
        return EncoderNetwork(self, encoder, size.width, n_classes)


class WhisperEncoder(Encoder):
    """Stem, positions and the first blocks.

    Args:
        size: of the published encoder.
        blocks: how many of its blocks, from the first.
        dropout: of what each block adds, in training.
    """

    def __init__(self, size: Size, *, blocks: int, in_bands: int = 80, dropout: float = 0.0) -> None:
        super().__init__(in_bands, size.width)
        self.embed_positions = nn.Embedding(_POSITIONS, size.width)
        self.layers = nn.ModuleList(
            EncoderBlock(SelfAttention(size), size.width, _FEED_FORWARD * size.width, dropout=dropout)
            for _ in range(blocks)
        )

    @override
    def published(self) -> frozenset[str]:
        return frozenset(self.state_dict())

    @override
    def adapted(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(tensors)

    @override
    def stem_parts(self) -> tuple[nn.Module, ...]:
        return *super().stem_parts(), self.embed_positions

    @override
    def stem(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """As in `Encoder`, with the positions added.

        Raises:
            ConfigurationError: a clip longer than the published positions.
        """
        if not torch.compiler.is_exporting() and spec.shape[3] > MAX_FRAMES:
            raise ConfigurationError(
                f"audio: {spec.shape[3]} frames, and Whisper knows positions for {MAX_FRAMES} (30 s); cut the clips shorter"
            )
        x, mask = super().stem(spec, n_frames)
        return x + self.embed_positions.weight[: x.shape[1]], mask


class SelfAttention(nn.Module):
    """Multi-head attention of every position to every real one (Vaswani et al. 2017): [B, N, D] -> [B, N, D]."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.k_proj = nn.Linear(size.width, size.width, bias=False)
        self.v_proj = nn.Linear(size.width, size.width)
        self.q_proj = nn.Linear(size.width, size.width)
        self.out_proj = nn.Linear(size.width, size.width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class."""
        heard = None if mask is None else mask[:, None, None, :].bool()
        mixed = functional.scaled_dot_product_attention(
            self._split(self.q_proj(x)), self._split(self.k_proj(x)), self._split(self.v_proj(x)), heard
        )
        joined: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        """[B, N, D] -> [B, heads, N, D / heads]."""
        return torch.unflatten(x, 2, (self.heads, -1)).transpose(1, 2)
