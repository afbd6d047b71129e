"""Several pictures of one clip, as channels: with slopes, at several resolutions."""

from typing import Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms.front_end import Spectrogram
from emogram.spectrograms.mel import MelBandSettings
from emogram.spectrograms.settings import samples
from emogram.spectrograms.stages import DB_PER_LOG_POWER, LogCompression, TimeFilters
from emogram.spectrograms.transforms import Parallel, PowerSpectrum


class DeltasSettings(MelBandSettings):
    """Log-mel spectrogram with its delta and delta-delta as second and third channel.

    Slopes are those of librosa: derivatives of a line and a parabola fitted to `delta_frames` frames (Savitzky and Golay
    1964). Beyond the ends of a clip lies silence.
    """

    name: Literal["deltas"] = "deltas"
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")
    delta_frames: int = Field(9, ge=3, le=99, description="frames that a slope is measured over, odd")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        if self.delta_frames % 2 == 0:
            raise ConfigurationError(
                f"delta_frames={self.delta_frames}: must be odd, so that a frame has a middle; choose {self.delta_frames + 1}"
            )
        itself = np.eye(self.delta_frames)[self.delta_frames // 2]
        slopes = [filterbanks.savitzky_golay(width=self.delta_frames, order=order) for order in (1, 2)]
        return Spectrogram(
            self.power_spectrum(sample_rate),
            self.mel_bands(sample_rate),
            LogCompression(self.floor),
            TimeFilters(np.stack([itself, *slopes])),
            axis=self.mel_axis(),
            channels=("log-mel", "delta", "delta-delta"),
            db_per_value=DB_PER_LOG_POWER,
            context_frames=self.delta_frames // 2,
        )


class MultiResolutionSettings(MelBandSettings):
    """Log-mel spectrograms with three windows as three channels: sharp in time, balanced, sharp in frequency."""

    name: Literal["multiresolution"] = "multiresolution"
    window_ms: float = Field(50.0, gt=0, le=1000, description="length of the longest window; the others: half, quarter")
    n_fft: int = Field(1024, ge=16, le=8192, description="length of all three transforms, samples")
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        windows_ms = [part * self.window_ms for part in (0.25, 0.5, 1.0)]
        chains = []
        for window_ms in windows_ms:
            transform = PowerSpectrum(
                n_fft=self.n_fft,
                window_length=samples(window_ms, sample_rate),
                hop_length=samples(self.hop_ms, sample_rate),
            )
            chains.append((transform, self.mel_bands(sample_rate)))
        return Spectrogram(
            Parallel(chains),
            LogCompression(self.floor),
            axis=self.mel_axis(),
            channels=tuple(f"{window_ms:g} ms" for window_ms in windows_ms),
            db_per_value=DB_PER_LOG_POWER,
        )
