"""Acoustic measurements on synthetic speech, compared with what the cited literature says of each emotion."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emogram.audio import SAMPLE_RATE
from emogram.corpora.voices import PROFILES, SENTENCES, draw_voice, speak

Samples = NDArray[np.float64]


def pitch_hz(wave: Samples) -> float:
    """The median over the louder frames of the strongest period between 70 and 400 Hz, by autocorrelation."""
    shortest, longest = SAMPLE_RATE // 400, SAMPLE_RATE // 70
    frames = np.lib.stride_tricks.sliding_window_view(wave, 1024)[::256]
    power = (frames**2).mean(axis=1)
    window = np.hanning(1024)
    spectra = np.abs(np.fft.rfft(frames[power > np.median(power)] * window, 4096)) ** 2
    taper = np.fft.irfft(np.abs(np.fft.rfft(window, 4096)) ** 2)[shortest:longest]
    periods = shortest + (np.fft.irfft(spectra)[:, shortest:longest] / taper).argmax(axis=1)
    return float(np.median(SAMPLE_RATE / periods))


def level_db(wave: Samples) -> float:
    return float(10 * np.log10(np.mean(wave**2)))


def brightness(wave: Samples) -> float:
    """The part of the power above 1 kHz."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float(power[len(power) // 8 :].sum() / power.sum())


@pytest.fixture(scope="module")
def means() -> dict[str, dict[str, float]]:
    """Means over four women and four men, two sentences each."""
    table: dict[str, dict[str, float]] = {}
    for emotion in PROFILES:
        waves = [
            speak(draw_voice(np.random.default_rng(speaker), female=speaker % 2 == 0), emotion, vowels, rng)
            for speaker in range(8)
            for vowels in [*SENTENCES.values()][:2]
            for rng in [np.random.default_rng([speaker, *vowels.encode()])]
        ]
        table[emotion] = {
            "pitch": float(np.mean([np.log2(pitch_hz(wave)) for wave in waves])),
            "level": float(np.mean([level_db(wave) for wave in waves])),
            "bright": float(np.mean([brightness(wave) for wave in waves])),
            "length": float(np.mean([len(wave) for wave in waves])),
        }
    return table


@pytest.mark.parametrize(
    ("cue", "more", "less"),
    [
        ("pitch", ("happy", "angry", "fearful"), ("neutral",)),
        ("pitch", ("neutral",), ("sad", "disgust")),
        ("level", ("angry", "happy"), ("neutral",)),
        ("level", ("neutral",), ("sad",)),
        ("bright", ("angry",), ("neutral", "sad", "fearful")),
        ("length", ("sad", "disgust"), ("neutral",)),
        ("length", ("neutral",), ("happy", "angry", "fearful")),
    ],
)
def test_emotions_differ_as_in_the_literature(
    means: dict[str, dict[str, float]], cue: str, more: tuple[str, ...], less: tuple[str, ...]
) -> None:
    assert min(means[emotion][cue] for emotion in more) > max(means[emotion][cue] for emotion in less)


def test_women_speak_higher_than_men() -> None:
    rng = np.random.default_rng
    women, men = (
        [pitch_hz(speak(draw_voice(rng(s), female=female), "neutral", "aeioua", rng(s))) for s in range(6)]
        for female in (True, False)
    )
    assert min(women) > max(men)


def test_a_take_is_finite_and_within_full_scale() -> None:
    for emotion in PROFILES:
        wave = speak(draw_voice(np.random.default_rng(1), female=True), emotion, "aeiou", np.random.default_rng(2))
        assert np.isfinite(wave).all()
        assert 0.05 < np.abs(wave).max() < 1
