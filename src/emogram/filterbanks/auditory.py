"""Filters after the ear: critical bands on the Bark scale, and gammatone filters on the ERB-rate scale."""

import numpy as np
import numpy.typing as npt

from emogram.errors import ConfigurationError
from emogram.filterbanks.triangular import check_range

_GAMMATONE_ORDER = 4
_GAMMATONE_WIDTH = 1.019
_ERB_RATE = 21.4
_ERB_PER_HZ = 0.00437
_QUARTER = 0.25


def hz_to_bark(frequency_hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Frequency in Hz on the Bark scale, 6 asinh(f / 600) (Schroeder 1977, as in Hermansky 1990). Any shape."""
    return np.asarray(6.0 * np.arcsinh(np.asarray(frequency_hz, dtype=np.float64) / 600.0))


def bark_centres_hz(*, n_bands: int, fmin_hz: float, fmax_hz: float) -> npt.NDArray[np.float64]:
    """Centres of `n_bands` bands evenly spaced in Bark from `fmin_hz` to `fmax_hz`, both included. Hz."""
    return np.asarray(600.0 * np.sinh(np.linspace(hz_to_bark(fmin_hz), hz_to_bark(fmax_hz), n_bands) / 6.0))


def bark(*, sample_rate: int, n_fft: int, n_bands: int, fmin_hz: float, fmax_hz: float) -> npt.NDArray[np.float32]:
    """Critical-band masking curves over the bins of a real FFT (Hermansky 1990, PLP).

    A curve is flat over one Bark, falls by 25 dB a Bark below and by 10 dB a Bark above, and ends 1.3 Bark below and
    2.5 Bark above its centre. Its width is that of hearing whatever `n_bands` is, so that many bands overlap.

    Args:
        sample_rate: Hz.
        n_fft: length of the transform, samples.
        n_bands: number of bands.
        fmin_hz: centre of the first band.
        fmax_hz: centre of the last band.

    Returns:
        Weights, shape [n_bands, n_fft // 2 + 1].

    Raises:
        ConfigurationError: a range that the sampling rate cannot hold, or a band that holds no bin.
    """
    check_range(fmin_hz, fmax_hz, sample_rate)
    centres = hz_to_bark(bark_centres_hz(n_bands=n_bands, fmin_hz=fmin_hz, fmax_hz=fmax_hz))
    distance = hz_to_bark(np.arange(n_fft // 2 + 1) * sample_rate / n_fft)[None, :] - centres[:, None]
    exponent = np.minimum(0.0, np.minimum(2.5 * (distance + 0.5), 0.5 - distance))
    weights = np.where((distance >= -1.3) & (distance <= 2.5), 10.0**exponent, 0.0)
    _refuse_empty(weights.max(axis=1) > 0, n_fft)
    return weights.astype(np.float32)


def erb_hz(frequency_hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Equivalent rectangular bandwidth of hearing at a frequency, 24.7 (4.37 f / 1000 + 1) Hz (Glasberg and Moore 1990)."""
    return np.asarray(24.7 * (_ERB_PER_HZ * np.asarray(frequency_hz, dtype=np.float64) + 1.0))


def gammatone_centres_hz(*, n_bands: int, fmin_hz: float, fmax_hz: float) -> npt.NDArray[np.float64]:
    """Centres of `n_bands` bands evenly spaced in ERB rate from `fmin_hz` to `fmax_hz`, both included. Hz."""
    low, high = (_ERB_RATE * np.log10(1.0 + _ERB_PER_HZ * edge_hz) for edge_hz in (fmin_hz, fmax_hz))
    return np.asarray((10.0 ** (np.linspace(low, high, n_bands) / _ERB_RATE) - 1.0) / _ERB_PER_HZ)


def gammatone(*, sample_rate: int, n_fft: int, n_bands: int, fmin_hz: float, fmax_hz: float) -> npt.NDArray[np.float32]:
    """Power responses of fourth-order gammatone filters over the bins of a real FFT (Patterson et al. 1992).

    The power of a band is the sum of |X|² |H|², with |H|² = (1 + ((f - f_c) / 1.019 ERB(f_c))²)^-4, 1 at the centre: what
    the filter would let through of the frame, without running the filter.

    Arguments, result and errors are those of `bark`; a band is called empty where no bin lies above a quarter of its peak.
    """
    check_range(fmin_hz, fmax_hz, sample_rate)
    centres_hz = gammatone_centres_hz(n_bands=n_bands, fmin_hz=fmin_hz, fmax_hz=fmax_hz)
    distance_hz = np.arange(n_fft // 2 + 1)[None, :] * sample_rate / n_fft - centres_hz[:, None]
    widths_hz = _GAMMATONE_WIDTH * erb_hz(centres_hz)[:, None]
    weights = (1.0 + (distance_hz / widths_hz) ** 2) ** -float(_GAMMATONE_ORDER)
    _refuse_empty(weights.max(axis=1) >= _QUARTER, n_fft)
    return weights.astype(np.float32)


def _refuse_empty(filled: npt.NDArray[np.bool_], n_fft: int) -> None:
    empty = np.flatnonzero(~filled)
    if empty.size:
        raise ConfigurationError(
            f"n_fft={n_fft}: band {empty[0]} of n_bands={len(filled)} holds no bin; choose a longer n_fft or a higher fmin_hz"
        )
