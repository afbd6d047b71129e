"""Augmentations of waves do what they say, by measurement, and are drawn apart from being applied."""

import hashlib
import subprocess
import sys
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st
from pydantic import ValidationError

from emogram.augmentation import waveform
from emogram.augmentation.waveform import Wave, WaveformDraw, WaveformSettings

RATE = 16_000
NOTHING = WaveformDraw(speed=1.0, gain_db=0.0, noise_snr_db=None, noise_seed=0, crop=0.0)
OFF = WaveformSettings(speed=0, gain_db=0, noise_probability=0)
EVERYTHING = WaveformSettings(speed=0.4, gain_db=40, noise_probability=1, noise_snr_db=(-100, 100))

SEARCH = search(deadline=None, max_examples=50)

DRAW_AND_APPLY = """
import hashlib
import numpy as np
from emogram.augmentation import waveform
settings = waveform.WaveformSettings(noise_probability=1)
drawn = waveform.draw(settings, np.random.default_rng(7))
wave = np.sin(np.arange(4000) / 5).astype(np.float32)
print(drawn)
print(hashlib.sha256(waveform.apply(wave, drawn, sample_rate=16_000).tobytes()).hexdigest())
"""


def tone(frequency_hz: float = 440.0, *, samples: int = RATE) -> Wave:
    return (0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / RATE)).astype(np.float32)


def pitch_hz(wave: Wave) -> float:
    """Of a tone: the slope of its phase, by least squares over the middle of the analytic signal."""
    spectrum = np.fft.fft(wave.astype(np.float64))
    spectrum[len(wave) // 2 :] = 0
    phase = np.unwrap(np.angle(np.fft.ifft(spectrum)))
    middle = np.arange(len(wave) // 4, 3 * len(wave) // 4)
    return float(np.polyfit(middle, phase[middle], 1)[0] * RATE / (2 * np.pi))


def power(wave: np.ndarray) -> float:
    return float(np.mean(np.square(wave, dtype=np.float64)))


@pytest.mark.parametrize("snr_db", [-100.0, -5.0, 0.0, 10.0, 30.0, 60.0])
@pytest.mark.parametrize("samples", [160, RATE])
def test_signal_to_noise_ratio_is_the_one_drawn(snr_db: float, samples: int) -> None:
    wave = tone(samples=samples)
    noisy = waveform.apply(wave, replace(NOTHING, noise_snr_db=snr_db, noise_seed=3), sample_rate=RATE)
    measured_db = 10 * np.log10(power(wave) / power(noisy.astype(np.float64) - wave))
    assert measured_db == pytest.approx(snr_db, abs=0.1)


def test_noise_is_white_and_another_for_another_seed() -> None:
    wave = np.zeros(RATE, np.float32)
    wave[::100] = 1.0
    first, second = (
        waveform.apply(wave, replace(NOTHING, noise_snr_db=0.0, noise_seed=seed), sample_rate=RATE) - wave
        for seed in (1, 2)
    )
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    bands = (np.abs(np.fft.rfft(first)[1:]) ** 2).reshape(8, -1).mean(axis=1)
    assert bands.max() / bands.min() < 1.3


def test_noise_follows_the_gain() -> None:
    """The ratio holds after both, in whatever order."""
    wave = tone()
    drawn = replace(NOTHING, gain_db=12.0, noise_snr_db=10.0)
    louder = waveform.apply(wave, replace(drawn, noise_snr_db=None), sample_rate=RATE)
    noisy = waveform.apply(wave, drawn, sample_rate=RATE)
    assert 10 * np.log10(power(louder) / power(noisy - louder)) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("speed", [0.525, 0.85, 0.9, 0.975, 1.025, 1.1, 1.15, 1.475])
def test_speed_changes_duration_and_pitch_by_its_factor(speed: float) -> None:
    wave = tone(440.0)
    changed = waveform.apply(wave, replace(NOTHING, speed=speed), sample_rate=RATE)
    assert changed.dtype == np.float32
    assert len(changed) == pytest.approx(len(wave) / speed, rel=0.01)
    cents = 1200 * np.log2(pitch_hz(changed) / (440.0 * speed))
    assert abs(cents) < 5
    assert power(changed) == pytest.approx(power(wave), rel=0.02)


@pytest.mark.parametrize("gain_db", [-40.0, -6.0, 0.0, 6.0, 40.0])
def test_gain_is_exact(gain_db: float) -> None:
    wave = tone()
    changed = waveform.apply(wave, replace(NOTHING, gain_db=gain_db), sample_rate=RATE)
    np.testing.assert_allclose(changed, wave.astype(np.float64) * 10 ** (gain_db / 20), rtol=1e-6)


@pytest.mark.parametrize(
    "drawn",
    [
        NOTHING,
        replace(NOTHING, speed=0.9),
        replace(NOTHING, gain_db=6.0),
        replace(NOTHING, noise_snr_db=5.0),
        WaveformDraw(speed=1.1, gain_db=-3.0, noise_snr_db=10.0, noise_seed=1, crop=0.5),
    ],
    ids=["nothing", "speed", "gain", "noise", "all"],
)
def test_the_input_is_left_as_it_was(drawn: WaveformDraw) -> None:
    wave = tone()
    wave.flags.writeable = False
    before = wave.copy()
    changed = waveform.apply(wave, drawn, sample_rate=RATE)
    np.testing.assert_array_equal(wave, before)
    assert not np.shares_memory(changed, wave)


@SEARCH
@given(seed=st.integers(0, 2**32))
def test_zero_settings_are_the_identity(seed: int) -> None:
    drawn = waveform.draw(OFF, np.random.default_rng(seed))
    wave = tone(samples=400)
    np.testing.assert_array_equal(waveform.apply(wave, drawn, sample_rate=RATE), wave)


@SEARCH
@given(seed=st.integers(0, 2**32), samples=st.integers(1, 300))
def test_the_extremes_of_every_range_are_finite(seed: int, samples: int) -> None:
    drawn = waveform.draw(EVERYTHING, np.random.default_rng(seed))
    for wave in (tone(samples=samples), np.zeros(samples, np.float32), np.ones(samples, np.float32)):
        changed = waveform.apply(wave, drawn, sample_rate=RATE)
        assert changed.dtype == np.float32
        assert abs(len(changed) - samples / drawn.speed) <= 1
        assert np.isfinite(changed).all()


def test_silence_stays_silent() -> None:
    drawn = replace(NOTHING, speed=0.9, gain_db=6.0, noise_snr_db=0.0)
    assert not waveform.apply(np.zeros(1000, np.float32), drawn, sample_rate=RATE).any()


@SEARCH
@given(seed=st.integers(0, 2**32))
def test_draws_keep_to_their_ranges(seed: int) -> None:
    settings = WaveformSettings(speed=0.15, gain_db=6, noise_probability=1, noise_snr_db=(10, 40))
    drawn = waveform.draw(settings, np.random.default_rng(seed))
    assert 0.85 - 1e-9 <= drawn.speed <= 1.15 + 1e-9
    steps = drawn.speed / 0.025
    assert steps == pytest.approx(round(steps), abs=1e-9)
    assert -6 <= drawn.gain_db <= 6
    assert drawn.noise_snr_db is not None
    assert 10 <= drawn.noise_snr_db <= 40
    assert 0 <= drawn.crop < 1


def test_draws_fill_their_ranges() -> None:
    settings = WaveformSettings(speed=0.15, gain_db=6, noise_probability=0.5, noise_snr_db=(10, 40))
    rng = np.random.default_rng(0)
    drawn = [waveform.draw(settings, rng) for _ in range(800)]
    assert {round(each.speed / 0.025) for each in drawn} == set(range(34, 47))
    assert min(each.gain_db for each in drawn) < -5.8
    assert max(each.gain_db for each in drawn) > 5.8
    ratios = [each.noise_snr_db for each in drawn if each.noise_snr_db is not None]
    assert 340 < len(ratios) < 460
    assert min(ratios) < 11
    assert max(ratios) > 39
    assert len({each.noise_seed for each in drawn}) == len(drawn)


@SEARCH
@given(seed=st.integers(0, 2**32), speed=st.floats(0, 0.49), chance=st.floats(0, 1))
def test_a_draw_takes_the_same_number_of_values_whatever_they_are(seed: int, speed: float, chance: float) -> None:
    rngs = [np.random.default_rng(seed) for _ in range(3)]
    settings = WaveformSettings(speed=speed, noise_probability=chance)
    for rng, chosen in zip(rngs, (OFF, EVERYTHING, settings), strict=True):
        waveform.draw(chosen, rng)
    assert len({rng.random() for rng in rngs}) == 1


def test_the_same_generator_gives_the_same_result_also_in_another_process() -> None:
    drawn = waveform.draw(WaveformSettings(noise_probability=1), np.random.default_rng(7))
    wave = np.sin(np.arange(4000) / 5).astype(np.float32)
    here = hashlib.sha256(waveform.apply(wave, drawn, sample_rate=RATE).tobytes()).hexdigest()
    there = subprocess.run([sys.executable, "-c", DRAW_AND_APPLY], capture_output=True, text=True, check=True).stdout
    assert there.splitlines() == [repr(drawn), here]
    assert astuple(waveform.draw(WaveformSettings(), np.random.default_rng(8))) != astuple(drawn)


@pytest.mark.parametrize(("position", "start"), [(0.0, 0), (0.5, 350), (0.999999, 700), (1.0, 700)])
def test_a_crop_lies_where_its_position_says(position: float, start: int) -> None:
    wave = np.arange(1000, dtype=np.float32)
    np.testing.assert_array_equal(waveform.crop(wave, 300, position), wave[start : start + 300])


@pytest.mark.parametrize("position", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("samples", [1, 299, 300])
def test_a_wave_no_longer_than_the_crop_is_returned_whole(samples: int, position: float) -> None:
    wave = np.arange(samples, dtype=np.float32)
    np.testing.assert_array_equal(waveform.crop(wave, 300, position), wave)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"speed": -0.1}, ("speed",)),
        ({"speed": 0.5}, ("speed",)),
        ({"speed": float("nan")}, ("speed",)),
        ({"gain_db": float("inf")}, ("gain_db",)),
        ({"gain_db": 41}, ("gain_db",)),
        ({"noise_probability": 1.1}, ("noise_probability",)),
        ({"noise_snr_db": (20, 10)}, ("noise_snr_db",)),
        ({"noise_snr_db": (float("nan"), 10)}, ("noise_snr_db", 0)),
        ({"noise_snr_db": (10, float("inf"))}, ("noise_snr_db", 1)),
        ({"noise_snr_db": (10, 1e4)}, ("noise_snr_db", 1)),
        ({"noise_snr_db": (10,)}, ("noise_snr_db", 1)),
        ({"pitch": 2}, ("pitch",)),
    ],
)
def test_values_out_of_bounds_name_the_field(values: dict[str, Any], field: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        WaveformSettings.model_validate(values)
    assert [problem["loc"] for problem in refusal.value.errors()] == [field]


def test_equal_bounds_of_the_ratio_are_one_ratio() -> None:
    settings = WaveformSettings(noise_probability=1, noise_snr_db=(15, 15))
    assert waveform.draw(settings, np.random.default_rng(0)).noise_snr_db == 15
