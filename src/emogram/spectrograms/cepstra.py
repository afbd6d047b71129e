"""Cepstra: the cosine transform of compressed bands, from mel, linear and gammatone filterbanks."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from torch import nn
from typing_extensions import override

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms.auditory import BandSettings
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.mel import MelBandSettings
from emogram.spectrograms.settings import FramedSettings
from emogram.spectrograms.stages import DB_PER_LOG_POWER, Filterbank, LogCompression, Matrix, RootCompression
from emogram.spectrograms.transforms import PowerSpectrum


class _CepstrumSettings(FramedSettings):
    n_coefficients: int = Field(20, ge=1, le=1024, description="coefficients kept, from the mean upwards")
    lifter: float = Field(0.0, ge=0, le=1000, description="length of the sinusoidal lifter; 0: none")

    def _assemble(
        self, transform: PowerSpectrum, weights: npt.NDArray[np.float32], compression: nn.Module, *, unit: float = 1.0
    ) -> Spectrogram:
        """`unit`: of the compressed bands, a factor that goes into the matrix."""
        if self.n_coefficients > len(weights):
            raise ConfigurationError(
                f"n_coefficients={self.n_coefficients}: more than the bands; choose at most {len(weights)}"
            )
        matrix = filterbanks.cosine_transform(
            n_coefficients=self.n_coefficients, n_bands=len(weights), lifter=self.lifter
        )
        return Spectrogram(
            transform,
            Filterbank(weights),
            compression,
            Matrix(matrix * unit),
            axis=Axis(np.arange(self.n_coefficients, dtype=np.float64), "coefficient"),
            standardise_rows=True,
        )


class MFCCSettings(MelBandSettings, _CepstrumSettings):
    """Mel-frequency cepstral coefficients (Davis and Mermelstein 1980) of decibels, with a lifter where wanted."""

    name: Literal["mfcc"] = "mfcc"
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        transform = self.power_spectrum(sample_rate)
        weights = self.mel_weights(sample_rate, self.n_fft)
        return self._assemble(transform, weights, LogCompression(self.floor), unit=DB_PER_LOG_POWER)


class LFCCSettings(BandSettings, _CepstrumSettings):
    """Linear-frequency cepstral coefficients: as MFCC, on triangular bands evenly spaced in Hz."""

    name: Literal["lfcc"] = "lfcc"
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        transform = self.power_spectrum(sample_rate)
        weights = filterbanks.linear(sample_rate=sample_rate, **self.band_fields())
        return self._assemble(transform, weights, LogCompression(self.floor), unit=DB_PER_LOG_POWER)


class GFCCSettings(BandSettings, _CepstrumSettings):
    """Gammatone-frequency cepstral coefficients (Zhao, Shao and Wang 2012): cube root of gammatone bands."""

    name: Literal["gfcc"] = "gfcc"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        transform = self.power_spectrum(sample_rate)
        weights = filterbanks.gammatone(sample_rate=sample_rate, **self.band_fields())
        return self._assemble(transform, weights, RootCompression(1 / 3))
