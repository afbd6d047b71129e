"""Chroma: how strong each of the twelve pitch classes is, whatever the octave."""

from typing import Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from emogram import filterbanks
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import FramedSettings
from emogram.spectrograms.stages import Filterbank, PerFramePeak

PITCH_CLASSES = Axis(np.arange(12, dtype=np.float64), "pitch class")


class ChromaSettings(FramedSettings):
    """Chroma of the short-time Fourier transform (Ellis 2007): twelve pitch classes, C first, each frame's peak at 1."""

    name: Literal["chroma"] = "chroma"
    window_ms: float = Field(64.0, gt=0, le=1000, description="length of the Hann window")
    n_fft: int = Field(1024, ge=16, le=8192, description="length of the transform, samples")
    floor: float = Field(1e-6, ge=1e-7, le=1, description="added to the peak that a frame is divided by")

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        weights = filterbanks.chroma(sample_rate=sample_rate, n_fft=self.n_fft)
        return Spectrogram(
            self.power_spectrum(sample_rate), Filterbank(weights), PerFramePeak(self.floor), axis=PITCH_CLASSES
        )
