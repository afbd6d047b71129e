"""Spectrograms: from a wave [B, T] to a picture of sound [B, C, F, N], as torch modules.

A front end is a chain of stages: framing and transform, filterbank, compression. Training runs the transform as an FFT;
an exported graph runs the same windowed transform as a convolution, which every runtime has (`Spectrogram.for_export`).
"""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from emogram import filterbanks
from emogram.errors import ConfigurationError

_CLIPS_PER_CHUNK = 1
"""Clips transformed at a time: the frames of a larger batch fall out of the processor's cache."""


class LogMelSettings(BaseModel):
    """Log-mel spectrogram: short-time power spectrum, triangular mel bands, natural logarithm.

    The only type for now; a further type is a further settings class with its own ``name``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Literal["logmel"] = "logmel"
    window_ms: float = Field(25.0, gt=0, le=1000, description="length of the Hann window")
    hop_ms: float = Field(10.0, gt=0, le=1000, description="step from frame to frame")
    n_fft: int = Field(512, ge=16, le=8192, description="length of the transform, samples")
    n_mels: int = Field(64, ge=4, le=1024, description="number of bands")
    fmin_hz: float = Field(50.0, ge=0, description="lower edge of the first band")
    fmax_hz: float = Field(7600.0, gt=0, description="upper edge of the last band")
    mel_scale: filterbanks.MelScale = Field("htk", description="formula of the scale")
    floor: float = Field(1e-6, ge=1e-30, le=1, description="power added before the logarithm")

    def build(self, sample_rate: int) -> "Spectrogram":
        """The front end at a sampling rate in Hz.

        Raises:
            ConfigurationError: settings that the rate or each other rule out; names the field.
        """
        transform = PowerSpectrum(
            n_fft=self.n_fft,
            window_length=_samples(self.window_ms, sample_rate),
            hop_length=_samples(self.hop_ms, sample_rate),
        )
        bands = filterbanks.mel(
            sample_rate=sample_rate,
            n_fft=self.n_fft,
            n_mels=self.n_mels,
            fmin_hz=self.fmin_hz,
            fmax_hz=self.fmax_hz,
            scale=self.mel_scale,
        )
        centres_hz = filterbanks.mel_centres_hz(
            n_mels=self.n_mels, fmin_hz=self.fmin_hz, fmax_hz=self.fmax_hz, scale=self.mel_scale
        )
        return Spectrogram(transform, Filterbank(bands), LogCompression(self.floor), centres_hz=centres_hz)


SpectrogramSettings = LogMelSettings
"""Settings of any spectrogram type: a union told apart by ``name`` once there are several."""


class PowerSpectrum(nn.Module):
    """Short-time power spectrum with a periodic Hann window, frames centred, zeros beyond the ends.

    The power of a bin comes as two numbers side by side, the squares of its real and imaginary part: the filterbank,
    which sums bins anyway, sums them too, and a pass over the memory is saved.

    Frame n is centred on sample n * `hop_length`, so a wave of T samples has 1 + T // hop_length frames, as in librosa
    with ``center=True, pad_mode="constant"`` and an even `n_fft`.

    Args:
        n_fft: length of the transform, samples.
        window_length: samples; at most `n_fft`.
        hop_length: samples; at most `window_length`.

    Shape:
        [B, T] -> [B, N, 2 (n_fft // 2 + 1)]

    Raises:
        ConfigurationError: a window longer than the transform, or a hop longer than the window.
    """

    window: Tensor
    kernel: Tensor

    def __init__(self, *, n_fft: int, window_length: int, hop_length: int) -> None:
        super().__init__()
        if window_length > n_fft:
            raise ConfigurationError(
                f"n_fft={n_fft}: shorter than the window of {window_length} samples; choose a longer n_fft or a shorter window_ms"
            )
        if hop_length > window_length:
            raise ConfigurationError(
                f"hop_ms: the hop of {hop_length} samples is longer than the window of {window_length}; choose at most window_ms"
            )
        self.n_fft = n_fft
        self.window_length = window_length
        self.hop_length = hop_length
        self.convolution = False
        unused = (n_fft - window_length) // 2
        self.before = n_fft // 2 - unused
        window = torch.hann_window(window_length, dtype=torch.float64)
        padded = functional.pad(window, (unused, n_fft - window_length - unused))
        self.register_buffer("window", padded.float(), persistent=False)
        self.register_buffer("kernel", torch.empty(0), persistent=False)

    def n_frames(self, n_samples: Tensor) -> Tensor:
        """Number of frames of waves with `n_samples` samples, elementwise."""
        return 1 + n_samples // self.hop_length

    def as_convolution(self) -> None:
        """Compute the transform as a strided convolution with windowed cosines and sines from now on."""
        phase = np.outer(np.arange(self.n_fft // 2 + 1), np.arange(self.n_fft)) * (2 * math.pi / self.n_fft)
        waves = np.stack([np.cos(phase), np.sin(phase)], axis=1).reshape(-1, self.n_fft)
        used = slice(self.n_fft // 2 - self.before, self.n_fft // 2 - self.before + self.window_length)
        self.kernel = torch.from_numpy((waves * self.window.double().numpy())[:, None, used].astype(np.float32))
        self.convolution = True

    def forward(self, wave: Tensor) -> Tensor:
        """See the class."""
        if self.convolution:
            padded = functional.pad(wave, (self.before, self.window_length - self.before))
            parts = functional.conv1d(padded[:, None, :], self.kernel, stride=self.hop_length)
            return parts.square().transpose(1, 2)
        padded = functional.pad(wave, (self.n_fft // 2, self.n_fft - self.n_fft // 2))
        frames = padded.unfold(1, self.n_fft, self.hop_length) * self.window
        parts = torch.view_as_real(torch.fft.rfft(frames)).flatten(-2)
        # In place where no gradient needs the spectrum itself: memory is what bounds this.
        return parts.square() if parts.requires_grad else parts.square_()


class Filterbank(nn.Module):
    """Weighted sums of the bins of a spectrum whose power comes in two parts, as `PowerSpectrum` gives it.

    Args:
        weights: [F, bins], one row a band.

    Shape:
        [B, N, 2 bins] -> [B, N, F]
    """

    weights: Tensor

    def __init__(self, weights: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(weights.T.repeat(2, axis=0)), persistent=False)

    def forward(self, parts: Tensor) -> Tensor:
        """See the class."""
        return parts @ self.weights


class LogCompression(nn.Module):
    """Natural logarithm of power plus a floor, so that silence is finite.

    Args:
        floor: added to the power; 1e-6 lies 60 dB under a full-scale bin of power 1.
    """

    def __init__(self, floor: float) -> None:
        super().__init__()
        self.floor = floor

    def forward(self, power: Tensor) -> Tensor:
        """See the class; shape is kept."""
        return (power + self.floor).log()


class Spectrogram(nn.Module):
    """A front end: framing and transform, then filterbank, then compression.

    Args:
        transform: wave to power.
        filterbank: power to bands.
        compression: bands to the scale that the network sees.
        centres_hz: centre frequency of each band, for figures.

    Shape:
        wave [B, T] -> spec [B, 1, F, N]
    """

    def __init__(
        self,
        transform: PowerSpectrum,
        filterbank: Filterbank,
        compression: nn.Module,
        *,
        centres_hz: npt.NDArray[np.float64],
    ) -> None:
        super().__init__()
        self.transform = transform
        self.filterbank = filterbank
        self.compression = compression
        self.centres_hz = centres_hz

    @property
    def n_bands(self) -> int:
        """Number of bands F."""
        return len(self.centres_hz)

    def n_frames(self, n_samples: Tensor) -> Tensor:
        """Number of frames N of waves with `n_samples` samples, elementwise."""
        return self.transform.n_frames(n_samples)

    def for_export(self) -> "Spectrogram":
        """Switch the transform to a convolution, which every ONNX runtime computes, in place."""
        self.transform.as_convolution()
        return self

    def forward(self, wave: Tensor) -> Tensor:
        """See the class."""
        if self.transform.convolution or wave.shape[0] <= _CLIPS_PER_CHUNK:
            return self._bands(wave)
        return torch.cat([self._bands(chunk) for chunk in torch.split(wave, _CLIPS_PER_CHUNK)])

    def _bands(self, wave: Tensor) -> Tensor:
        bands: Tensor = self.compression(self.filterbank(self.transform(wave)))
        return bands.transpose(1, 2)[:, None]


class Standardisation(nn.Module):
    """Subtract a mean and divide by a deviation that were measured on the training part, once for all clips.

    Loudness is a cue of arousal, so no statistic of the clip itself is used. The statistics are buffers: they travel
    with the weights and into the exported graph.

    Shape:
        [B, C, F, N] -> the same
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    @torch.no_grad()
    def fit(self, specs: list[Tensor]) -> None:
        """Measure on spectrograms of any shapes."""
        values = torch.cat([spec.flatten() for spec in specs]).double()
        self.mean.fill_(float(values.mean()))
        self.deviation.fill_(max(float(values.std()), 1e-3))

    def forward(self, spec: Tensor) -> Tensor:
        """See the class."""
        return (spec - self.mean) / self.deviation


def _samples(duration_ms: float, sample_rate: int) -> int:
    return max(1, round(duration_ms * sample_rate / 1000))
