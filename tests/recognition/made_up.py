"""Sound that a detector of voice takes for one: syllables of harmonics, with pauses."""

import numpy as np

from emogram.audio import Wave

RATE = 16_000


def syllables(seconds: float, level: float = 0.2, *, rate: int = RATE, top_hz: float = 7000, seed: int = 0) -> Wave:
    """Harmonics of about 150 Hz up to `top_hz`, four syllables a second, each as loud as the others."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(150 + 15 * np.sin(2 * np.pi * 0.7 * time)) / rate
    wave = np.zeros(len(time))
    for n in range(1, int(top_hz / 165)):
        wave += np.sin(n * phase + rng.uniform(0, 6)) / n
    envelope = np.clip(np.sin(2 * np.pi * 4 * time) * 1.5, 0, 1) ** 0.5
    shaped = wave * envelope
    return np.asarray(level * shaped / np.abs(shaped).max(), dtype=np.float32)


def silence(seconds: float, rate: int = RATE) -> Wave:
    """A hiss 90 dB below full scale, as a quiet room is recorded."""
    return noise(seconds, 3e-5, rate=rate)


def noise(seconds: float, level: float = 0.1, *, rate: int = RATE, seed: int = 0) -> Wave:
    """White noise with this root mean square."""
    return np.random.default_rng(seed).normal(0, level, round(seconds * rate)).astype(np.float32)


def spoken(*pauses_s: float, level: float = 0.2, speech_s: float = 2.0) -> Wave:
    """Speech of `speech_s` seconds before, between and after pauses of these lengths."""
    parts = [syllables(speech_s, level)]
    for pause_s in pauses_s:
        parts += [silence(pause_s), syllables(speech_s, level)]
    return np.concatenate(parts)
