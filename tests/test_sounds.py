"""Noise has its colour, and what is mixed has its ratio."""

import numpy as np
import pytest

from emogram.sounds import Colour, coloured, mixed, power

RATE = 16_000


@pytest.mark.parametrize(("colour", "slope_db"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_noise_falls_by_its_slope_an_octave(colour: Colour, slope_db: float) -> None:
    made = coloured(20 * RATE, colour, np.random.default_rng(0), sample_rate=RATE)
    assert power(made) == pytest.approx(1.0, rel=0.02 if colour != "brown" else 0.3)
    density = np.abs(np.fft.rfft(made)) ** 2
    hz = np.fft.rfftfreq(len(made), 1 / RATE)
    octaves = [density[(hz >= low) & (hz < 2 * low)].mean() for low in (62.5, 125, 250, 500, 1000, 2000, 4000)]
    slopes = np.diff(10 * np.log10(octaves))
    np.testing.assert_allclose(slopes, slope_db, atol=0.6)


@pytest.mark.parametrize("snr_db", [-20.0, 0.0, 10.0, 40.0])
def test_what_is_mixed_has_the_ratio(snr_db: float) -> None:
    rng = np.random.default_rng(0)
    wave, sound = (rng.normal(0, level, RATE).astype(np.float32) for level in (0.2, 3.0))
    added = mixed(wave, sound, snr_db=snr_db) - wave
    assert 10 * np.log10(power(wave) / power(added)) == pytest.approx(snr_db, abs=0.1)


def test_silence_and_silent_sounds_change_nothing() -> None:
    wave, silence = np.ones(100, np.float32), np.zeros(100, np.float32)
    np.testing.assert_array_equal(mixed(silence, wave, snr_db=0), silence)
    np.testing.assert_array_equal(mixed(wave, silence, snr_db=0), wave)
