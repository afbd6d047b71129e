"""The short-time Fourier transform itself: magnitude, power, decibels."""

from typing import Literal

import numpy as np
from pydantic import Field
from torch import nn
from typing_extensions import override

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import FramedSettings
from emogram.spectrograms.stages import BinPower, Decibel, RootCompression


class _BinSettings(FramedSettings):
    fmin_hz: float = Field(0.0, ge=0, description="lowest bin kept")
    fmax_hz: float = Field(8000.0, gt=0, description="highest bin kept")

    def _assemble(self, sample_rate: int, *stages: nn.Module, db_per_value: float | None = None) -> Spectrogram:
        filterbanks.check_range(self.fmin_hz, self.fmax_hz, sample_rate)
        transform = self.power_spectrum(sample_rate)
        bins_hz = np.arange(self.n_fft // 2 + 1) * sample_rate / self.n_fft
        kept = np.flatnonzero((bins_hz >= self.fmin_hz) & (bins_hz <= self.fmax_hz))
        if kept.size == 0:
            raise ConfigurationError(
                f"fmin_hz={self.fmin_hz:g}: no bin of a {self.n_fft}-point transform lies between it and "
                f"fmax_hz={self.fmax_hz:g}; choose a longer n_fft or a wider range"
            )
        power = BinPower(int(kept[0]), int(kept[-1]) + 1)
        return Spectrogram(transform, power, *stages, axis=Axis(bins_hz[kept]), db_per_value=db_per_value)


class MagnitudeSettings(_BinSettings):
    """Linear magnitude of the short-time Fourier transform, |X|."""

    name: Literal["magnitude"] = "magnitude"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        return self._assemble(sample_rate, RootCompression(0.5))


class PowerSettings(_BinSettings):
    """Linear power of the short-time Fourier transform, |X|²."""

    name: Literal["power"] = "power"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        return self._assemble(sample_rate)


class LogSTFTSettings(_BinSettings):
    """Short-time Fourier transform in dB, 10 log10(|X|² + floor)."""

    name: Literal["logstft"] = "logstft"
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        return self._assemble(sample_rate, Decibel(self.floor), db_per_value=1.0)
