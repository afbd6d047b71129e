"""Short-time measurements of a wave: level, bands, periodicity, 50 times a second.

What the detection of voice and the checks of the input rest on. A few products and two Fourier transforms a frame, so that
they cost little beside a network.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from emogram.audio import Wave

FRAME_S, HOP_S = 0.04, 0.02
BAND_EDGES_HZ = (100, 300, 500, 800, 1200, 1700, 2400, 3200, 4000)
"""Bounds of the bands that voice is looked for in: those that a telephone leaves, too."""

HIGH_HZ = 4200
"""Above this a telephone carries nothing."""

LOWEST_F0_HZ, HIGHEST_F0_HZ = 80, 450
_FLOOR = 1e-12
_FRAMES_AT_A_TIME = 64

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Measurements of N frames; frame n begins ``n * HOP_S`` seconds into the wave.

    Attributes:
        level_db: root mean square in dB of full scale, [N].
        bands_db: power of each band of `BAND_EDGES_HZ` in dB, [N, bands].
        periodicity: largest normalised autocorrelation at the period of a voice, about 0 to 1, [N].
        high_db: power above `HIGH_HZ` relative to that in the bands, in dB, [N]; 0 where the rate carries none.
    """

    level_db: Values
    bands_db: Values
    periodicity: Values
    high_db: Values

    def __len__(self) -> int:
        return len(self.level_db)

    def __getitem__(self, part: slice) -> "Frames":
        return Frames(*(getattr(self, field.name)[part] for field in fields(self)))


def join(parts: Iterable[Frames]) -> Frames:
    """The frames of all parts, one after the other."""
    parts = list(parts)
    return Frames(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Frames)))


class FrameMeter:
    """Measures a wave that comes in blocks; the frames are the same however the blocks fall.

    Args:
        sample_rate: of the wave, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._size = max(8, round(FRAME_S * sample_rate))
        self._hop = max(4, round(HOP_S * sample_rate))
        self._fft = self._size  # at the lags of a voice, what wraps round the tapered frame is small
        self._window = np.hanning(self._size + 2)[1:-1].astype(np.float32)
        bin_hz = sample_rate / self._fft
        self._edges = np.unique(np.clip(np.round(np.array(BAND_EDGES_HZ) / bin_hz).astype(int), 1, self._fft // 2))
        self._high = round(HIGH_HZ / bin_hz) if 0.9 * sample_rate > 2 * HIGH_HZ else None
        # The autocorrelation is that of the bands alone, so it needs no more lags a second than they have hertz twice.
        top = int(self._edges[-1])
        rate = 2 * top * bin_hz
        self._lags = slice(max(1, int(rate / HIGHEST_F0_HZ)), int(rate / LOWEST_F0_HZ) + 1)
        correlation = np.fft.irfft(np.abs(np.fft.rfft(self._window, self._fft))[: top + 1] ** 2)
        self._correlation = (correlation / correlation[0])[self._lags].astype(np.float32)
        self._rest = np.empty(0, np.float32)

    def feed(self, block: Wave) -> Frames:
        """The frames that this block [T] completes."""
        wave = np.concatenate((self._rest, block))
        count = max(0, (len(wave) - self._size) // self._hop + 1)
        self._rest = wave[count * self._hop :].copy()
        if not count:
            return self._measure(np.empty((0, self._size), np.float32))
        frames = np.lib.stride_tricks.sliding_window_view(wave, self._size)[: count * self._hop : self._hop]
        return join(self._measure(frames[n : n + _FRAMES_AT_A_TIME]) for n in range(0, count, _FRAMES_AT_A_TIME))

    def close(self) -> Frames:
        """The frame of what is left, filled up with zeros; none where the wave ended with a whole one."""
        left = len(self._rest) - (self._size - self._hop)
        return self.feed(np.zeros(self._size - len(self._rest), np.float32)) if left > 0 else self.feed(self._rest[:0])

    def _measure(self, frames: Values) -> Frames:
        spectrum = np.fft.rfft(frames * self._window, self._fft, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        scale = np.float32(2 / (self._fft * np.square(self._window).sum()))
        bands = np.add.reduceat(power[:, : self._edges[-1]], self._edges[:-1], axis=1) * scale
        low = bands.sum(axis=1)
        high = low if self._high is None else power[:, self._high :].sum(axis=1) * scale
        power[:, : self._edges[0] // 2] = 0  # rumble repeats, too
        correlation = np.fft.irfft(power[:, : self._edges[-1] + 1], axis=1)
        periodic = (correlation[:, self._lags] / self._correlation).max(axis=1) / (correlation[:, 0] + 1e-20)
        square = np.einsum("ij,ij->i", frames, frames) / self._size
        return Frames(
            decibels(square), decibels(bands), periodic.astype(np.float32), decibels(high) - decibels(low + _FLOOR)
        )


def decibels(power: NDArray[np.floating]) -> Values:
    """Ten times the logarithm of a power, not below -120 dB."""
    result: Values = (10 * np.log10(np.maximum(power, _FLOOR))).astype(np.float32)
    return result
