"""The modulation spectrogram: how fast the bands rise and fall, as channels."""

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from torch import Tensor, nn
from typing_extensions import override

from emogram.errors import ConfigurationError
from emogram.spectrograms.front_end import Spectrogram
from emogram.spectrograms.mel import MelBandSettings
from emogram.spectrograms.settings import CompressedSettings
from emogram.spectrograms.stages import RootCompression, TimeFilters


class PairPower(nn.Module):
    """Power of complex channels whose real and imaginary parts come in turn: [B, 2 C, N, F] -> [B, C, N, F]."""

    def forward(self, parts: Tensor) -> Tensor:
        """See the class."""
        return parts[:, ::2].square() + parts[:, 1::2].square()


class ModulationSettings(MelBandSettings, CompressedSettings):
    """Modulation spectrogram (Greenberg and Kingsbury 1997): power of rises and falls of mel bands, a channel a rate."""

    name: Literal["modulation"] = "modulation"
    modulations_hz: tuple[Annotated[float, Field(gt=0, le=500)], ...] = Field(
        (2.0, 4.0, 8.0, 16.0), min_length=1, max_length=32, description="rates of modulation, a channel each"
    )
    modulation_window_ms: float = Field(500.0, gt=0, le=4000, description="length of the Hann window over frames")
    step_frames: int = Field(4, ge=1, le=100, description="frames of the transform to one of the picture")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        transform = self.power_spectrum(sample_rate)
        frame_rate = sample_rate / transform.hop_length
        reach = round(self.modulation_window_ms * frame_rate / 2000)
        if reach < 1 or reach > 512:
            raise ConfigurationError(
                f"modulation_window_ms={self.modulation_window_ms:g}: must hold from 3 to 1025 frames; choose one that suits hop_ms"
            )
        fastest_hz = max(self.modulations_hz)
        if fastest_hz > frame_rate / 2:
            raise ConfigurationError(
                f"modulations_hz: {fastest_hz:g} is above half the {frame_rate:g} frames a second; choose a shorter hop_ms"
            )
        return Spectrogram(
            transform,
            self.mel_bands(sample_rate),
            RootCompression(0.5),
            TimeFilters(modulation_kernels(self.modulations_hz, reach=reach, frame_rate=frame_rate), self.step_frames),
            PairPower(),
            self.compressor(),
            axis=self.mel_axis(),
            channels=tuple(f"{rate_hz:g} Hz" for rate_hz in self.modulations_hz),
            db_per_value=self.db_per_value,
            context_frames=reach,
            frame_step=self.step_frames,
        )


def modulation_kernels(rates_hz: tuple[float, ...], *, reach: int, frame_rate: float) -> npt.NDArray[np.float64]:
    """Windowed waves over 2 `reach` + 1 frames, real and imaginary parts in turn: [2 rates, frames].

    The window sums to 1, and from each wave the window is taken out so far that a steady level gives nothing.
    """
    frames = np.arange(-reach, reach + 1)
    window = 0.5 + 0.5 * np.cos(np.pi * frames / (reach + 1))
    window /= window.sum()
    waves = np.exp(-2j * np.pi * np.outer(rates_hz, frames) / frame_rate)
    kernels = window * (waves - (window * waves).sum(axis=1, keepdims=True))
    return np.stack([kernels.real, kernels.imag], axis=1).reshape(-1, frames.size)
