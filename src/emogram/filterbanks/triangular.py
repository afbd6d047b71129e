"""Triangular filters, evenly spaced on the mel scale or in Hz."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from emogram.errors import ConfigurationError

MelScale = Literal["htk", "slaney"]

_SLANEY_BREAK_HZ = 1000.0
_SLANEY_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequency_hz: npt.ArrayLike, *, scale: MelScale = "htk") -> npt.NDArray[np.float64]:
    """Frequency in Hz on the mel scale.

    Args:
        frequency_hz: any shape, Hz.
        scale: ``htk``: 2595 log10(1 + f / 700) (O'Shaughnessy 1987); ``slaney``: linear below 1 kHz and logarithmic
            above (Slaney's Auditory Toolbox, 1998).
    """
    hz = np.asarray(frequency_hz, dtype=np.float64)
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))
    linear = hz / _SLANEY_LINEAR_HZ_PER_MEL
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ_PER_MEL
    logarithmic = break_mel + np.log(np.maximum(hz, 1e-10) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_BREAK_HZ, linear, logarithmic)


def mel_to_hz(mel: npt.ArrayLike, *, scale: MelScale = "htk") -> npt.NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    mels = np.asarray(mel, dtype=np.float64)
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (mels / 2595.0) - 1.0))
    break_mel = _SLANEY_BREAK_HZ / _SLANEY_LINEAR_HZ_PER_MEL
    logarithmic = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (mels - break_mel))
    return np.where(mels < break_mel, mels * _SLANEY_LINEAR_HZ_PER_MEL, logarithmic)


def mel_centres_hz(*, n_mels: int, fmin_hz: float, fmax_hz: float, scale: MelScale = "htk") -> npt.NDArray[np.float64]:
    """Centre frequency of each of `n_mels` bands, Hz, shape [n_mels]."""
    return _mel_edges_hz(n_mels, fmin_hz, fmax_hz, scale)[1:-1]


def mel(
    *,
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin_hz: float,
    fmax_hz: float,
    scale: MelScale = "htk",
    area_normalised: bool = False,
) -> npt.NDArray[np.float32]:
    """Triangular mel filters over the bins of a real FFT (Davis and Mermelstein 1980).

    Args:
        sample_rate: Hz.
        n_fft: length of the transform, samples.
        n_mels: number of bands.
        fmin_hz: lower edge of the first band.
        fmax_hz: upper edge of the last band.
        scale: see `hz_to_mel`.
        area_normalised: scale each triangle to unit area in Hz (librosa's ``norm="slaney"``) instead of unit height.

    Returns:
        Weights, shape [n_mels, n_fft // 2 + 1].

    Raises:
        ConfigurationError: a range that the sampling rate cannot hold, or so many bands that one would be empty.
    """
    check_range(fmin_hz, fmax_hz, sample_rate)
    edges_hz = _mel_edges_hz(n_mels, fmin_hz, fmax_hz, scale)
    weights = _triangles(edges_hz, sample_rate=sample_rate, n_fft=n_fft, field="n_mels")
    if area_normalised:
        weights *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    return weights.astype(np.float32)


def linear(*, sample_rate: int, n_fft: int, n_bands: int, fmin_hz: float, fmax_hz: float) -> npt.NDArray[np.float32]:
    """Triangular filters of unit height, evenly spaced in Hz, over the bins of a real FFT.

    Arguments, result and errors are those of `mel`: weights [n_bands, n_fft // 2 + 1].
    """
    check_range(fmin_hz, fmax_hz, sample_rate)
    edges_hz = np.linspace(fmin_hz, fmax_hz, n_bands + 2)
    return _triangles(edges_hz, sample_rate=sample_rate, n_fft=n_fft, field="n_bands").astype(np.float32)


def linear_centres_hz(*, n_bands: int, fmin_hz: float, fmax_hz: float) -> npt.NDArray[np.float64]:
    """Centre frequency of each of `n_bands` linear bands, Hz, shape [n_bands]."""
    return np.linspace(fmin_hz, fmax_hz, n_bands + 2)[1:-1]


def check_range(fmin_hz: float, fmax_hz: float, sample_rate: int) -> None:
    """Raise `ConfigurationError` for a range of frequencies that is empty or that the sampling rate cannot hold."""
    nyquist_hz = sample_rate / 2
    if not 0 <= fmin_hz < fmax_hz:
        raise ConfigurationError(f"fmin_hz={fmin_hz:g}: must be at least 0 and below fmax_hz={fmax_hz:g}")
    if fmax_hz > nyquist_hz:
        raise ConfigurationError(f"fmax_hz={fmax_hz:g}: above half the sample rate; choose at most {nyquist_hz:g}")


def _triangles(
    edges_hz: npt.NDArray[np.float64], *, sample_rate: int, n_fft: int, field: str
) -> npt.NDArray[np.float64]:
    """Triangle b rises from edge b to edge b + 1 and falls to edge b + 2."""
    bins_hz = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    widths_hz = np.diff(edges_hz)
    distance_hz = edges_hz[:, None] - bins_hz[None, :]
    rising = -distance_hz[:-2] / widths_hz[:-1, None]
    falling = distance_hz[2:] / widths_hz[1:, None]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    empty = np.flatnonzero(weights.sum(axis=1) == 0)
    if empty.size:
        raise ConfigurationError(
            f"{field}={len(weights)}: band {empty[0]} holds no bin of a {n_fft}-point transform; "
            "choose fewer bands, a longer n_fft or a higher fmin_hz"
        )
    return np.asarray(weights)


def _mel_edges_hz(n_mels: int, fmin_hz: float, fmax_hz: float, scale: MelScale) -> npt.NDArray[np.float64]:
    low, high = hz_to_mel(fmin_hz, scale=scale), hz_to_mel(fmax_hz, scale=scale)
    return mel_to_hz(np.linspace(low, high, n_mels + 2), scale=scale)
