"""A wave taken apart into cells of time and frequency, so that any of them can be taken out of it."""

import numpy as np
from numpy.typing import NDArray

from emogram.audio import Wave

_WINDOW_S = 0.032
_FLOOR_PERCENTILE = 10
"""Where a cell is taken out, each frequency falls to the level that it has in the quietest tenth of the wave."""

_Values = NDArray[np.float64]


class Cells:
    """The cells of a wave: spans of even length by bands of even width on the mel scale, each fading into the next.

    What is taken out of a cell is what rises above the wave's own floor, frequency by frequency. So a cell without its
    sound is as quiet as the recording's pauses, and no hole that the model has never heard.

    Args:
        wave: [T].
        sample_rate: in Hz.
        bands: how many, up to half the sample rate.
        spans: how many.

    Attributes:
        frequencies_hz: edges of the bands, ascending, [bands + 1].
        times_s: edges of the spans, [spans + 1].
    """

    def __init__(self, wave: Wave, sample_rate: int, *, bands: int, spans: int) -> None:
        self._wave = wave
        self.times_s: _Values = np.linspace(0, len(wave) / sample_rate, spans + 1)
        self.frequencies_hz: _Values = _hz(np.linspace(0, mel(sample_rate / 2), bands + 1))
        self._above_floor = _bands(wave, sample_rate, self.frequencies_hz)
        samples_s = (np.arange(len(wave)) + 0.5) / sample_rate
        self._fades = fades(samples_s, self.times_s).astype(np.float32)

    @property
    def shape(self) -> tuple[int, int]:
        """Bands and spans."""
        return len(self._above_floor), len(self._fades)

    @property
    def energy(self) -> _Values:
        """What lies above the floor in each cell, the sum of its squared samples, [bands, spans]."""
        energy: _Values = np.square(self._above_floor, dtype=np.float64) @ np.square(self._fades, dtype=np.float64).T
        return energy

    def without(self, taken: NDArray[np.floating]) -> Wave:
        """The wave [T] without these cells.

        Args:
            taken: how much of each cell to take out, 0 to 1, [bands, spans].
        """
        touched = taken.any(axis=1)
        gains = taken[touched].astype(np.float32) @ self._fades
        wave: Wave = self._wave - np.einsum("bt,bt->t", gains, self._above_floor[touched])
        return wave


def _bands(wave: Wave, sample_rate: int, edges_hz: _Values) -> NDArray[np.float32]:
    """What rises above the floor in each band: waves [bands, T], whose sum with the floor is the wave."""
    size = 2 ** round(np.log2(_WINDOW_S * sample_rate))
    hop = size // 4
    window = np.hanning(size + 1)[:-1]
    padded = np.pad(wave.astype(np.float64), (size, size + -len(wave) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    spectra = np.fft.rfft(frames * window)
    magnitude = np.abs(spectra)
    inside = magnitude[4:-4] if len(magnitude) > 9 else magnitude  # the others reach beyond the wave
    floor = np.percentile(inside, _FLOOR_PERCENTILE, axis=0)
    spectra *= 1 - np.minimum(1, floor / np.maximum(magnitude, 1e-12))
    centres_hz: _Values = np.fft.rfftfreq(size, 1 / sample_rate).astype(np.float64)
    shares = fades(mel(centres_hz), mel(edges_hz))
    waves = np.empty((len(shares), len(wave)), np.float32)
    for number, share in enumerate(shares):
        pieces = np.fft.irfft(spectra * share, size) * window / 1.5  # four squared windows of Hann sum to 1.5
        joined = np.zeros(len(padded))
        for start in range(4):
            part = pieces[start::4].reshape(-1)
            joined[start * hop : start * hop + len(part)] += part
        waves[number] = joined[size : size + len(wave)]
    return waves


def fades(places: _Values, edges: _Values) -> _Values:
    """How much of each cell lies at each place: cells of even width that fade into each other over half of it.

    Args:
        places: [T].
        edges: of the cells, evenly spaced, [n + 1].

    Returns:
        Shares [n, T] that sum to 1 at every place.
    """
    width = float(edges[1] - edges[0])
    rising = np.clip((places - edges[1:-1, None]) / (width / 2) + 0.5, 0, 1)
    begun = np.concatenate([np.ones((1, len(places))), rising, np.zeros((1, len(places)))])
    shares: _Values = begun[:-1] - begun[1:]
    return shares


def mel(hz: float | _Values) -> _Values:
    """Frequencies on the mel scale, on which bands are even."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hz) / 700))


def _hz(mels: _Values) -> _Values:
    return np.asarray(700 * (10 ** (mels / 2595) - 1))
