"""Filterbanks: matrices that sum the bins of a spectrum into the bands of a frequency scale. Plain numpy."""

from emogram.filterbanks.auditory import bark, bark_centres_hz, erb_hz, gammatone, gammatone_centres_hz, hz_to_bark
from emogram.filterbanks.cepstral import cosine_transform, savitzky_golay
from emogram.filterbanks.pitch import chroma, fold_octaves
from emogram.filterbanks.triangular import (
    MelScale,
    check_range,
    hz_to_mel,
    linear,
    linear_centres_hz,
    mel,
    mel_centres_hz,
    mel_to_hz,
)

__all__ = [
    "MelScale",
    "bark",
    "bark_centres_hz",
    "check_range",
    "chroma",
    "cosine_transform",
    "erb_hz",
    "fold_octaves",
    "gammatone",
    "gammatone_centres_hz",
    "hz_to_bark",
    "hz_to_mel",
    "linear",
    "linear_centres_hz",
    "mel",
    "mel_centres_hz",
    "mel_to_hz",
    "savitzky_golay",
]
