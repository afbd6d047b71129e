"""The front end: wave in, picture of sound out, and its standardisation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from emogram.spectrograms.transforms import Transform

_CLIPS_PER_CHUNK = 1
"""Clips transformed at a time: the frames of a larger batch fall out of the processor's cache."""


@dataclass(frozen=True, eq=False)
class Axis:
    """What the rows of a picture are.

    Args:
        values: of each row [F]: its centre in Hz, or its number.
        quantity: what the values are.
    """

    values: npt.NDArray[np.float64]
    quantity: Literal["frequency in Hz", "coefficient", "pitch class"] = "frequency in Hz"


class Spectrogram(nn.Module):
    """A front end: a transform, then stages such as filterbank and compression.

    Args:
        transform: wave to frames.
        stages: what follows, in order.
        axis: of the rows.
        channels: names of the channels, one each.
        db_per_value: what a step of 1 in the values is in dB; None where they are no logarithms.
        context_frames: frames of silence that the stages want on either side and use up.
        frame_step: frames of the transform to one of the picture.
        standardise_rows: rows measure different things, so that each is standardised by itself.
        standardise: false where the values are to stay as they are, because published weights were trained on them.

    Shape:
        wave [B, T] -> spec [B, C, F, N], N = 1 + T // hop_length
    """

    def __init__(
        self,
        transform: Transform,
        *stages: nn.Module,
        axis: Axis,
        channels: tuple[str, ...] = ("level",),
        db_per_value: float | None = None,
        context_frames: int = 0,
        frame_step: int = 1,
        standardise_rows: bool = False,
        standardise: bool = True,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.stages = nn.Sequential(*stages)
        self.axis = axis
        self.channels = channels
        self.db_per_value = db_per_value
        self.context_frames = context_frames
        self.frame_step = frame_step
        self.standardise_rows = standardise_rows
        self.standardise = standardise

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return len(self.channels)

    @property
    def n_bands(self) -> int:
        """Number of rows F."""
        return len(self.axis.values)

    @property
    def centres_hz(self) -> npt.NDArray[np.float64]:
        """Centre frequency of each row where the axis is one of frequency, otherwise the row's number, shape [F]."""
        return self.axis.values

    @property
    def hop_length(self) -> int:
        """Samples from frame to frame."""
        return self.transform.hop_length * self.frame_step

    @property
    def statistics_shape(self) -> tuple[int, ...]:
        """Shape of the mean and deviation that standardise pictures of this kind; ``()`` is one for all values."""
        if self.standardise_rows:
            return (self.n_channels, self.n_bands, 1)
        return (self.n_channels, 1, 1) if self.n_channels > 1 else ()

    def hop_s(self, sample_rate: int) -> float:
        """Seconds from frame to frame at a sampling rate in Hz."""
        return self.hop_length / sample_rate

    def n_frames(self, n_samples: Tensor) -> Tensor:
        """Number of frames N of waves with `n_samples` samples, elementwise."""
        return 1 + n_samples // self.hop_length

    def for_export(self) -> "Spectrogram":
        """Switch the transform to convolutions, which every ONNX runtime computes, in place."""
        self.transform.as_convolution()
        return self

    def forward(self, wave: Tensor) -> Tensor:
        """See the class."""
        if self.transform.convolution or wave.shape[0] <= _CLIPS_PER_CHUNK:
            return self._picture(wave)
        return torch.cat([self._picture(chunk) for chunk in torch.split(wave, _CLIPS_PER_CHUNK)])

    def _picture(self, wave: Tensor) -> Tensor:
        if self.context_frames:
            # The silence around the clip passes through the transform like the zeros that pad a clip in a batch, so
            # that a padded clip gives what it gives alone.
            beyond = self.context_frames * self.transform.hop_length
            wave = functional.pad(wave, (beyond, beyond))
        spec: Tensor = self.stages(self.transform(wave))
        if spec.dim() == 3:
            spec = spec[:, None]
        return spec.transpose(2, 3)


class Standardisation(nn.Module):
    """Subtract a mean and divide by a deviation that were measured on the training part, once for all clips.

    Loudness is a cue of arousal, so no statistic of the clip itself is used. The statistics are buffers: they travel
    with the weights and into the exported graph.

    Args:
        shape: of the statistics, `Spectrogram.statistics_shape`: ``()``, [C, 1, 1] or [C, F, 1].

    Shape:
        [B, C, F, N] -> the same
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(shape))

    @torch.no_grad()
    def fit(self, specs: list[Tensor]) -> None:
        """Measure on spectrograms of any shapes."""
        count = self.mean.numel()
        # [B, C, F, N] -> [C, F, B, N] -> one line for each mean.
        lines = [(spec if count == 1 else spec.permute(1, 2, 0, 3)).reshape(count, -1) for spec in specs]
        values = torch.cat(lines, dim=1).double()
        means, deviations = [line.mean() for line in values], [line.std() for line in values]
        self.mean.copy_(torch.stack(means).reshape(self.mean.shape))
        self.deviation.copy_(torch.stack(deviations).clamp_min(1e-3).reshape(self.mean.shape))

    def forward(self, spec: Tensor) -> Tensor:
        """See the class."""
        return (spec - self.mean) / self.deviation
