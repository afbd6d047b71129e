"""Constant-Q and wavelet types beside inner products written out in float64, and beside librosa."""

import itertools
from typing import Any

import librosa
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from emogram import filterbanks
from emogram.errors import ConfigurationError
from emogram.spectrograms import SPECTROGRAMS

RATE, HOP = 16_000, 160

TOLERANCE = 2e-3
"""Largest difference of a magnitude from the full-rate inner product, in parts of the largest; halving costs this."""

LIBROSA_RMS_TOLERANCE = 0.06
"""The same from librosa, root mean square: its windows have whole numbers of samples at each rate, and it drops the
smallest hundredth of each filter's spectrum."""


def noise(samples: int = 20_000) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def magnitudes(name: str, sound: NDArray[np.float32], sample_rate: int = RATE, **fields: Any) -> NDArray[np.float64]:
    settings = SPECTROGRAMS[name].model_validate({"compression": "none", **fields})
    spec = settings.build(sample_rate)(torch.from_numpy(sound)[None])
    return np.asarray(np.sqrt(spec[0, 0].double().numpy()))


def inner_product(sound: NDArray[np.float32], kernel: NDArray[np.complex128], middle: int) -> float:
    reach = len(kernel) // 2
    padded = np.pad(sound.astype(np.float64), (reach, reach + 1))
    return float(np.abs((padded[middle : middle + len(kernel)] * kernel).sum()))


def hann_kernel(frequency_hz: float, length: float, sample_rate: int = RATE) -> NDArray[np.complex128]:
    time = np.arange(-int(length / 2), int(length / 2) + 1)
    window = 0.5 + 0.5 * np.cos(2 * np.pi * time / length)
    # librosa's scale: a window that sums to one, times the root of its length.
    return np.asarray(2 / np.sqrt(length) * window * np.exp(-2j * np.pi * frequency_hz / sample_rate * time))


def morlet_kernel(frequency_hz: float) -> NDArray[np.complex128]:
    """Torrence and Compo 1998: unit energy, omega_0 = 6, one sample for dt."""
    scale = 6 * RATE / (2 * np.pi * frequency_hz)
    time = np.arange(-int(8 * scale), int(8 * scale) + 1) / scale
    return np.asarray(np.pi**-0.25 * scale**-0.5 * np.exp(-6j * time) * np.exp(-(time**2) / 2))


@pytest.mark.parametrize("name", ["cqt", "vqt", "scalogram"])
def test_values_are_the_inner_products(name: str) -> None:
    sound = noise()
    given = magnitudes(name, sound)
    centres_hz = 55 * 2 ** (np.arange(len(given)) / 12)
    step = 2 ** (2 / 12)
    width = (step - 1) / (step + 1)
    gamma_hz = 20 if name == "vqt" else 0
    expected, found = [], []
    for row, frame in itertools.product(range(0, len(given), 5), (0, 1, 40, 77, 124, 125)):
        hertz = centres_hz[row]
        kernel = morlet_kernel(hertz) if name == "scalogram" else hann_kernel(hertz, RATE / (width * hertz + gamma_hz))
        expected.append(inner_product(sound, kernel, frame * HOP))
        found.append(given[row, frame])
    assert np.abs(np.subtract(found, expected)).max() < TOLERANCE * max(expected)


@pytest.mark.parametrize("name", ["cqt", "vqt"])
def test_values_are_near_librosas(name: str) -> None:
    sound = noise(40_000)
    librosas = librosa.cqt if name == "cqt" else librosa.vqt
    more: dict[str, Any] = {} if name == "cqt" else {"gamma": 20.0}
    theirs = np.abs(
        librosas(sound, sr=RATE, hop_length=HOP, fmin=55.0, n_bins=84, bins_per_octave=12, pad_mode="constant", **more)
    )
    given = magnitudes(name, sound)
    assert given.shape == theirs.shape
    assert np.sqrt(np.mean((given - theirs) ** 2) / np.mean(theirs**2)) < LIBROSA_RMS_TOLERANCE


@pytest.mark.parametrize("hop_ms", [10.0, 9.9375, 8.0])
def test_the_hop_changes_how_often_but_not_what(hop_ms: float) -> None:
    """159 samples cannot be halved at all, 160 five times, 128 seven times."""
    hop = round(hop_ms * RATE / 1000)
    sound = noise(6000)
    given = magnitudes("cqt", sound, hop_ms=hop_ms)
    assert given.shape[1] == 1 + 6000 // hop
    step = 2 ** (2 / 12)
    for row, frame in ((0, 3), (30, 11), (60, 20), (83, given.shape[1] - 1)):
        hertz = 55 * 2 ** (row / 12)
        expected = inner_product(sound, hann_kernel(hertz, RATE * (step + 1) / (step - 1) / hertz), frame * hop)
        assert given[row, frame] == pytest.approx(expected, abs=TOLERANCE * given.max())


@pytest.mark.parametrize("name", ["cqt", "vqt", "scalogram"])
def test_a_tone_is_in_its_bin(name: str) -> None:
    for row in (3, 24, 47, 70):
        hertz = 55 * 2 ** (row / 12)
        tone = (0.1 * np.sin(2 * np.pi * hertz * np.arange(16_000) / RATE)).astype(np.float32)
        assert abs(int(magnitudes(name, tone)[:, 50].argmax()) - row) <= (0 if name == "cqt" else 1)


def test_other_rates_give_the_same_bins() -> None:
    time_s = np.arange(44_100) / 44_100
    tone = (0.1 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    assert int(magnitudes("cqt", tone, 44_100)[:, 50].argmax()) == 36


def test_chroma_is_librosas_fold() -> None:
    sound = noise(12_000)
    front_end = SPECTROGRAMS["chroma_cqt"].model_validate({"floor": 1e-7}).build(RATE)
    given = front_end(torch.from_numpy(sound)[None])[0, 0].numpy()
    expected = librosa.feature.chroma_cqt(
        C=magnitudes("cqt", sound), sr=RATE, hop_length=HOP, fmin=55.0, bins_per_octave=12, n_octaves=7, threshold=0.0
    )
    assert np.abs(given - expected).max() < 1e-4


@pytest.mark.parametrize(("bins_per_octave", "fmin_hz"), [(12, 55.0), (24, 55.0), (36, 32.7032), (12, 65.4064)])
def test_fold_is_librosas(bins_per_octave: int, fmin_hz: float) -> None:
    given = filterbanks.fold_octaves(n_bins=60, bins_per_octave=bins_per_octave, fmin_hz=fmin_hz)
    expected = librosa.filters.cq_to_chroma(60, bins_per_octave=bins_per_octave, fmin=fmin_hz)
    assert np.array_equal(given, expected)


def test_fold_needs_whole_semitones() -> None:
    with pytest.raises(ConfigurationError, match=r"^bins_per_octave=20: .*choose 12, 24 or 36$"):
        SPECTROGRAMS["chroma_cqt"].model_validate({"bins_per_octave": 20}).build(RATE)
