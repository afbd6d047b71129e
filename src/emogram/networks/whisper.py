"""The first blocks of Whisper's encoder (Radford et al. 2023) as a network over spectrograms.

A convolutional stem over an 80-band log-mel picture, then transformer blocks. What is asked here is how a thing is said,
not what: the middle blocks hold that, so only the first few are taken. The outputs of the last of them are pooled over time
as they are, side by side, and every number of the result is standardised for itself, since some are thousands of times as
large as others. Parameters are named as in the checkpoints that Hugging Face publishes (``openai/whisper-base``).

Clips of any length up to the 30 s that the published positions cover: positions are cut to the clip, padding is left out
of the attention and of the pooling, so that a clip in a batch gives what it gives alone.
"""

from typing import ClassVar, Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.networks.network import Network, full_precision
from emogram.networks.pooling import PoolingName, pooling
from emogram.networks.settings import NetworkType, Recipe

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


class WhisperNetworkSettings(NetworkType):
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
    blocks: int = Field(4, ge=1, le=12, description="how many blocks, from the first; the later ones tell words apart")
    pooled: int = Field(3, ge=1, le=12, description="of how many last blocks the outputs are pooled, side by side")
    pooling: PoolingName = Field("statistics", description="over time")
    block_dropout: float = Field(0.0, ge=0, lt=1, description="of what each block adds")
    dropout: float = Field(0.7, ge=0, lt=1, description="of what was pooled: thousands of numbers for one linear layer")

    @model_validator(mode="after")
    def _consistent(self) -> "WhisperNetworkSettings":
        published = SIZES[self.name.removeprefix("whisper-")].blocks
        if self.blocks > published:
            raise ValueError(f"blocks: {self.name} has {published}; choose at most that")
        if self.pooled > self.blocks:
            raise ValueError(f"pooled: {self.pooled} outputs of {self.blocks} blocks; choose at most that")
        return self

    @override
    def create(self, n_classes: int, in_channels: int, in_bands: int) -> "WhisperNetwork":
        if in_channels != 1:
            raise ConfigurationError(
                f"network: {self.name} takes pictures of one channel, not {in_channels}; choose spectrogram=whisper"
            )
        return WhisperNetwork(self, n_classes, in_bands)


class WhisperNetwork(Network):
    """Encoder, pooling of its last outputs over time, standardisation of each number, one linear layer.

    The computation can be cut after any block: `lower` gives what a frozen part computes, which may be kept for all
    epochs, and `upper` goes on from there.

    Shape:
        spec [B, 1, F, N], n_frames [B] or None -> logits [B, K]

    Args:
        settings: see `WhisperNetworkSettings`.
        n_classes: K.
        in_bands: F.
    """

    max_frames = MAX_FRAMES

    def __init__(self, settings: WhisperNetworkSettings, n_classes: int, in_bands: int = 80) -> None:
        super().__init__()
        size = SIZES[settings.name.removeprefix("whisper-")]
        self.settings = settings
        self.encoder = WhisperEncoder(size, blocks=settings.blocks, in_bands=in_bands, dropout=settings.block_dropout)
        parts = [pooling(settings.pooling, size.width) for _ in range(settings.pooled)]
        length = sum(part.out_features for part in parts)
        self.poolings = nn.ModuleList(parts)
        self.standardise = nn.BatchNorm1d(length, affine=False)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(length, n_classes)

    @override
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        hidden, mask = self.lower(spec, n_frames, frozen=0)
        outputs = self._outputs(hidden, mask, frozen=0)
        frames = torch.cat(outputs, dim=2).transpose(1, 2)
        return frames[:, :, None], None if mask is None else mask[:, None]

    @override
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        hidden, mask = self.lower(spec, n_frames, frozen=0)
        return self._pooled(self._outputs(hidden, mask, frozen=0), mask)

    def kept(self, frozen: int) -> list[int]:
        """Numbers of the outputs that `lower` gives, the last being `frozen`; 0 is the stem's."""
        first = self.settings.blocks - self.settings.pooled + 1
        return sorted({*range(first, frozen + 1), frozen})

    def lower(self, spec: Tensor, n_frames: Tensor | None = None, *, frozen: int) -> tuple[Tensor, Tensor | None]:
        """Outputs of the first `frozen` blocks that are wanted above, [B, L, N', D], and the mask [B, N'] or None."""
        x, mask = self.encoder.stem(spec, n_frames)
        outputs = [x]
        for layer in self.encoder.layers[:frozen]:
            outputs.append(layer(outputs[-1], mask))
        return torch.stack([outputs[number] for number in self.kept(frozen)], dim=1), mask

    def upper(self, hidden: Tensor, n_positions: Tensor | None = None, *, frozen: int) -> Tensor:
        """Logits [B, K] from what `lower` gave, laid out as a spectrogram: [B, L, D, N'], of which `n_positions` are real."""
        mask = None if n_positions is None else _real(n_positions, hidden.shape[3])
        pooled = self._pooled(self._outputs(hidden.transpose(2, 3), mask, frozen=frozen), mask)
        with full_precision(hidden):
            logits: Tensor = self.head(self.dropout(pooled))
        return logits

    def _outputs(self, hidden: Tensor, mask: Tensor | None, *, frozen: int) -> list[Tensor]:
        """The outputs [B, N', D] that are pooled, from what `lower` gave."""
        x = hidden[:, -1]
        first = self.settings.blocks - self.settings.pooled + 1
        outputs = [hidden[:, place] for place, number in enumerate(self.kept(frozen)) if number >= first]
        for layer in self.encoder.layers[frozen:]:
            x = layer(x, mask)
            outputs.append(x)
        return outputs[-self.settings.pooled :]

    def _pooled(self, outputs: list[Tensor], mask: Tensor | None) -> Tensor:
        """Outputs, each pooled over time, side by side and standardised, in full precision [B, E]."""
        over = None if mask is None else mask[:, None]
        with full_precision(outputs[0]):
            parts = [part(x.float().transpose(1, 2), over) for part, x in zip(self.poolings, outputs, strict=True)]
            vector: Tensor = self.standardise(torch.cat(parts, dim=1))
        return vector


class WhisperEncoder(nn.Module):
    """Stem, positions and the first blocks.

    Args:
        size: of the published encoder.
        blocks: how many of its blocks, from the first.
        dropout: of what each block adds, in training.

    Shape:
        spec [B, 1, F, N], n_frames [B] or None -> the outputs of every block, each [B, N', D], N' = ceil(N / 2), and the
        mask [B, N'] of real positions or None
    """

    def __init__(self, size: Size, *, blocks: int, in_bands: int = 80, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(in_bands, size.width, 3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(_POSITIONS, size.width)
        self.layers = nn.ModuleList(EncoderBlock(size, dropout=dropout) for _ in range(blocks))

    def forward(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[list[Tensor], Tensor | None]:
        """See the class."""
        x, mask = self.stem(spec, n_frames)
        outputs = []
        for layer in self.layers:
            x = layer(x, mask)
            outputs.append(x)
        return outputs, mask

    def first_blocks(self, count: int) -> dict[str, Tensor]:
        """Weights of the stem and of that many blocks, by name."""
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not name.startswith("layers.") or int(name.split(".")[1]) < count
        }

    def stem(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What the first block hears, [B, N', D], and the mask [B, N'] of real positions or None.

        Raises:
            ConfigurationError: a clip longer than the published positions.
        """
        x = spec[:, 0]
        if not torch.compiler.is_exporting() and x.shape[2] > MAX_FRAMES:
            raise ConfigurationError(
                f"audio: {x.shape[2]} frames, and Whisper knows positions for {MAX_FRAMES} (30 s); cut the clips shorter"
            )
        real = None if n_frames is None else _real(n_frames, x.shape[2])
        x = functional.gelu(self.conv1(x if real is None else x * real[:, None]))
        x = functional.gelu(self.conv2(x if real is None else x * real[:, None])).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        # The second convolution keeps every other frame, the first among them.
        return x, None if real is None else real[:, ::2]


class EncoderBlock(nn.Module):
    """Attention and two linear layers, each with normalisation before and a way around: [B, N, D] -> [B, N, D]."""

    def __init__(self, size: Size, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attn = SelfAttention(size)
        self.self_attn_layer_norm = nn.LayerNorm(size.width)
        self.fc1 = nn.Linear(size.width, _FEED_FORWARD * size.width)
        self.fc2 = nn.Linear(_FEED_FORWARD * size.width, size.width)
        self.final_layer_norm = nn.LayerNorm(size.width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class; `mask` [B, N] is one where a position is real."""
        x = x + self.dropout(self.self_attn(self.self_attn_layer_norm(x), mask))
        added: Tensor = self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        total: Tensor = x + self.dropout(added)
        return total


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


def _real(n_frames: Tensor, length: int) -> Tensor:
    """[B, length], one where a frame is real."""
    positions = torch.arange(length, device=n_frames.device)
    return (positions[None, :] < n_frames[:, None]).float()
