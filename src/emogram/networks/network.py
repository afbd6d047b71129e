"""What every network is: a spectrogram in, a feature map, one vector a clip, logits."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional


class Network(nn.Module, ABC):
    """A network over spectrograms of any length.

    Attributes:
        dropout: before the last layer.
        head: the last layer, the only one that knows the emotions.
        published_names: prefixes of the publisher's names to ours, where they differ.

    Shape:
        spec [B, C, F, N], n_frames [B] or None (all N are real) -> logits [B, K]
    """

    dropout: nn.Module
    head: nn.Linear
    published_names: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Last feature map [B, D, F', N'] (F' may be 1), and the mask [B, 1, N'] of its real frames or None."""

    @abstractmethod
    def embedding(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """One vector a clip [B, E] in full precision: what the last layer sees, before its dropout."""

    def forward(self, spec: Tensor, n_frames: Tensor | None = None) -> Tensor:
        """See the class."""
        pooled = self.embedding(spec, n_frames)
        with full_precision(spec):
            logits: Tensor = self.head(self.dropout(pooled))
        return logits


def full_precision(tensor: Tensor) -> AbstractContextManager[object]:
    """Where sums and the last layer are computed: no autocast on the tensor's device, which a tensor without values has not."""
    return nullcontext() if tensor.is_meta else torch.autocast(tensor.device.type, enabled=False)


def frame_mask(n_frames: Tensor, length: int) -> Tensor:
    """One where a frame is real and zero where it is padding: n_frames [B] -> [B, 1, 1, N], N = `length`."""
    positions = torch.arange(length, device=n_frames.device)
    return (positions[None, :] < n_frames[:, None]).float()[:, None, None, :]


def long_enough(spec: Tensor, n_frames: Tensor | None, least: int) -> tuple[Tensor, Tensor | None]:
    """A spectrogram of at least that many frames, zeros after shorter clips, and its mask.

    For networks whose poolings drop what does not fill their window: a clip too short to leave anything is taken to go on
    in zeros, so that it gives the same alone and in a batch.

    Shape:
        spec [B, C, F, N], n_frames [B] or None -> spec [B, C, F, max(N, least)], mask [B, 1, 1, max(N, least)] or None
    """
    if n_frames is not None:
        spec = spec * frame_mask(n_frames, spec.shape[3])
    spec = functional.pad(spec, (0, torch.sym_max(least - spec.shape[3], 0)))  # type: ignore[no-untyped-call]
    return spec, None if n_frames is None else frame_mask(n_frames.clamp_min(least), spec.shape[3])
