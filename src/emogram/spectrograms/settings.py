"""What the settings of all spectrogram types share."""

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from emogram.spectrograms.front_end import Spectrogram
from emogram.spectrograms.stages import DB_PER_LOG_POWER, CompressionName, compression
from emogram.spectrograms.transforms import PowerSpectrum


class TypeSettings(BaseModel):
    """Settings of one spectrogram type, told from the others by ``name``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str

    def build(self, sample_rate: int) -> Spectrogram:
        """The front end at a sampling rate in Hz.

        Raises:
            ConfigurationError: settings that the rate or each other rule out; names the field.
        """
        raise NotImplementedError


class FramedSettings(TypeSettings):
    """Settings of a type that starts from the short-time Fourier transform."""

    window_ms: float = Field(25.0, gt=0, le=1000, description="length of the Hann window")
    hop_ms: float = Field(10.0, gt=0, le=1000, description="step from frame to frame")
    n_fft: int = Field(512, ge=16, le=8192, description="length of the transform, samples")

    def power_spectrum(self, sample_rate: int) -> PowerSpectrum:
        """The transform. Raises `ConfigurationError` as `build` does."""
        return PowerSpectrum(
            n_fft=self.n_fft,
            window_length=samples(self.window_ms, sample_rate),
            hop_length=samples(self.hop_ms, sample_rate),
        )


class CompressedSettings(TypeSettings):
    """Settings of a type whose power can be compressed in more than one way."""

    compression: CompressionName = Field("log", description="of power: natural logarithm, cube root, or none")
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    def compressor(self) -> nn.Module:
        """The stage that compresses."""
        return compression(self.compression, self.floor)

    @property
    def db_per_value(self) -> float | None:
        """What a step of 1 is in dB, None where values are no logarithms."""
        return DB_PER_LOG_POWER if self.compression == "log" else None


def samples(duration_ms: float, sample_rate: int) -> int:
    """A duration in samples, at least one."""
    return max(1, round(duration_ms * sample_rate / 1000))
