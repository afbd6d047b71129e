"""Speed, tempo and pitch, measured on tones: each changes what it says and nothing else."""

import numpy as np
import pytest

from emogram.augmentation.stretching import PitchDraw, PitchSettings, SpeedDraw, SpeedSettings, TempoDraw
from emogram.augmentation.wsola import stretched
from tests.augmentation.sounds import RATE, SCENE, cents, noise, pitch_hz, power, tone

SAMPLES = round(3.5 * RATE)


@pytest.mark.parametrize("frequency_hz", [90.0, 210.0, 440.0, 1234.0, 3100.0])
@pytest.mark.parametrize("semitones", [-4.0, -1.0, -0.37, 0.2, 1.0, 3.0])
def test_pitch_moves_by_its_semitones_within_five_cents_and_the_duration_stays(
    frequency_hz: float, semitones: float
) -> None:
    wave = tone(frequency_hz, samples=SAMPLES)
    shifted = PitchDraw(semitones=semitones).apply(wave, SCENE)
    assert len(shifted) == SAMPLES
    assert abs(cents(pitch_hz(shifted), frequency_hz * 2 ** (semitones / 12))) < 5
    assert power(shifted) == pytest.approx(power(wave), rel=0.05)


@pytest.mark.parametrize("frequency_hz", [90.0, 210.0, 440.0, 1234.0, 3100.0])
@pytest.mark.parametrize("factor", [0.7, 0.9, 0.97, 1.04, 1.1, 1.5])
def test_tempo_changes_the_duration_and_not_the_pitch(frequency_hz: float, factor: float) -> None:
    wave = tone(frequency_hz, samples=SAMPLES)
    changed = TempoDraw(factor=factor).apply(wave, SCENE)
    assert abs(len(changed) - SAMPLES / factor) <= 1  # a frame of 10 ms is 160 samples
    assert abs(cents(pitch_hz(changed), frequency_hz)) < 5
    assert power(changed) == pytest.approx(power(wave), rel=0.05)


@pytest.mark.parametrize("factor", [0.8, 0.95, 1.05, 1.25])
def test_tempo_moves_what_happens_evenly(factor: float) -> None:
    """Bursts in silence lie where the factor says, within what the search for joints may add."""
    wave = np.zeros(SAMPLES, np.float32)
    bursts = [8000, 24_000, 40_000]
    for at in bursts:
        wave[at : at + 400] = noise(400)
    changed = TempoDraw(factor=factor).apply(wave, SCENE)
    for at in bursts:
        expected = (at + 200) / factor
        around = np.arange(round(expected) - 1600, round(expected) + 1600)
        energy = np.square(changed[around], dtype=np.float64)
        assert (around @ energy) / energy.sum() == pytest.approx(expected, abs=0.035 * RATE)


def test_tempo_of_one_is_the_recording_itself() -> None:
    wave = noise(SAMPLES)
    np.testing.assert_allclose(stretched(wave, SAMPLES, sample_rate=RATE), wave, atol=1e-7)


def test_joints_do_not_click() -> None:
    """No step between samples is larger than those of the tone itself, but for a little."""
    wave = tone(200.0, samples=SAMPLES)
    for factor in (0.83, 1.21):
        changed = stretched(wave, round(SAMPLES / factor), sample_rate=RATE)
        assert np.abs(np.diff(changed[: -RATE // 10])).max() < 1.1 * np.abs(np.diff(wave)).max()


@pytest.mark.parametrize("factor", [0.525, 0.85, 0.9, 0.975, 1.025, 1.1, 1.15, 1.475])
def test_speed_changes_duration_and_pitch_by_its_factor(factor: float) -> None:
    wave = tone(440.0)
    changed = SpeedDraw(factor=factor).apply(wave, SCENE)
    assert abs(len(changed) - len(wave) / factor) <= 1
    assert abs(cents(pitch_hz(changed), 440.0 * factor)) < 5
    assert power(changed) == pytest.approx(power(wave), rel=0.02)


def test_speeds_are_steps_within_their_range() -> None:
    def factors(low: float, high: float) -> set[float]:
        settings = SpeedSettings(factor=(low, high))
        return {settings.drawn(np.random.default_rng(seed), SCENE).factor for seed in range(500)}

    assert factors(0.85, 1.15) == {round(0.025 * step, 3) for step in range(34, 47)}
    assert factors(1.0, 1.0) == {1.0}
    assert factors(0.88, 0.89) == {0.88, 0.89}


def test_pitch_stays_within_a_semitone_unless_asked_for_more() -> None:
    drawn = [PitchSettings().drawn(np.random.default_rng(seed), SCENE).semitones for seed in range(300)]
    assert -1 <= min(drawn) < -0.95
    assert 0.95 < max(drawn) <= 1
