"""Matrices over bands and frames: the cosine transform of cepstra, and the slopes of delta coefficients."""

import math

import numpy as np
import numpy.typing as npt


def cosine_transform(*, n_coefficients: int, n_bands: int, lifter: float = 0.0) -> npt.NDArray[np.float64]:
    """Orthonormal DCT-II over bands, its rows weighed by a sinusoidal lifter.

    Args:
        n_coefficients: rows kept, from the mean upwards; at most `n_bands`.
        n_bands: columns.
        lifter: L of 1 + L / 2 sin(pi (n + 1) / L) for row n (Juang et al. 1987, with librosa's count of rows); 0: none.

    Returns:
        Shape [n_coefficients, n_bands].
    """
    rows = np.arange(n_coefficients)
    phase = np.outer(rows, 2 * np.arange(n_bands) + 1) * (math.pi / (2 * n_bands))
    matrix = np.cos(phase) * math.sqrt(2.0 / n_bands)
    matrix[0] /= math.sqrt(2.0)
    if lifter > 0:
        matrix *= (1.0 + lifter / 2.0 * np.sin(math.pi * (rows + 1) / lifter))[:, None]
    return np.asarray(matrix)


def savitzky_golay(*, width: int, order: int) -> npt.NDArray[np.float64]:
    """Weights of `width` frames whose sum is the `order`-th derivative of the polynomial of that order fitted to them.

    Savitzky and Golay (1964), frames one apart; order 1 is the delta of HTK. Shape [width]; `width` is odd.
    """
    places = np.arange(width) - width // 2
    powers = places[:, None] ** np.arange(order + 1)[None, :]
    return np.asarray(np.linalg.pinv(powers.astype(np.float64))[order] * math.factorial(order))
