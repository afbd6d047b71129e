"""Augmentation of the training part, on the fly: parameters are drawn apart from being applied.

There are three levels: waves [T] one by one, batches of spectrograms [B, C, F, N], and batches of spectrograms with their
targets. Each augmentation is a settings class with a ``name`` and a ``probability``; its `draw` takes every random choice,
and the draw, which JSON holds, is applied with `apply`. A chain is a tuple of settings in the order of their application.

Every draw takes a generator that the caller derives from seed, epoch and clip, so that a run that was stopped and
continued sees what an undisturbed run sees. Validation and test clips are never augmented, and none of them ever sounds in
an augmented one.
"""

from emogram.augmentation.registry import (
    AUGMENTATIONS,
    BATCH_AUGMENTATIONS,
    LEVELS,
    SPECTROGRAM_AUGMENTATIONS,
    WAVEFORM_AUGMENTATIONS,
    BatchStep,
    SpectrogramStep,
    WaveformStep,
    replay,
)
from emogram.augmentation.settings import Augmentation, Draw, draw

__all__ = [
    "AUGMENTATIONS",
    "BATCH_AUGMENTATIONS",
    "LEVELS",
    "SPECTROGRAM_AUGMENTATIONS",
    "WAVEFORM_AUGMENTATIONS",
    "Augmentation",
    "BatchStep",
    "Draw",
    "SpectrogramStep",
    "WaveformStep",
    "draw",
    "replay",
]
