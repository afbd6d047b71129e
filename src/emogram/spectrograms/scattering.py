"""Wavelet scattering over time: how strong a band is, and how fast its strength rises and falls."""

import math
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.spectrograms.constant_q import OctaveSettings
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.multirate import Atom
from emogram.spectrograms.settings import CompressedSettings, samples
from emogram.spectrograms.stages import DB_PER_LOG_POWER, BinPower, RootCompression, TimeFilters

_REACH = 4.0
"""Deviations at which a filter along time ends: 3e-4 of its height."""


class ScatteringSettings(OctaveSettings, CompressedSettings):
    """Wavelet scattering (Andén and Mallat 2014): averaged strength of bands, then of their rises and falls, as channels.

    The first channel is of first order: the modulus of a Morlet wavelet's output, averaged over time. Each further one is of
    second order: that modulus through a second wavelet, its modulus averaged likewise. Wavelets have unit sum, so a sine of
    amplitude 1 gives 1/2. None lasts longer than the average. All pairs of a band and a rate are there; a band that is
    narrower than a rate has nearly nothing of it.
    """

    name: Literal["scattering"] = "scattering"
    hop_ms: float = Field(20.0, gt=0, le=1000, description="step from frame to frame, a multiple of inner_hop_ms")
    inner_hop_ms: float = Field(1.25, gt=0, le=100, description="step at which the moduli are taken")
    fmin_hz: float = Field(100.0, ge=10, description="centre of the first band")
    n_bins: int = Field(48, ge=4, le=1024, description="number of bands")
    bins_per_octave: int = Field(8, ge=4, le=96, description="bands to the octave, and so their width")
    averaging_ms: float = Field(40.0, gt=0, le=2000, description="deviation of the Gaussian that averages over time")
    rates_hz: tuple[Annotated[float, Field(gt=0, le=1000)], ...] = Field(
        (8.0, 16.0, 32.0, 64.0), max_length=32, description="of rises and falls, a channel each, an octave wide"
    )
    relative: bool = Field(True, description="second order as a part of the first, as in the paper")
    compression: Literal["log", "none"] = Field("log", description="of the moduli: natural logarithm, or none")
    floor: float = Field(1e-4, ge=1e-7, le=1, description="added before the logarithm, and to what is divided by")

    @property
    @override
    def db_per_value(self) -> float | None:
        """What a step of 1 is in dB, None where values are no logarithms; moduli are no powers."""
        return 2 * DB_PER_LOG_POWER if self.compression == "log" else None

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        inner = samples(self.inner_hop_ms, sample_rate)
        step, rest = divmod(samples(self.hop_ms, sample_rate), inner)
        if self.hop_ms > 2 * _REACH * self.averaging_ms:
            raise ConfigurationError(
                f"hop_ms={self.hop_ms:g}: longer than the average of {2 * _REACH * self.averaging_ms:g} ms; choose a shorter one"
            )
        if rest or not step:
            raise ConfigurationError(
                f"hop_ms={self.hop_ms:g}: no multiple of inner_hop_ms={self.inner_hop_ms:g}; choose one that is"
            )
        frame_rate = sample_rate / inner
        fastest_hz = max(self.rates_hz, default=0.0)
        if fastest_hz > frame_rate / 4:
            raise ConfigurationError(
                f"rates_hz: {fastest_hz:g} is above a quarter of the {frame_rate:g} moduli a second; choose a shorter inner_hop_ms"
            )
        transform = self.transform_of(self._atoms(sample_rate), inner, sample_rate)
        average = average_kernel(self.averaging_ms / 1000, frame_rate)
        waves = rate_kernels(self.rates_hz, self.averaging_ms / 1000, frame_rate)
        orders = Orders(average, waves, step, relative_to=self.floor if self.relative else None)
        return Spectrogram(
            transform,
            BinPower(0, self.n_bins),
            RootCompression(0.5),
            orders,
            self.compressor(),
            axis=Axis(self.centres_hz()),
            channels=("first order", *(f"{rate_hz:g} Hz" for rate_hz in self.rates_hz)),
            db_per_value=self.db_per_value,
            context_frames=orders.context_frames,
            frame_step=step,
        )

    def _atoms(self, sample_rate: int) -> list[Atom]:
        atoms = []
        for centre_hz in self.centres_hz():
            width_s = min(deviation_s(float(centre_hz), self.bins_per_octave), self.averaging_ms / 1000)
            gain = 1 / (width_s * sample_rate * math.sqrt(2 * math.pi))
            atoms.append(Atom(float(centre_hz), width_s, "gaussian", gain))
        return atoms


class Orders(nn.Module):
    """First and second order from the moduli of the first wavelets: [B, N, F] -> [B, 1 + rates, N', F].

    Args:
        average: [W] low-pass over moduli.
        waves: [2 rates, V] wavelets over moduli, real and imaginary parts in turn; none for the first order alone.
        step: moduli from frame to frame.
        relative_to: floor added to the first order before the second is divided by it; None leaves it as it is.
    """

    def __init__(
        self,
        average: npt.NDArray[np.float64],
        waves: npt.NDArray[np.float64],
        step: int,
        *,
        relative_to: float | None,
    ) -> None:
        super().__init__()
        self.relative_to = relative_to
        self.reach = waves.shape[1] // 2
        self.context_frames = self.reach + average.size // 2
        self.average = TimeFilters(average[None], step)
        self.waves = TimeFilters(waves) if len(waves) else None

    def forward(self, moduli: Tensor) -> Tensor:
        """See the class."""
        first: Tensor = self.average(moduli[:, self.reach : moduli.shape[1] - self.reach])
        if self.waves is None:
            return first
        parts: Tensor = self.waves(moduli)
        changes = (parts[:, ::2].square() + parts[:, 1::2].square()).sqrt()
        clips, rates, frames, bands = changes.shape
        second = self.average(changes.reshape(clips * rates, frames, bands))
        second = second.reshape(clips, rates, -1, bands)
        if self.relative_to is not None:
            second = second / (first + self.relative_to)
        return torch.cat([first, second], dim=1)


def deviation_s(centre_hz: float, per_octave: float) -> float:
    """Deviation of a Morlet wavelet's Gaussian whose neighbour, a step lower, meets it at half the power."""
    below = math.pow(2.0, -1 / per_octave)
    width_hz = centre_hz * (1 - below) / (1 + below) / math.sqrt(math.log(2))
    return 1 / (2 * math.pi * width_hz)


def average_kernel(width_s: float, frame_rate: float) -> npt.NDArray[np.float64]:
    """A Gaussian of that deviation over frames, of odd length, that sums to 1."""
    reach = max(1, math.ceil(_REACH * width_s * frame_rate))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (width_s * frame_rate)) ** 2)
    return np.asarray(kernel / kernel.sum())


def rate_kernels(rates_hz: tuple[float, ...], longest_s: float, frame_rate: float) -> npt.NDArray[np.float64]:
    """Morlet wavelets an octave wide over frames, real and imaginary parts in turn: [2 rates, frames].

    Gaussians sum to 1 and last no longer than `longest_s`; from each wave the Gaussian is taken out so far that a steady
    level gives nothing.
    """
    if not rates_hz:
        return np.zeros((0, 1))
    widths = np.minimum([deviation_s(rate_hz, 1) for rate_hz in rates_hz], longest_s) * frame_rate
    reach = max(1, math.ceil(_REACH * widths.max()))
    frames = np.arange(-reach, reach + 1)
    gaussians = np.exp(-0.5 * (frames / widths[:, None]) ** 2) * (np.abs(frames) <= _REACH * widths[:, None])
    gaussians /= gaussians.sum(axis=1, keepdims=True)
    waves = np.exp(-2j * np.pi * np.outer(rates_hz, frames) / frame_rate)
    kernels = gaussians * (waves - (gaussians * waves).sum(axis=1, keepdims=True))
    return np.stack([kernels.real, kernels.imag], axis=1).reshape(-1, frames.size)
