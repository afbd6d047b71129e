"""Matrices from frequency to the twelve pitch classes, C first, A = 440 Hz."""

import numpy as np
import numpy.typing as npt

from emogram.errors import ConfigurationError

N_CLASSES = 12
_A0_HZ = 27.5
_FROM_A_TO_C = 3


def chroma(
    *, sample_rate: int, n_fft: int, centre_octave: float = 5.0, octave_width: float = 2.0
) -> npt.NDArray[np.float32]:
    """Weights from the bins of a real FFT to pitch classes (Ellis 2007): Gaussian bumps, columns of unit length.

    Args:
        sample_rate: Hz.
        n_fft: length of the transform, samples.
        centre_octave: octaves above A0 that count most.
        octave_width: deviation of the Gaussian over octaves that says how much the others count.

    Returns:
        Shape [12, n_fft // 2 + 1].
    """
    frequencies_hz = np.arange(1, n_fft) * sample_rate / n_fft
    places = N_CLASSES * np.log2(frequencies_hz / _A0_HZ)
    # Bin 0 has no pitch: one and a half octaves under bin 1, half a circle away and broad.
    places = np.concatenate([[places[0] - 1.5 * N_CLASSES], places])
    widths = np.concatenate([np.maximum(np.diff(places), 1.0), [1.0]])
    half = N_CLASSES // 2
    distance = np.mod(places[None, :] - np.arange(N_CLASSES)[:, None] + half, N_CLASSES) - half
    weights = np.exp(-0.5 * (2.0 * distance / widths) ** 2)
    weights /= np.linalg.norm(weights, axis=0)
    weights *= np.exp(-0.5 * ((places / N_CLASSES - centre_octave) / octave_width) ** 2)
    from_c = np.roll(weights, -_FROM_A_TO_C, axis=0)
    return np.asarray(from_c[:, : n_fft // 2 + 1], dtype=np.float32)


def fold_octaves(*, n_bins: int, bins_per_octave: int, fmin_hz: float) -> npt.NDArray[np.float32]:
    """Weights from constant-Q bins to pitch classes: each bin counts for the nearest class.

    Args:
        n_bins: number of bins.
        bins_per_octave: a multiple of 12.
        fmin_hz: centre of the first bin.

    Returns:
        Shape [12, n_bins].

    Raises:
        ConfigurationError: bins that do not fall on pitch classes.
    """
    if bins_per_octave % N_CLASSES:
        raise ConfigurationError(f"bins_per_octave={bins_per_octave}: must be a multiple of 12; choose 12, 24 or 36")
    above_c = N_CLASSES * (np.log2(fmin_hz / _A0_HZ) + np.arange(n_bins) / bins_per_octave) - _FROM_A_TO_C
    classes = np.mod(np.floor(above_c + 0.5 + 1e-9), N_CLASSES).astype(int)
    return np.asarray(classes[None, :] == np.arange(N_CLASSES)[:, None], dtype=np.float32)
