"""What networks over the first blocks of a published encoder share: a stem, blocks that may be cut anywhere, and a head.

The outputs of the last blocks are pooled over time as they are, side by side, and every number of the result is standardised
for itself, since some are thousands of times as large as others.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.networks.network import Network, full_precision
from emogram.networks.pooling import PoolingName, pooling
from emogram.networks.settings import NetworkType


class BlocksSettings(NetworkType):
    """How many blocks, and what becomes of their outputs."""

    blocks: int = Field(4, ge=1, le=12, description="how many blocks, from the first; the later ones tell words apart")
    pooled: int = Field(3, ge=1, le=12, description="of how many last blocks the outputs are pooled, side by side")
    pooling: PoolingName = Field("statistics", description="over time")
    block_dropout: float = Field(
        0.0, ge=0, lt=1, description="of what each block adds; 0.1 took ten points from Whisper base"
    )
    dropout: float = Field(0.7, ge=0, lt=1, description="of what was pooled: thousands of numbers for one linear layer")

    @model_validator(mode="after")
    def _pooled_exist(self) -> "BlocksSettings":
        if self.pooled > self.blocks:
            raise ValueError(f"pooled: {self.pooled} outputs of {self.blocks} blocks; choose at most that")
        return self

    def require_one_channel(self, in_channels: int) -> None:
        """Make sure that the spectrogram is a plain picture.

        Raises:
            ConfigurationError: it has several channels.
        """
        if in_channels != 1:
            raise ConfigurationError(
                f"network: {self.name} takes pictures of one channel, not {in_channels}; choose spectrogram=whisper"
            )


class Encoder(nn.Module, ABC):
    """Two convolutions over time, of three frames each, the second keeping every other, and some blocks.

    Args:
        in_bands: F.
        width: D, numbers a position.

    Attributes:
        layers: blocks, each [B, N', D] and mask [B, N'] or None -> [B, N', D].
    """

    layers: nn.ModuleList

    def __init__(self, in_bands: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(in_bands, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)

    @abstractmethod
    def published(self) -> frozenset[str]:
        """Names of the tensors that are taken from the publisher's file."""

    @abstractmethod
    def adapted(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The publisher's tensors as this encoder has them, by its own names."""

    def forward(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[list[Tensor], Tensor | None]:
        """The outputs of every block, each [B, N', D], N' = ceil(N / 2), and the mask [B, N'] of real positions or None.

        Shape:
            spec [B, 1, F, N], n_frames [B] or None
        """
        x, mask = self.stem(spec, n_frames)
        outputs = []
        for layer in self.layers:
            x = layer(x, mask)
            outputs.append(x)
        return outputs, mask

    def stem(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """What the first block hears, [B, N', D], and the mask [B, N'] of real positions or None."""
        x = spec[:, 0]
        real = None if n_frames is None else real_frames(n_frames, x.shape[2])
        x = functional.gelu(self.conv1(x if real is None else x * real[:, None]))
        x = functional.gelu(self.conv2(x if real is None else x * real[:, None])).transpose(1, 2)
        # The second convolution keeps every other frame, the first among them.
        return x, None if real is None else real[:, ::2]

    def stem_parts(self) -> tuple[nn.Module, ...]:
        """What lies below the first block."""
        return self.conv1, self.conv2

    def first_blocks(self, count: int) -> dict[str, Tensor]:
        """Weights of the stem and of that many blocks, by name."""
        return {
            name: tensor
            for name, tensor in self.state_dict().items()
            if not name.startswith("layers.") or int(name.split(".")[1]) < count
        }


class EncoderBlock(nn.Module):
    """What mixes positions and two linear layers, each with normalisation before and a way around: [B, N, D] -> [B, N, D].

    Args:
        mixing: of positions, [B, N, D] and mask [B, N] or None -> [B, N, D].
        width: D.
        hidden: width between the two linear layers.
        dropout: of what each of the two adds, in training.
    """

    def __init__(self, mixing: nn.Module, width: int, hidden: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        # Named as the publisher names it, whatever mixes.
        self.self_attn = mixing
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """See the class; `mask` [B, N] is one where a position is real."""
        x = x + self.dropout(self.self_attn(self.self_attn_layer_norm(x), mask))
        added: Tensor = self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        total: Tensor = x + self.dropout(added)
        return total


class EncoderNetwork(Network):
    """Encoder, pooling of its last outputs over time, standardisation of each number, one linear layer.

    The computation can be cut after any block: `lower` gives what a frozen part computes, which may be kept for all
    epochs, and `upper` goes on from there.

    Shape:
        spec [B, 1, F, N], n_frames [B] or None -> logits [B, K]

    Args:
        settings: of blocks and head.
        encoder: with as many blocks.
        width: D, numbers a position.
        n_classes: K.
    """

    def __init__(self, settings: BlocksSettings, encoder: Encoder, width: int, n_classes: int) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = encoder
        parts = [pooling(settings.pooling, width) for _ in range(settings.pooled)]
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
        mask = None if n_positions is None else real_frames(n_positions, hidden.shape[3])
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


def real_frames(n_frames: Tensor, length: int) -> Tensor:
    """One where a frame is real and zero where it is padding: n_frames [B] -> [B, N], N = `length`."""
    positions = torch.arange(length, device=n_frames.device)
    return (positions[None, :] < n_frames[:, None]).float()
