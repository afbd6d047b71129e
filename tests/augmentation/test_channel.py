"""Level, room, band and codec: measured gains, decay times, bands and delays."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram.augmentation.level import ClippingDraw, GainDraw, PolarityDraw
from emogram.augmentation.room import RoomDraw, RoomSettings, decaying
from emogram.augmentation.transmission import Codec, CodecDraw, LowPassDraw, TelephoneDraw
from emogram.augmentation.waveform import Wave
from tests.augmentation.sounds import RATE, SCENE, gain_at, noise, power, snr_db, tone


@pytest.mark.parametrize("gain_db", [-40.0, -6.0, 0.0, 6.0, 40.0])
def test_gain_is_exact(gain_db: float) -> None:
    changed = GainDraw(gain_db=gain_db).apply(tone(), SCENE)
    np.testing.assert_allclose(changed, tone().astype(np.float64) * 10 ** (gain_db / 20), rtol=1e-6)


def test_polarity_is_the_other_sign() -> None:
    np.testing.assert_array_equal(PolarityDraw().apply(tone(), SCENE), -tone())


def test_clipping_cuts_below_the_peak_and_leaves_the_rest() -> None:
    wave = noise(RATE)
    clipped = ClippingDraw(below_peak_db=6.0).apply(wave, SCENE)
    limit = np.abs(wave).max() * 10 ** (-6 / 20)
    assert np.abs(clipped).max() == pytest.approx(limit)
    below = np.abs(wave) < limit
    assert 0 < (~below).sum() < RATE / 10
    np.testing.assert_array_equal(clipped[below], wave[below])


@pytest.mark.parametrize("rt60_s", [0.2, 0.8])
def test_a_made_response_decays_in_its_time_with_its_ratio(rt60_s: float) -> None:
    response = decaying(rt60_s, 5.0, np.random.default_rng(0), sample_rate=RATE).astype(np.float64)
    tail = response[round(0.002 * RATE) :]
    assert 10 * np.log10(response[0] ** 2 / np.square(tail).sum()) == pytest.approx(5.0, abs=0.01)
    remaining_db = 10 * np.log10(np.cumsum(np.square(tail)[::-1])[::-1] / np.square(tail).sum())  # Schroeder 1965
    start, end = np.argmax(remaining_db < -5), np.argmax(remaining_db < -25)
    assert 3 * (end - start) / RATE == pytest.approx(rt60_s, rel=0.1)


def test_a_recorded_response_is_convolved_from_its_direct_sound_on(tmp_path: Path) -> None:
    response = np.zeros(900, np.float32)
    response[[100, 400, 800]] = [0.8, -0.4, 0.2]
    soundfile.write(tmp_path / "room.wav", response, RATE, subtype="FLOAT")
    wave = noise(5000)
    heard = RoomDraw(folder=tmp_path, recording="room.wav").apply(wave, SCENE)
    expected: np.ndarray = np.convolve(wave.astype(np.float64), response[100:])[:5000]
    np.testing.assert_allclose(heard, expected * np.sqrt(power(wave) / power(expected)), atol=1e-6)


def test_rooms_keep_the_level_and_the_place() -> None:
    wave = np.zeros(RATE, np.float32)
    wave[4000:4400] = noise(400)
    settings = RoomSettings()
    for seed in range(5):
        heard = settings.drawn(np.random.default_rng(seed), SCENE).apply(wave, SCENE)
        assert power(heard) == pytest.approx(power(wave), rel=1e-4)
        assert np.abs(heard[:4000]).max() < 1e-6
        assert delay(heard, wave) == 0


def delay(heard: Wave, sent: Wave) -> int:
    size = 2 * len(sent)
    correlation = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)))
    lag = int(np.argmax(correlation))
    return lag if lag < len(sent) else lag - size


@pytest.mark.parametrize(
    ("frequency_hz", "low_db", "high_db"),
    [(100, -200, -40), (300, -3.2, -2.8), (400, -1, 0.1), (1000, -0.1, 0.1), (3000, -1, 0.1), (3400, -3.2, -2.8)],
)
def test_a_telephone_passes_its_band(frequency_hz: float, low_db: float, high_db: float) -> None:
    wave = tone(frequency_hz)
    assert low_db <= gain_at(frequency_hz, TelephoneDraw().apply(wave, SCENE), wave) <= high_db
    if frequency_hz == 1000:
        assert gain_at(5000, TelephoneDraw().apply(tone(5000), SCENE), tone(5000)) < -35


@pytest.mark.parametrize(("frequency_hz", "expected_db"), [(500, 0.0), (2000, -0.02), (4000, -3.01), (8000 - 1, -24.1)])
def test_a_low_pass_falls_by_24_db_an_octave(frequency_hz: float, expected_db: float) -> None:
    wave = tone(frequency_hz)
    heard = LowPassDraw(cutoff_hz=4000).apply(wave, SCENE)
    assert gain_at(frequency_hz, heard, wave) == pytest.approx(expected_db, abs=0.1)


def speech_like() -> Wave:
    """Voiced pulses under an envelope, so that codecs for speech have something to do and delays can be seen."""
    time_s = np.arange(RATE) / RATE
    harmonics = np.sum([np.sin(2 * np.pi * 130 * k * time_s + k * k) / k for k in range(1, 25)], axis=0)
    voiced = 0.1 * harmonics * (1 + np.sin(2 * np.pi * 3 * time_s))
    return np.asarray(voiced + 0.002 * noise(RATE), np.float32)


@pytest.mark.parametrize(("codec", "least_db"), [("mu_law", 30.0), ("mp3", 8.0), ("opus", 3.0)])
def test_codecs_keep_length_and_place_and_most_of_the_sound(codec: Codec, least_db: float) -> None:
    wave = speech_like()
    heard = CodecDraw(codec=codec, compression=0.5).apply(wave, SCENE)
    assert len(heard) == len(wave)
    assert delay(heard, wave) == 0
    assert least_db < snr_db(wave, heard) < 60


def test_mu_law_is_that_of_the_recommendation() -> None:
    """127 steps of each sign, spaced as the curve says."""
    wave = np.linspace(-1, 1, 40_001).astype(np.float32)
    heard = CodecDraw(codec="mu_law", compression=0).apply(wave, SCENE)
    steps = np.unique(heard)
    assert len(steps) == 255
    expected = np.sign(steps) * np.log(1 + 255 * np.abs(steps.astype(np.float64))) / np.log(256) * 127
    np.testing.assert_allclose(expected, np.arange(-127, 128), atol=1e-3)
    assert np.abs(heard - wave).max() < 0.025


@pytest.mark.parametrize("codec", ["mp3", "opus"])
def test_harder_compression_loses_more(codec: Codec) -> None:
    wave = speech_like()
    ratios = [snr_db(wave, CodecDraw(codec=codec, compression=c).apply(wave, SCENE)) for c in (0.0, 0.95)]
    assert ratios[0] > ratios[1] + 1
