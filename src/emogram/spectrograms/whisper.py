"""The log-mel picture that Whisper's encoder was trained on."""

from typing import Literal

import torch
from torch import Tensor, nn
from typing_extensions import override

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms.front_end import Axis, Spectrogram
from emogram.spectrograms.settings import TypeSettings
from emogram.spectrograms.stages import Filterbank
from emogram.spectrograms.transforms import PowerSpectrum

_RATE, _WINDOW, _HOP, _BANDS = 16_000, 400, 160, 80
_FMIN_HZ, _FMAX_HZ = 0.0, 8000.0
_FLOOR = 1e-10
_RANGE = 8.0
_OFFSET, _SCALE = 4.0, 4.0


class WhisperSettings(TypeSettings):
    """Log-mel spectrogram of Whisper (Radford et al. 2023): 80 Slaney bands, log10, floor 80 dB under the clip's loudest.

    Everything is fixed, because the published weights know no other picture. Two things differ from the original, which
    pads each recording to 30 s: the first frame sees silence before the clip where the original sees its reflection, and
    there is one frame more at the end.
    """

    name: Literal["whisper"] = "whisper"

    @override
    def build(self, sample_rate: int) -> Spectrogram:
        if sample_rate != _RATE:
            raise ConfigurationError(f"audio.sample_rate={sample_rate}: Whisper was trained at {_RATE} Hz; choose that")
        weights = filterbanks.mel(
            sample_rate=_RATE,
            n_fft=_WINDOW,
            n_mels=_BANDS,
            fmin_hz=_FMIN_HZ,
            fmax_hz=_FMAX_HZ,
            scale="slaney",
            area_normalised=True,
        )
        centres_hz = filterbanks.mel_centres_hz(n_mels=_BANDS, fmin_hz=_FMIN_HZ, fmax_hz=_FMAX_HZ, scale="slaney")
        return Spectrogram(
            PowerSpectrum(n_fft=_WINDOW, window_length=_WINDOW, hop_length=_HOP),
            Filterbank(weights),
            ClipRangeCompression(),
            axis=Axis(centres_hz),
            db_per_value=10 * _SCALE,
            standardise=False,
        )


class ClipRangeCompression(nn.Module):
    """log10 of power, no lower than 8 below the clip's maximum, then (x + 4) / 4, as in Whisper.

    Shape:
        [B, N, F] -> the same
    """

    def forward(self, power: Tensor) -> Tensor:
        """See the class."""
        level = torch.log10(power.clamp_min(_FLOOR))
        loudest = level.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(level, loudest - _RANGE) + _OFFSET) / _SCALE
