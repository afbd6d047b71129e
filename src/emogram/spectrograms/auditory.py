"""Spectrograms after the ear: Bark bands and gammatone bands."""

from typing import Literal

from pydantic import Field
from typing_extensions import override

from emogram import filterbanks
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import CompressedSettings, FramedSettings
from emogram.spectrograms.stages import Filterbank


class _BandSettings(FramedSettings, CompressedSettings):
    n_bands: int = Field(64, ge=4, le=1024, description="number of bands")
    fmin_hz: float = Field(50.0, ge=0, description="centre of the first band")
    fmax_hz: float = Field(7600.0, gt=0, description="centre of the last band")


class BarkSettings(_BandSettings):
    """Bark spectrogram: power in the critical bands of hearing (Hermansky 1990), natural logarithm."""

    name: Literal["bark"] = "bark"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        weights = filterbanks.bark(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            n_bands=self.n_bands,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
        )
        centres_hz = filterbanks.bark_centres_hz(n_bands=self.n_bands, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz)
        return Spectrogram(
            self.power_spectrum(sample_rate),
            Filterbank(weights),
            self.compressor(),
            axis=Axis(centres_hz),
            db_per_value=self.db_per_value,
        )


class GammatoneSettings(_BandSettings):
    """Gammatone spectrogram: power behind fourth-order gammatone filters on the ERB scale, natural logarithm."""

    name: Literal["gammatone"] = "gammatone"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        weights = filterbanks.gammatone(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            n_bands=self.n_bands,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
        )
        centres_hz = filterbanks.gammatone_centres_hz(n_bands=self.n_bands, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz)
        return Spectrogram(
            self.power_spectrum(sample_rate),
            Filterbank(weights),
            self.compressor(),
            axis=Axis(centres_hz),
            db_per_value=self.db_per_value,
        )
