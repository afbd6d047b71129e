"""First stages of a front end: from a wave to frames of numbers, as an FFT or as a convolution."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from emogram.errors import ConfigurationError


class Transform(nn.Module):
    """From a wave to frames. Frame n is centred on sample n * `hop_length`; beyond its ends the wave is zero.

    Args:
        hop_length: samples from frame to frame.

    Shape:
        [B, T] -> [B, N, X] or [B, C, N, X], N = 1 + T // hop_length
    """

    def __init__(self, hop_length: int) -> None:
        super().__init__()
        self.hop_length = hop_length
        self.convolution = False

    def as_convolution(self) -> None:
        """Compute with convolutions, which every ONNX runtime has, from now on."""
        self.convolution = True


class PowerSpectrum(Transform):
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
        super().__init__(hop_length)
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
        unused = (n_fft - window_length) // 2
        self.before = n_fft // 2 - unused
        window = torch.hann_window(window_length, dtype=torch.float64)
        padded = functional.pad(window, (unused, n_fft - window_length - unused))
        self.register_buffer("window", padded.float(), persistent=False)
        self.register_buffer("kernel", torch.empty(0), persistent=False)

    @override
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


class Parallel(Transform):
    """Several transforms of the same hop side by side, each with its filterbank, as channels.

    Args:
        chains: pairs of a transform and what follows it; all give the same number of bands.

    Shape:
        [B, T] -> [B, C, N, F]
    """

    def __init__(self, chains: Sequence[tuple[Transform, nn.Module]]) -> None:
        super().__init__(chains[0][0].hop_length)
        self.transforms = nn.ModuleList(transform for transform, _ in chains)
        self.filterbanks = nn.ModuleList(filterbank for _, filterbank in chains)

    @override
    def as_convolution(self) -> None:
        super().as_convolution()
        for transform in self.transforms:
            transform.as_convolution()  # type: ignore[operator]

    def forward(self, wave: Tensor) -> Tensor:
        """See the class."""
        pairs = zip(self.transforms, self.filterbanks, strict=True)
        return torch.stack([filterbank(transform(wave)) for transform, filterbank in pairs], dim=1)
