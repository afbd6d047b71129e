"""Waves to augment, and what is measured on them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from emogram.augmentation.recordings import Recordings
from emogram.augmentation.waveform import Scene, Wave

RATE = 16_000
SCENE = Scene(RATE, Recordings(RATE))


def tone(frequency_hz: float = 440.0, *, samples: int = RATE) -> Wave:
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / RATE)).astype(np.float32)


def noise(samples: int, seed: int = 0) -> Wave:
    return np.asarray(0.1 * np.random.default_rng(seed).standard_normal(samples), np.float32)


def pitch_hz(wave: Wave) -> float:
    """Of a tone: the slope of its phase, by least squares over the middle of the analytic signal."""
    spectrum = np.fft.fft(wave.astype(np.float64))
    spectrum[len(wave) // 2 :] = 0
    phase = np.unwrap(np.angle(np.fft.ifft(spectrum)))
    middle = np.arange(len(wave) // 8, 7 * len(wave) // 8)
    return float(np.polyfit(middle, phase[middle], 1)[0] * RATE / (2 * np.pi))


def cents(measured_hz: float, expected_hz: float) -> float:
    return float(1200 * np.log2(measured_hz / expected_hz))


def power(wave: npt.NDArray[Any]) -> float:
    return float(np.mean(np.square(wave, dtype=np.float64)))


def snr_db(wave: Wave, noisy: Wave) -> float:
    """Of what was added, as the samples have it."""
    return 10 * float(np.log10(power(wave) / power(noisy.astype(np.float64) - wave)))


def gain_at(frequency_hz: float, heard: Wave, sent: Wave) -> float:
    """Gain in dB at one frequency, by projection on it, away from the ends."""
    middle = slice(len(sent) // 8, 7 * len(sent) // 8)
    probe = np.exp(-2j * np.pi * frequency_hz * np.arange(len(sent)) / RATE)[middle]
    window = np.hanning(len(probe))
    return float(20 * np.log10(abs(heard[middle] @ (probe * window)) / abs(sent[middle] @ (probe * window))))
