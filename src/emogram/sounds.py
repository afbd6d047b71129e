"""Noise made and mixed in at a ratio, by numpy and scipy alone."""

from typing import Literal

import numpy as np
import scipy.fft

from emogram.audio import SILENCE_PEAK, Wave

Colour = Literal["white", "pink", "brown"]

_LOWEST_HZ = 20.0


def power(wave: Wave) -> float:
    """Mean square, in full precision."""
    return float(np.mean(np.square(wave, dtype=np.float64)))


def mixed(wave: Wave, sound: Wave, *, snr_db: float) -> Wave:
    """The wave with a sound of its length, scaled to a signal-to-noise ratio over the whole clip.

    Silence stays silent, and a silent sound is left out: no factor would make the ratio.
    """
    sound_power = power(sound)
    if sound_power < SILENCE_PEAK**2:
        return wave.copy()
    return wave + sound * np.float32(np.sqrt(power(wave) / sound_power / 10 ** (snr_db / 10)))


def coloured(length: int, colour: Colour, rng: np.random.Generator, *, sample_rate: int) -> Wave:
    """Gaussian noise [T] of unit variance whose power falls with frequency: white not at all, pink as 1/f, brown as 1/f².

    Below 20 Hz it falls no further, where a voice has nothing to hide. Made in the frequency domain (Timmer and König
    1995, On generating power law noise).
    """
    if colour == "white":
        return rng.standard_normal(length, dtype=np.float32)
    size = scipy.fft.next_fast_len(max(length, round(sample_rate / _LOWEST_HZ)), real=True)
    bins = size // 2 + 1
    spectrum = rng.standard_normal(2 * bins, dtype=np.float32).view(np.complex64)
    frequencies_hz = np.maximum(np.arange(bins, dtype=np.float32) * np.float32(sample_rate / size), _LOWEST_HZ)
    spectrum /= np.sqrt(frequencies_hz) if colour == "pink" else frequencies_hz
    spectrum[0] = 0
    noise = scipy.fft.irfft(spectrum, size)
    return np.asarray(noise[:length] / max(noise.std(), 1e-30), np.float32)
