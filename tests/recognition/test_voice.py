"""Voice activity and its measurements: the same however blocks fall, right on known sounds and on real ones."""

from pathlib import Path

import numpy as np
import pytest

from emogram import audio
from emogram.audio import Wave
from emogram.recognition.frames import HOP_S, FrameMeter
from emogram.recognition.voice import Interval, VoiceActivity, speech
from tests.recognition.made_up import RATE, noise, silence, spoken, syllables


def heard(wave: Wave, rate: int = RATE) -> list[Interval]:
    voice = VoiceActivity(rate)
    voice.feed(wave)
    voice.close()
    return speech(voice.active(), voice.frames().periodicity)


def test_levels_bands_and_periodicity_of_a_tone() -> None:
    time = np.arange(RATE) / RATE
    frames = FrameMeter(RATE).feed((0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32))
    assert len(frames) == 49
    np.testing.assert_allclose(frames.level_db, 20 * np.log10(0.5 / np.sqrt(2)), atol=0.05)
    assert (frames.bands_db.argmax(axis=1) == 0).all()
    np.testing.assert_allclose(frames.bands_db[:, 0], frames.level_db, atol=1)
    assert (frames.periodicity > 0.9).all()
    assert (frames.high_db < -60).all()


def test_noise_repeats_little() -> None:
    frames = FrameMeter(RATE).feed(noise(2))
    assert np.percentile(frames.periodicity, 95) < 0.6
    assert frames.high_db == pytest.approx(np.full(len(frames), 0.0), abs=3)


@pytest.mark.parametrize("rate", [1000, 8000, 16_000, 44_100])
def test_every_rate_is_measured(rate: int) -> None:
    frames = FrameMeter(rate).feed(syllables(1, rate=rate, top_hz=min(7000, rate / 2)))
    for values in (frames.level_db, frames.bands_db, frames.periodicity, frames.high_db):
        assert np.isfinite(values).all()


def test_what_is_found_does_not_depend_on_the_blocks() -> None:
    wave = np.concatenate([silence(3), spoken(2.5, 0.2, 7), noise(4, 0.02), syllables(2, 0.02), silence(9)])
    whole = VoiceActivity(RATE)
    whole.feed(wave)
    whole.close()
    rng = np.random.default_rng(1)
    pieces = VoiceActivity(RATE)
    for block in np.split(wave, np.sort(rng.integers(0, len(wave), 200))):
        pieces.feed(block)
    pieces.close()
    np.testing.assert_array_equal(pieces.active(), whole.active())
    np.testing.assert_array_equal(pieces.frames().level_db, whole.frames().level_db)
    assert len(whole.active()) == pytest.approx(len(wave) / RATE / HOP_S, abs=2)
    assert whole.any_active(3.0, 3.5)
    assert not whole.any_active(0.0, 2.5)


def test_the_frontier_follows_within_seconds() -> None:
    voice = VoiceActivity(RATE)
    wave = spoken(*[1.0] * 8)
    for start in range(0, len(wave), 4000):
        voice.feed(wave[start : start + 4000])
        assert start / RATE - voice.frontier_s < 4.5


def test_speech_between_pauses_is_found_where_it_is() -> None:
    found = heard(np.concatenate([silence(1), spoken(1.5, 3), silence(1)]))
    for interval, start_s in zip(found, (1.0, 4.5, 9.5), strict=True):
        assert interval.start_s == pytest.approx(start_s, abs=0.15)
        assert interval.end_s == pytest.approx(start_s + 2, abs=0.25)


def test_speech_in_noise_is_found() -> None:
    clean = np.concatenate([np.zeros(RATE, np.float32), syllables(2, 0.5), np.zeros(RATE, np.float32)])
    [interval] = heard(clean + noise(4, 0.03))
    assert interval.start_s == pytest.approx(1, abs=0.2)
    assert interval.end_s == pytest.approx(3, abs=0.3)


@pytest.mark.parametrize("level", [1e-4, 0.01, 0.3])
def test_noise_and_silence_hold_no_speech(level: float) -> None:
    assert heard(noise(5, level)) == []
    assert heard(np.zeros(RATE, np.float32)) == []


def test_a_click_is_no_speech() -> None:
    wave = silence(3)
    wave[RATE : RATE + 200] = noise(200 / RATE, 0.5)
    assert heard(wave) == []


def test_real_speech_is_found_and_rain_is_not(emogram_data: Path) -> None:
    spoken_clips = sorted((emogram_data / "originals").rglob("*.wav"))
    assert spoken_clips
    assert all(heard(audio.load(clip)) for clip in spoken_clips)
    rain = sorted((emogram_data / "esc10" / "002 - Rain").glob("*.ogg"))[:5]
    assert [heard(audio.load(clip)) for clip in rain] == [[]] * len(rain)
