"""In time: when the frames of a network's feature map are, and which of the teacher's frames lie there."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emogram.errors import ConfigurationError

_LONG_ENOUGH, _USUAL_STEP, _LONGEST_STEP = 128, 32, 256


@runtime_checkable
class FeatureMaps(Protocol):
    """A network that tells its last feature map."""

    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Feature map [B, D, F', N'], and the mask [B, 1, N'] of its real frames or None."""


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """When the frames of something are: frame n is the mean of what happens within half a step of its centre.

    Attributes:
        step: from centre to centre.
        first: centre of frame 0, in the same unit.
        channels: D, numbers a frame.
    """

    step: float
    first: float
    channels: int

    def in_seconds(self, unit_s: float) -> "FrameGrid":
        """The same with a unit of that many seconds turned into seconds."""
        return FrameGrid(self.step * unit_s, self.first * unit_s, self.channels)

    def edges(self, count: int) -> npt.NDArray[np.float64]:
        """Where each of so many frames begins, and the last one ends, [count + 1]."""
        return np.asarray(self.first + (np.arange(count + 1) - 0.5) * self.step, dtype=np.float64)


@torch.no_grad()
def measure_grid(network: nn.Module, *, in_channels: int, in_bands: int) -> FrameGrid:
    """The grid of a network's feature map, in frames of the spectrogram.

    Measured from how many frames come out for how many that go in. With frame n there from the (n S + e)-th frame of the
    spectrogram on, S is the step and (e - 1) / 2 the centre of frame 0, for any stack of convolutions and poolings that pad
    both sides alike: a convolution of k frames that pads p has e = k - 2 p and its first centre at (k - 1) / 2 - p.

    Args:
        network: whose `features` are looked at; left as it was.
        in_channels: C of its spectrogram.
        in_bands: F of its spectrogram.

    Raises:
        ConfigurationError: it has no feature map, or one with no frames over time.
    """
    if not isinstance(network, FeatureMaps):
        raise ConfigurationError(
            "distillation: the network has no feature map that could follow a teacher; choose network=cnn-student"
        )
    training, like = network.training, next(network.parameters())

    def shape(n: int) -> torch.Size:
        return network.features(torch.zeros(1, in_channels, in_bands, n, device=like.device))[0].shape

    network.eval()
    try:
        _, channels, _, before = shape(_LONG_ENOUGH)
        lengths = range(_LONG_ENOUGH, _LONG_ENOUGH + 2 * _USUAL_STEP + 1)
        if shape(lengths[-1])[3] < before + 2:
            lengths = range(_LONG_ENOUGH, _LONG_ENOUGH + 2 * _LONGEST_STEP + 1)
        if shape(lengths[-1])[3] < before + 2:
            raise ConfigurationError(
                f"distillation: the network's frames are longer than {_LONGEST_STEP} of the spectrogram; choose smaller strides"
            )
        here, following = (lengths[bisect_left(lengths, before + more, key=lambda n: shape(n)[3])] for more in (1, 2))
    finally:
        network.train(training)
    step = following - here
    return FrameGrid(step=step, first=(here - before * step - 1) / 2, channels=channels)


def overlaps(
    wanted: FrameGrid, count: int, given: FrameGrid, n_given: int, *, start: float = 0.0
) -> npt.NDArray[np.float64]:
    """How the frames of one grid are averaged into those of another: weights [count, n_given] by the time they share.

    Rows add up to 1; a frame that shares no time with any given one has zeros.

    Args:
        wanted: grid, counted from `start`.
        count: of its frames.
        given: grid, counted from 0.
        n_given: how many of its frames there are.
        start: where the wanted grid begins.
    """
    ends, given_ends = wanted.edges(count) + start, given.edges(n_given)
    shared = np.minimum(ends[1:, None], given_ends[None, 1:]) - np.maximum(ends[:-1, None], given_ends[None, :-1])
    shared = shared.clip(min=0.0)
    # What rounding alone makes overlap is none.
    shared[shared < 1e-6 * min(wanted.step, given.step)] = 0.0
    total = shared.sum(axis=1, keepdims=True)
    weights: npt.NDArray[np.float64] = shared / np.where(total > 0, total, 1.0)
    return weights
