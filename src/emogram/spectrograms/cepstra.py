"""Cepstra: the cosine transform of compressed bands, from mel, linear and gammatone filterbanks."""

from typing import Literal

import numpy as np
from pydantic import Field
from torch import nn
from typing_extensions import override

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import FramedSettings
from emogram.spectrograms.stages import DB_PER_LOG_POWER, Filterbank, LogCompression, Matrix, RootCompression


class _CepstrumSettings(FramedSettings):
    n_coefficients: int = Field(20, ge=1, le=1024, description="coefficients kept, from the mean upwards")
    lifter: float = Field(0.0, ge=0, le=1000, description="length of the sinusoidal lifter; 0: none")
    n_bands: int = Field(64, ge=4, le=1024, description="number of bands under the cosine transform")
    fmin_hz: float = Field(50.0, ge=0, description="lower end of the bands")
    fmax_hz: float = Field(7600.0, gt=0, description="upper end of the bands")

    def _assemble(
        self, sample_rate: int, bands: Filterbank, compression: nn.Module, *, unit: float = 1.0
    ) -> Spectrogram:
        """`unit`: of the compressed bands, a factor that goes into the matrix."""
        if self.n_coefficients > self.n_bands:
            raise ConfigurationError(
                f"n_coefficients={self.n_coefficients}: more than the bands; choose at most n_bands={self.n_bands}"
            )
        matrix = filterbanks.cosine_transform(
            n_coefficients=self.n_coefficients, n_bands=self.n_bands, lifter=self.lifter
        )
        return Spectrogram(
            self.power_spectrum(sample_rate),
            bands,
            compression,
            Matrix(matrix * unit),
            axis=Axis(np.arange(self.n_coefficients, dtype=np.float64), "coefficient"),
            standardise_rows=True,
        )


class _LogCepstrumSettings(_CepstrumSettings):
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    def _assemble_log(self, sample_rate: int, bands: Filterbank) -> Spectrogram:
        return self._assemble(sample_rate, bands, LogCompression(self.floor), unit=DB_PER_LOG_POWER)


class MFCCSettings(_LogCepstrumSettings):
    """Mel-frequency cepstral coefficients (Davis and Mermelstein 1980) of decibels, with a lifter where wanted."""

    name: Literal["mfcc"] = "mfcc"
    mel_scale: filterbanks.MelScale = Field("htk", description="formula of the scale")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        weights = filterbanks.mel(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            n_mels=self.n_bands,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
            scale=self.mel_scale,
        )
        return self._assemble_log(sample_rate, Filterbank(weights))


class LFCCSettings(_LogCepstrumSettings):
    """Linear-frequency cepstral coefficients: as MFCC, on triangular bands evenly spaced in Hz."""

    name: Literal["lfcc"] = "lfcc"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        weights = filterbanks.linear(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            n_bands=self.n_bands,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
        )
        return self._assemble_log(sample_rate, Filterbank(weights))


class GFCCSettings(_CepstrumSettings):
    """Gammatone-frequency cepstral coefficients (Zhao, Shao and Wang 2012): cube root of gammatone bands."""

    name: Literal["gfcc"] = "gfcc"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        weights = filterbanks.gammatone(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            n_bands=self.n_bands,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
        )
        return self._assemble(sample_rate, Filterbank(weights), RootCompression(1 / 3))
