"""Later stages of a front end: bands, compression, cepstra, and filters along time. Frames lie before bands."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

CompressionName = Literal["log", "cube_root", "none"]
DB_PER_LOG_POWER = 10 / math.log(10)
_SMALLEST_EXPORTED = 1e-7

_BANDS_AT_ONCE = 16


class Filterbank(nn.Module):
    """Weighted sums of the bins of a spectrum whose power comes in two parts, as `PowerSpectrum` gives it.

    Bands that lie side by side hear few bins, so they are summed a few at a time over those bins alone, where that is less than half
    of the arithmetic: a third of the time of the whole product on a processor. An exported graph has the whole product.

    Args:
        weights: [F, bins], one row a band.

    Shape:
        [B, N, 2 bins] -> [B, N, F]
    """

    weights: Tensor

    def __init__(self, weights: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(weights.T.repeat(2, axis=0)), persistent=False)
        self.blocks = _blocks(weights)

    def forward(self, parts: Tensor) -> Tensor:
        """See the class."""
        if not self.blocks or parts.requires_grad or parts.device.type != "cpu" or torch.compiler.is_exporting():
            return parts @ self.weights
        sums = [parts[..., bins] @ self.weights[bins, bands] for bands, bins in self.blocks]
        return torch.cat(sums, dim=-1)


def _blocks(weights: npt.NDArray[np.float32]) -> list[tuple[slice, slice]]:
    """Some bands at a time, and the parts of bins that they hear; none where the whole product costs less than twice as much."""
    blocks, numbers = [], 0
    for first in range(0, len(weights), _BANDS_AT_ONCE):
        bands = slice(first, min(first + _BANDS_AT_ONCE, len(weights)))
        heard = np.flatnonzero(weights[bands].any(axis=0))
        bins = slice(2 * int(heard[0]), 2 * int(heard[-1]) + 2) if len(heard) else slice(0, 2)
        blocks.append((bands, bins))
        numbers += (bands.stop - bands.start) * (bins.stop - bins.start)
    return blocks if numbers < weights.size else []


class LogCompression(nn.Module):
    """Natural logarithm of power plus a floor, so that silence is finite.

    Args:
        floor: added to the power; 1e-6 lies 60 dB under a full-scale bin of power 1.
    """

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.floor = floor
        # The exporter drops what it takes for an addition of zero, anything up to 1e-8: such a floor is added to a power
        # that is as much larger, by a power of two, which rounds nothing.
        self.scale = 1.0 if floor >= _SMALLEST_EXPORTED else 2.0 ** math.ceil(math.log2(_SMALLEST_EXPORTED / floor))

    def forward(self, power: Tensor) -> Tensor:
        """See the class; shape is kept."""
        if self.scale == 1.0:
            return (power + self.floor).log()
        return (power * self.scale + self.floor * self.scale).log() - math.log(self.scale)


class BinPower(nn.Module):
    """Power of the bins from `first` up to but without `stop`, of a spectrum whose power comes in two parts.

    Shape:
        [B, N, 2 bins] -> [B, N, stop - first]
    """

    def __init__(self, first: int, stop: int) -> None:
        super().__init__()
        self.first, self.stop = first, stop

    def forward(self, parts: Tensor) -> Tensor:
        """See the class."""
        return parts[..., 2 * self.first : 2 * self.stop : 2] + parts[..., 2 * self.first + 1 : 2 * self.stop : 2]


class Matrix(nn.Module):
    """A matrix applied to the bands of each frame: [..., F] -> [..., F'], weights [F', F]."""

    weights: Tensor

    def __init__(self, weights: npt.NDArray[np.floating]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(weights.T.astype(np.float32)), persistent=False)

    def forward(self, bands: Tensor) -> Tensor:
        """See the class."""
        return bands @ self.weights


class RootCompression(nn.Module):
    """Power raised to an exponent of at most 1: 1/2 gives magnitude, 1/3 is near to loudness. Shape is kept."""

    def __init__(self, exponent: float) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, power: Tensor) -> Tensor:
        """See the class."""
        return power.sqrt() if self.exponent == 0.5 else power**self.exponent


class Decibel(nn.Module):
    """10 log10 of power plus a floor: silence lies at 10 log10(floor) dB. Shape is kept."""

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.logarithm = LogCompression(floor)

    def forward(self, power: Tensor) -> Tensor:
        """See the class."""
        level: Tensor = self.logarithm(power) * DB_PER_LOG_POWER
        return level


class PerFramePeak(nn.Module):
    """Divide each frame by its largest value plus a floor, as chroma are: what matters is which class is strong."""

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.floor = floor

    def forward(self, bands: Tensor) -> Tensor:
        """[B, N, F] -> the same."""
        return bands / (bands.amax(dim=-1, keepdim=True) + self.floor)


class TimeFilters(nn.Module):
    """Filters along time, the same for every band, as channels.

    Args:
        kernels: [C, W], correlated with W frames in turn; only frames with all W are given.
        step: frames from output to output.

    Shape:
        [B, N, F] -> [B, C, (N - W) // step + 1, F]
    """

    kernels: Tensor

    def __init__(self, kernels: npt.NDArray[np.floating], step: int = 1) -> None:
        super().__init__()
        self.step = step
        self.register_buffer(
            "kernels", torch.from_numpy(kernels.astype(np.float32)[:, None, :, None]), persistent=False
        )

    def forward(self, bands: Tensor) -> Tensor:
        """See the class."""
        return functional.conv2d(bands[:, None], self.kernels, stride=(self.step, 1))


class PerChannelEnergyNormalisation(nn.Module):
    """PCEN (Wang et al. 2017): automatic gain control and root compression, (E / (eps + M)^alpha + delta)^r - delta^r.

    M follows the energy E by M[n] = (1 - s) M[n-1] + s E[n], as if the first frame had lasted for ever. The recursion is
    summed by doubling: the sum over 2^(j+1) frames is that over 2^j frames plus the same sum 2^j frames ago, weighed by
    (1 - s)^(2^j). It ends where what is left out weighs less than 1e-6, so M is exact to a millionth of the largest E.

    Args:
        smoothing: s.
        gain: alpha.
        bias: delta.
        power: r.
        floor: eps.

    Shape:
        [B, N, F] -> the same
    """

    def __init__(self, *, smoothing: float, gain: float, bias: float, power: float, floor: float) -> None:
        super().__init__()
        self.smoothing, self.gain, self.bias, self.power = smoothing, gain, bias, power
        self.logarithm = LogCompression(floor)
        self.doublings = max(1, math.ceil(math.log2(math.log(1e-6) / math.log1p(-smoothing))))

    def forward(self, energy: Tensor) -> Tensor:
        """See the class."""
        smooth = self.smooth(energy)
        gain = torch.exp(-self.gain * self.logarithm(smooth))
        # expm1 and log1p keep what a small energy adds to the bias.
        grown: Tensor = torch.expm1(self.power * torch.log1p(energy * gain / self.bias))
        return float(self.bias**self.power) * grown

    def smooth(self, energy: Tensor) -> Tensor:
        """M of the class."""
        first, keep = energy[:, :1], 1 - self.smoothing
        total = energy * self.smoothing
        for doubling in range(self.doublings):
            span = 2**doubling
            before = (first * (1 - keep**span)).expand(-1, span, -1)
            total = total + keep**span * torch.cat([before, total], dim=1)[:, : energy.shape[1]]
        return total + float(keep ** (2**self.doublings)) * first


def compression(name: CompressionName, floor: float) -> nn.Module:
    """The stage that brings power to the scale that the network sees."""
    stages: dict[CompressionName, Callable[[], nn.Module]] = {
        "log": lambda: LogCompression(floor),
        "cube_root": lambda: RootCompression(1 / 3),
        "none": nn.Identity,
    }
    return stages[name]()
