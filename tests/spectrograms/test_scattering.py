"""Wavelet scattering beside the paper's formulas in float64, sample by sample at the full rate."""

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from numpy.typing import NDArray

from emogram.errors import ConfigurationError
from emogram.spectrograms import SPECTROGRAMS

RATE = 16_000
TOLERANCE = 2e-4
"""Largest difference from the formulas, in parts of the largest value."""

FIELDS: dict[str, Any] = {
    "fmin_hz": 300.0,
    "n_bins": 20,
    "bins_per_octave": 5,
    "rates_hz": (16.0, 40.0),
    "inner_hop_ms": 1.0,
}
Array = NDArray[Any]


def sound(samples: int = 6_000) -> Array:
    """A tone that beats 40 times a second, a rising one, and noise."""
    time_s = np.arange(samples) / RATE
    beating = (1 + 0.9 * np.sin(2 * np.pi * 40 * time_s)) * np.sin(2 * np.pi * 800 * time_s)
    rising = np.sin(2 * np.pi * (1500 * time_s + 1200 * time_s**2))
    noise = np.random.default_rng(0).standard_normal(samples)
    return np.asarray(0.2 * beating + 0.1 * rising + 0.01 * noise, dtype=np.float32)


def picture(wave: Array, **fields: Any) -> Array:
    """[C, F, N]"""
    with torch.no_grad():
        spec = SPECTROGRAMS["scattering"].model_validate({**FIELDS, **fields}).build(RATE)(torch.from_numpy(wave)[None])
    values: Array = spec[0].double().numpy()
    return values


def gaussian(width: float) -> Array:
    reach = int(6 * width)
    values = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.asarray(values / values.sum())


def width_s(hertz: float, per_octave: float, longest_s: float) -> float:
    """Gaussians over frequency that meet the next lower one where both have fallen to the root of a half."""
    step = 2 ** (-1 / per_octave)
    deviation_hz = hertz * (1 - step) / (1 + step) / np.sqrt(2 * np.log(np.sqrt(2)))
    return float(min(1 / (2 * np.pi * deviation_hz), longest_s))


def modulus(wave: Array, hertz: float, per_octave: float, rate: float) -> Array:
    shape = gaussian(width_s(hertz, per_octave, 0.04) * rate)
    places = np.arange(shape.size) - shape.size // 2
    wavelet = shape * np.exp(2j * np.pi * hertz * places / rate)
    wavelet -= shape * wavelet.sum()
    return np.asarray(np.abs(scipy.signal.fftconvolve(wave, wavelet, "same")))


def formulas(wave: Array, inner: int = 16, step: int = 20) -> Array:
    """First order and second, not divided, [C, F, N]; moduli at the full rate, then every `inner` samples."""
    beyond = 1000 * inner
    padded = np.pad(wave.astype(np.float64), beyond)
    average = gaussian(0.04 * RATE / inner)
    channels: list[list[Array]] = [[], [], []]
    for band in range(20):
        moduli = modulus(padded, 300 * 2 ** (band / 5), 5, RATE)[::inner]
        paths = [moduli, *(modulus(moduli, hertz, 1, RATE / inner) for hertz in FIELDS["rates_hz"])]
        for channel, path in zip(channels, paths, strict=True):
            smooth = scipy.signal.fftconvolve(path, average, "same")[1000:]
            channel.append(smooth[::step][: 1 + wave.size // (inner * step)])
    return np.array(channels)


def test_both_orders_are_the_papers() -> None:
    expected = formulas(sound())
    given = picture(sound(), compression="none", relative=False)
    assert given.shape == expected.shape
    for mine, theirs in zip(given, expected, strict=True):
        assert np.abs(mine - theirs).max() < TOLERANCE * theirs.max()


def test_the_second_order_is_told_as_a_part_of_the_first_in_logarithms() -> None:
    first, *second = formulas(sound())
    floor = 1e-4
    expected = np.log(np.stack([first, *(order / (first + floor) for order in second)]) + floor)
    assert np.abs(picture(sound()) - expected).max() < 0.02


def test_a_sine_gives_half_its_amplitude_and_its_beat_is_seen() -> None:
    time_s = np.arange(RATE) / RATE
    steady = 0.5 * np.sin(2 * np.pi * 1200 * time_s)
    beating = (1 + 0.8 * np.sin(2 * np.pi * 40 * time_s)) * steady
    of_steady, of_beating = (
        picture(np.asarray(wave, dtype=np.float32), compression="none")[:, 10, 20:30].mean(axis=1)
        for wave in (steady, beating)
    )
    assert of_steady[0] == pytest.approx(0.25, rel=0.01)
    assert of_steady[1:].max() < 1e-3
    # Half of 0.8, as it is one of two sidebands; the rate an octave below is a neighbour.
    assert of_beating[2] == pytest.approx(0.4, rel=0.1)
    assert of_beating[2] > 2 * of_beating[1]


def test_without_rates_there_is_the_first_order_alone() -> None:
    full, alone = picture(sound(), compression="none"), picture(sound(), rates_hz=(), compression="none")
    assert alone.shape[0] == 1
    np.testing.assert_allclose(alone[0], full[0], atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hop_ms": 20.5}, "hop_ms=20.5: no multiple of inner_hop_ms=1; choose one that is"),
        ({"hop_ms": 0.5}, "hop_ms=0.5: no multiple of inner_hop_ms=1; choose one that is"),
        (
            {"rates_hz": (300.0,)},
            "rates_hz: 300 is above a quarter of the 1000 moduli a second; choose a shorter inner_hop_ms",
        ),
    ],
)
def test_steps_that_cannot_be_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        picture(sound(), **fields)
    assert str(refusal.value) == message
