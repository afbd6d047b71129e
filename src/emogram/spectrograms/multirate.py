"""Long filters at low frequencies, cheaply: each octave is heard at the rate that it needs.

A constant-Q filter is the longer the lower it is. At half the sampling rate it has half as many samples, so the wave is
halved again and again, and each filter runs at the lowest rate that holds its band (as in Schörkhuber and Klapuri 2010).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.spectrograms.transforms import Transform

_HALF_TAPS = 33
_KAISER_BETA = 10.0
"""A half-band filter of 67 taps: flat to 1e-5 up to 0.8 of the new Nyquist frequency, 100 dB down from 1.2 of it."""
_PASSBAND = 0.8
_BLOCK = 32
_GAUSSIAN_REACH = 4.5
"""Deviations at which a Gaussian ends: 4e-5 of its peak."""


@dataclass(frozen=True)
class Atom:
    """A windowed complex wave: a scaled window times exp(-2 pi i f t), sampled wherever the rate puts samples.

    Args:
        frequency_hz: f.
        width_s: whole length of a Hann window, deviation of a Gaussian.
        window: its shape, 1 in the middle.
        gain: factor on the sum over samples of the full rate.
    """

    frequency_hz: float
    width_s: float
    window: Literal["hann", "gaussian"]
    gain: float

    @property
    def reach_s(self) -> float:
        """Half the time that the window lasts."""
        return self.width_s / 2 if self.window == "hann" else _GAUSSIAN_REACH * self.width_s

    @property
    def lobe_hz(self) -> float:
        """Half the width of its main lobe; of a Gaussian, 3 deviations (39 dB down)."""
        return 2 / self.width_s if self.window == "hann" else 3 / (2 * math.pi * self.width_s)

    @property
    def top_hz(self) -> float:
        """Upper end of its main lobe."""
        return self.frequency_hz + self.lobe_hz

    def sampled(self, time_s: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
        """Its values at those times, without the gain."""
        if self.window == "hann":
            shape = 0.5 + 0.5 * np.cos(2 * np.pi * time_s / self.width_s)
        else:
            shape = np.exp(-0.5 * (time_s / self.width_s) ** 2)
        wave = np.exp(-2j * np.pi * self.frequency_hz * time_s)
        return np.asarray(np.where(np.abs(time_s) <= self.reach_s, shape, 0.0) * wave)


class Correlation(nn.Module):
    """Inner products of a signal with kernels at every stride: [B, T] -> [B, (T - L) // stride + 1, K], kernels [K, L]."""

    kernels: Tensor

    def __init__(self, kernels: npt.NDArray[np.float64], stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convolution = False
        self.register_buffer("kernels", torch.from_numpy(kernels.astype(np.float32)), persistent=False)

    def forward(self, signal: Tensor) -> Tensor:
        """See the class."""
        if self.convolution:
            return functional.conv1d(signal[:, None], self.kernels[:, None], stride=self.stride).transpose(1, 2)
        return signal.unfold(1, self.kernels.shape[1], self.stride) @ self.kernels.T


class MultirateCorrelation(Transform):
    """Squares of the real and imaginary part of the inner product of a wave with atoms, at every hop, side by side.

    Shape:
        [B, T] -> [B, N, 2 atoms]

    Args:
        atoms: in the order of their frequencies; all below half the sampling rate.
        hop_length: samples; the rate can be halved as often as the hop.
        sample_rate: Hz.
    """

    def __init__(self, atoms: list[Atom], hop_length: int, sample_rate: int) -> None:
        super().__init__(hop_length)
        levels = [_level(atom, hop_length, sample_rate) for atom in atoms]
        self.levels = sorted(set(levels))
        self.correlations = nn.ModuleList()
        reaches: list[int] = []
        for level in self.levels:
            chosen = [atom for atom, its in zip(atoms, levels, strict=True) if its == level]
            kernels = _kernels(chosen, sample_rate / 2**level, gain=2.0**level)
            reaches.append(kernels.shape[1] // 2)
            self.correlations.append(Correlation(kernels, hop_length >> level))
        self.halving = Correlation(_halving_kernels(), 2 * _BLOCK)
        self.origins = _origins(dict(zip(self.levels, reaches, strict=True)))
        self.starts = [self.origins[level] - reach for level, reach in zip(self.levels, reaches, strict=True)]

    @override
    def as_convolution(self) -> None:
        super().as_convolution()
        for correlation in (*self.correlations, self.halving):
            correlation.convolution = True

    def forward(self, wave: Tensor) -> Tensor:
        """See the class."""
        frames = 1 + wave.shape[1] // self.hop_length
        beyond = self.origins[0]
        signal = functional.pad(wave, (beyond, beyond + (2 << self.levels[-1])))
        parts, level = [], 0
        for wanted, start, correlation in zip(self.levels, self.starts, self.correlations, strict=True):
            while level < wanted:
                signal = self._halve(signal)
                level += 1
            parts.append(correlation(signal[:, start:])[:, :frames])
        # The lowest rate came last and holds the lowest frequencies.
        together: Tensor = torch.cat(parts[::-1], dim=2)
        return together.square()

    def _halve(self, signal: Tensor) -> Tensor:
        blocks: Tensor = self.halving(functional.pad(signal, (0, 2 * _BLOCK)))
        return blocks.reshape(blocks.shape[0], -1)


def _level(atom: Atom, hop_length: int, sample_rate: int) -> int:
    """How often the rate can be halved for an atom."""
    level = 0
    # Half a lobe more, so that what the halving does to the first side lobes is small too.
    top_hz = atom.top_hz + atom.lobe_hz / 2
    while hop_length % (2 << level) == 0 and top_hz <= _PASSBAND * sample_rate / (4 << level):
        level += 1
    return level


def _kernels(atoms: list[Atom], rate: float, *, gain: float) -> npt.NDArray[np.float64]:
    """[2 atoms, L], real and imaginary parts in turn, L odd and the middle at time 0."""
    reach = max(math.ceil(atom.reach_s * rate) for atom in atoms)
    time_s = np.arange(-reach, reach + 1) / rate
    values = np.stack([atom.gain * gain * atom.sampled(time_s) for atom in atoms])
    return np.stack([values.real, values.imag], axis=1).reshape(-1, 2 * reach + 1)


def _halving_kernels() -> npt.NDArray[np.float64]:
    """A block of outputs of the half-band filter as one matrix [block, inputs], which is faster than one at a time."""
    places = np.arange(-_HALF_TAPS, _HALF_TAPS + 1)
    taps = 0.5 * np.sinc(places / 2) * np.kaiser(places.size, _KAISER_BETA)
    taps /= taps.sum()
    kernels = np.zeros((_BLOCK, 2 * (_BLOCK - 1) + taps.size))
    for output in range(_BLOCK):
        kernels[output, 2 * output : 2 * output + taps.size] = taps
    return kernels


def _origins(reaches: dict[int, int]) -> list[int]:
    """Where the first sample of the wave lies in the signal of each level, so that every filter has its zeros before it."""
    last = max(reaches)
    origin = max(reaches.values())
    origins = [origin]
    for _ in range(last):
        origin = 2 * origin + _HALF_TAPS
        origins.append(origin)
    return origins[::-1]
