"""Spectrograms: from a wave [B, T] to a picture of sound [B, C, F, N], as torch modules.

Each type is a settings class whose `build(sample_rate)` chains stages: a transform, then filterbank, compression and what
else the type is made of. Training runs the transform as an FFT; an exported graph runs the same windowed transform as a
convolution, which every runtime has (`Spectrogram.for_export`).
"""

from emogram.spectrograms.front_end import Axis, Spectrogram, Standardisation
from emogram.spectrograms.mel import LogMelSettings
from emogram.spectrograms.registry import SPECTROGRAMS, SpectrogramSettings
from emogram.spectrograms.stages import Filterbank, LogCompression
from emogram.spectrograms.transforms import PowerSpectrum

__all__ = [
    "SPECTROGRAMS",
    "Axis",
    "Filterbank",
    "LogCompression",
    "LogMelSettings",
    "PowerSpectrum",
    "Spectrogram",
    "SpectrogramSettings",
    "Standardisation",
]
