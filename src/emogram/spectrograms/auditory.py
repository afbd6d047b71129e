"""Spectrograms after the ear: Bark bands and gammatone bands."""

from typing import Literal, TypedDict

from pydantic import Field
from typing_extensions import override

from emogram import filterbanks
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import CompressedSettings, FramedSettings
from emogram.spectrograms.stages import Filterbank


class _BandFields(TypedDict):
    n_fft: int
    n_bands: int
    fmin_hz: float
    fmax_hz: float


class BandSettings(FramedSettings):
    """Settings of a type that sums power into bands."""

    n_bands: int = Field(64, ge=4, le=1024, description="number of bands")
    fmin_hz: float = Field(50.0, ge=0, description="lower end of the bands")
    fmax_hz: float = Field(7600.0, gt=0, description="upper end of the bands")

    def band_fields(self) -> _BandFields:
        """What a filterbank wants to know."""
        return {"n_fft": self.n_fft, "n_bands": self.n_bands, "fmin_hz": self.fmin_hz, "fmax_hz": self.fmax_hz}


class BarkSettings(BandSettings, CompressedSettings):
    """Bark spectrogram: power in the critical bands of hearing (Hermansky 1990), natural logarithm."""

    name: Literal["bark"] = "bark"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        return Spectrogram(
            self.power_spectrum(sample_rate),
            Filterbank(filterbanks.bark(sample_rate=sample_rate, **self.band_fields())),
            self.compressor(),
            axis=Axis(filterbanks.bark_centres_hz(n_bands=self.n_bands, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz)),
            db_per_value=self.db_per_value,
        )


class GammatoneSettings(BandSettings, CompressedSettings):
    """Gammatone spectrogram: power behind fourth-order gammatone filters on the ERB scale, natural logarithm."""

    name: Literal["gammatone"] = "gammatone"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        return Spectrogram(
            self.power_spectrum(sample_rate),
            Filterbank(filterbanks.gammatone(sample_rate=sample_rate, **self.band_fields())),
            self.compressor(),
            axis=Axis(
                filterbanks.gammatone_centres_hz(n_bands=self.n_bands, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz)
            ),
            db_per_value=self.db_per_value,
        )
