"""Harmonic and percussive parts as two channels, by median filters along time and along frequency."""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.spectrograms.front_end import Spectrogram
from emogram.spectrograms.mel import MelBandSettings
from emogram.spectrograms.stages import DB_PER_LOG_POWER, BinPower, LogCompression, Matrix

_LOUDER = 2.0**80
"""Brings any power that is heard far over 1, so that 1 can be added to it: silence is shared in halves."""


class HarmonicPercussive(nn.Module):
    """Share the power of each bin between a harmonic and a percussive part (FitzGerald 2010, soft masks).

    What lasts survives a median along time, what is broad survives one along frequency. Magnitudes are multiplied by
    H² / (H² + P²) and P² / (H² + P²), H and P the two medians, as librosa does it. The spectrum is mirrored at its ends;
    along time only frames with all neighbours are given.

    Args:
        bins: F, of the spectrum.
        frames: of the median along time, odd.
        width: bins of the median along frequency, odd.

    Shape:
        power [B, N, F] -> [B, 2, N - frames + 1, F]
    """

    mirror: Tensor

    def __init__(self, *, bins: int, frames: int, width: int) -> None:
        super().__init__()
        self.frames, self.width = frames, width
        mirror = np.pad(np.arange(bins), width // 2, mode="symmetric")
        self.register_buffer("mirror", torch.from_numpy(mirror), persistent=False)

    def forward(self, power: Tensor) -> Tensor:
        """See the class."""
        harmonic = sliding_median(power, self.frames, dim=1)
        middle = power[:, self.frames // 2 : self.frames // 2 + harmonic.shape[1]]
        percussive = sliding_median(middle.index_select(2, self.mirror), self.width, dim=2)
        harmonic, percussive = harmonic * _LOUDER, percussive * _LOUDER
        share = (harmonic + 0.5) / (harmonic + percussive + 1.0)
        return torch.stack([middle * share.square(), middle * (1 - share).square()], dim=1)


def sliding_median(values: Tensor, width: int, *, dim: int) -> Tensor:
    """Median of each window of `width` (odd) values along a dimension, which gets shorter by `width` - 1.

    Windows share their sorting: a sorted window is a merge of two sorted halves, and each half serves two windows.
    Everything is a minimum or maximum of whole tensors, without a branch, so it is fast and exports.
    """
    sorted_windows: dict[int, list[Tensor]] = {1: [values]}
    length = values.shape[dim] - width + 1
    if width == 1:
        return values
    low, high = _halves(sorted_windows, width, dim, length)
    rank = (width + 1) // 2
    # The smallest `rank` values are i of the one half and rank - i of the other, for the i that makes their largest least.
    candidates = [
        high[rank - 1],
        *(torch.maximum(low[i - 1], high[rank - i - 1]) for i in range(1, rank)),
        *([low[rank - 1]] if rank <= len(low) else []),
    ]
    median = candidates[0]
    for candidate in candidates[1:]:
        median = torch.minimum(median, candidate)
    return median


def _halves(
    sorted_windows: dict[int, list[Tensor]], width: int, dim: int, length: int
) -> tuple[list[Tensor], list[Tensor]]:
    """The sorted first and second part of each window of `width`, of which there are `length`; the second is longer."""
    first, second = width // 2, width - width // 2
    low = [values.narrow(dim, 0, length) for values in _sort(sorted_windows, first, dim)]
    high = [values.narrow(dim, first, length) for values in _sort(sorted_windows, second, dim)]
    return low, high


def _sort(sorted_windows: dict[int, list[Tensor]], width: int, dim: int) -> list[Tensor]:
    if width not in sorted_windows:
        length = sorted_windows[1][0].shape[dim] - width + 1
        sorted_windows[width] = _merge(*_halves(sorted_windows, width, dim, length))
    return sorted_windows[width]


def _merge(first: list[Tensor], second: list[Tensor]) -> list[Tensor]:
    """Batcher's odd-even merge of two sorted lists (Knuth, The Art of Computer Programming 3, 5.3.4)."""
    if not first or not second:
        return first or second
    if len(first) == len(second) == 1:
        return [torch.minimum(first[0], second[0]), torch.maximum(first[0], second[0])]
    even, odd = _merge(first[::2], second[::2]), _merge(first[1::2], second[1::2])
    merged = [even[0]]
    for above, below in zip(even[1:], odd, strict=False):
        merged += [torch.minimum(above, below), torch.maximum(above, below)]
    return merged + even[len(odd) + 1 :] + odd[len(even) - 1 :]


class HPSSSettings(MelBandSettings):
    """Harmonic and percussive part (FitzGerald 2010) as two channels, each a log-mel spectrogram."""

    name: Literal["hpss"] = "hpss"
    window_ms: float = Field(32.0, gt=0, le=1000, description="length of the Hann window")
    harmonic_frames: int = Field(17, ge=3, le=99, description="frames of the median along time, odd")
    percussive_bins: int = Field(17, ge=3, le=99, description="bins of the median along frequency, odd")
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        for field in ("harmonic_frames", "percussive_bins"):
            if getattr(self, field) % 2 == 0:
                raise ConfigurationError(
                    f"{field}={getattr(self, field)}: must be odd, so that it has a middle; choose {getattr(self, field) + 1}"
                )
        bins = self.n_fft // 2 + 1
        if self.percussive_bins > bins:
            raise ConfigurationError(
                f"percussive_bins={self.percussive_bins}: more than the bins; choose at most {bins}"
            )
        return Spectrogram(
            self.power_spectrum(sample_rate),
            BinPower(0, bins),
            HarmonicPercussive(bins=bins, frames=self.harmonic_frames, width=self.percussive_bins),
            Matrix(self.mel_weights(sample_rate, self.n_fft)),
            LogCompression(self.floor),
            axis=self.mel_axis(),
            channels=("harmonic", "percussive"),
            db_per_value=DB_PER_LOG_POWER,
            context_frames=self.harmonic_frames // 2,
        )
