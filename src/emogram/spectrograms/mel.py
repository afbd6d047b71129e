"""Mel spectrograms: power, logarithm, per-channel energy normalisation."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from emogram import filterbanks
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import FramedSettings
from emogram.spectrograms.stages import (
    DB_PER_LOG_POWER,
    Filterbank,
    LogCompression,
    PerChannelEnergyNormalisation,
    RootCompression,
)


class MelBandSettings(FramedSettings):
    """Settings of a type that sums power into triangular mel bands."""

    n_mels: int = Field(64, ge=4, le=1024, description="number of bands")
    fmin_hz: float = Field(50.0, ge=0, description="lower edge of the first band")
    fmax_hz: float = Field(7600.0, gt=0, description="upper edge of the last band")
    mel_scale: filterbanks.MelScale = Field("htk", description="formula of the scale")

    def mel_weights(self, sample_rate: int, n_fft: int) -> npt.NDArray[np.float32]:
        """Weights of the bands over the bins of a transform, [n_mels, bins]."""
        return filterbanks.mel(
            sample_rate=sample_rate,
            n_fft=n_fft,
            n_mels=self.n_mels,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
            scale=self.mel_scale,
        )

    def mel_bands(self, sample_rate: int) -> Filterbank:
        """The filterbank. Raises `ConfigurationError` as `build` does."""
        return Filterbank(self.mel_weights(sample_rate, self.n_fft))

    def mel_axis(self) -> Axis:
        """The centres of the bands."""
        return Axis(
            filterbanks.mel_centres_hz(
                n_mels=self.n_mels, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz, scale=self.mel_scale
            )
        )


class MelSettings(MelBandSettings):
    """Mel spectrogram: short-time power spectrum, triangular mel bands, power or a root of it."""

    name: Literal["mel"] = "mel"
    exponent: float = Field(1.0, ge=0.1, le=1, description="of power: 1 leaves it, 0.5 gives magnitude")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        root = () if self.exponent == 1 else (RootCompression(self.exponent),)
        transform = self.power_spectrum(sample_rate)
        return Spectrogram(transform, self.mel_bands(sample_rate), *root, axis=self.mel_axis())


class LogMelSettings(MelBandSettings):
    """Log-mel spectrogram: short-time power spectrum, triangular mel bands, natural logarithm."""

    name: Literal["logmel"] = "logmel"
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        return Spectrogram(
            self.power_spectrum(sample_rate),
            self.mel_bands(sample_rate),
            LogCompression(self.floor),
            axis=self.mel_axis(),
            db_per_value=DB_PER_LOG_POWER,
        )


class PCENSettings(MelBandSettings):
    """Mel spectrogram with per-channel energy normalisation (Wang et al. 2017): gain control and a root, no logarithm."""

    name: Literal["pcen"] = "pcen"
    time_constant_s: float = Field(0.4, ge=0.01, le=2, description="of the gain control")
    gain: float = Field(0.98, ge=0, le=1, description="how much of the level is taken out")
    bias: float = Field(2.0, gt=0, le=100, description="added before the root")
    power: float = Field(0.5, gt=0, le=1, description="exponent of the root")
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added to the level that is divided by")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        transform = self.power_spectrum(sample_rate)
        frames = self.time_constant_s * sample_rate / transform.hop_length
        normalisation = PerChannelEnergyNormalisation(
            # The one-pole filter whose half-power frequency is that of the time constant, as in librosa.
            smoothing=(math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2),
            gain=self.gain,
            bias=self.bias,
            power=self.power,
            floor=self.floor,
        )
        return Spectrogram(transform, self.mel_bands(sample_rate), normalisation, axis=self.mel_axis())
