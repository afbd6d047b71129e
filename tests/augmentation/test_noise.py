"""What is added has the ratio that was drawn, the spectrum of its colour, and comes from where it may."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from emogram.augmentation.noise import (
    BabbleDraw,
    BabbleSettings,
    BackgroundDraw,
    BackgroundSettings,
    NoiseDraw,
    NoiseSettings,
)
from emogram.augmentation.recordings import Recordings
from emogram.augmentation.waveform import Companions, Scene, looped
from emogram.errors import AudioError, ConfigurationError
from emogram.sounds import Colour
from tests.augmentation.sounds import RATE, SCENE, noise, snr_db, tone

RATIOS = [-20.0, 0.0, 10.0, 40.0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    soundfile.write(tmp_path / "short.wav", tone(samples=1000), RATE)
    soundfile.write(tmp_path / "deep" / "long.flac", noise(3 * RATE), RATE)
    return tmp_path


@pytest.mark.parametrize("ratio_db", RATIOS)
@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
def test_noise_has_the_ratio_drawn(colour: Colour, ratio_db: float) -> None:
    for samples in (160, RATE):
        wave = tone(samples=samples)
        noisy = NoiseDraw(colour=colour, snr_db=ratio_db, seed=3).apply(wave, SCENE)
        assert snr_db(wave, noisy) == pytest.approx(ratio_db, abs=0.1)


def test_silence_stays_silent_and_seeds_differ() -> None:
    drawn = NoiseDraw(colour="pink", snr_db=0, seed=1)
    assert not drawn.apply(np.zeros(500, np.float32), SCENE).any()
    other = NoiseDraw(colour="pink", snr_db=0, seed=2)
    assert not np.array_equal(drawn.apply(tone(), SCENE), other.apply(tone(), SCENE))


def test_every_colour_and_the_whole_range_are_drawn() -> None:
    settings = NoiseSettings(probability=1, snr_db=(10, 40))
    drawn = [settings.drawn(np.random.default_rng(seed), SCENE) for seed in range(300)]
    assert {each.colour for each in drawn} == {"white", "pink", "brown"}
    assert 10 <= min(each.snr_db for each in drawn) < 11
    assert 39 < max(each.snr_db for each in drawn) <= 40


@pytest.mark.parametrize("ratio_db", RATIOS)
@pytest.mark.parametrize("recording", ["short.wav", "deep/long.flac"])
def test_a_background_has_the_ratio_drawn(folder: Path, recording: str, ratio_db: float) -> None:
    wave = tone(300)
    drawn = BackgroundDraw(folder=folder, recording=recording, start=0.4, snr_db=ratio_db)
    assert snr_db(wave, drawn.apply(wave, SCENE)) == pytest.approx(ratio_db, abs=0.1)


def test_backgrounds_are_any_recording_from_any_place(folder: Path) -> None:
    settings = BackgroundSettings(folder=folder)
    drawn = [settings.drawn(np.random.default_rng(seed), SCENE) for seed in range(60)]
    assert {each.recording for each in drawn} == {"short.wav", "deep/long.flac"}
    assert np.ptp([each.start for each in drawn]) > 0.8


def test_backgrounds_are_those_whose_names_are_meant(folder: Path) -> None:
    settings = BackgroundSettings(folder=folder, recordings="l?ng*")
    drawn = [settings.drawn(np.random.default_rng(seed), SCENE) for seed in range(20)]
    assert {each.recording for each in drawn} == {"deep/long.flac"}
    with pytest.raises(ConfigurationError, match=r"recordings=5-\*: .* holds none of that name; choose others"):
        BackgroundSettings(folder=folder, recordings="5-*").check(Recordings(RATE))


def test_an_excerpt_is_where_it_was_drawn_and_a_short_one_goes_round() -> None:
    wave = np.arange(10, dtype=np.float32)
    assert looped(wave, 4, 0.5).tolist() == [3, 4, 5, 6]
    assert looped(wave, 4, 1.0).tolist() == [6, 7, 8, 9]
    assert looped(wave[:3], 7, 0.4).tolist() == [1, 2, 0, 1, 2, 0, 1]


def test_a_silent_background_changes_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    drawn = BackgroundDraw(folder=tmp_path, recording="silence.wav", start=0, snr_db=0)
    np.testing.assert_array_equal(drawn.apply(tone(), SCENE), tone())


def test_memory_of_recordings_is_bounded_and_the_latest_stay(folder: Path) -> None:
    recordings = Recordings(RATE, max_bytes=3 * RATE * 4 + 100)
    short = recordings.wave(folder, "short.wav")
    assert recordings.wave(folder, "short.wav") is short
    recordings.wave(folder, "deep/long.flac")
    assert recordings.held_bytes == 3 * RATE * 4
    assert recordings.wave(folder, "short.wav") is not short
    assert not short.flags.writeable


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigurationError, match=str(place)):
            BackgroundSettings(folder=place).check(Recordings(RATE))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"broken\.wav"):
        Recordings(RATE).wave(tmp_path, "broken.wav")


def voices(**changes: list[str]) -> Scene:
    fields = {"speakers": ["a", "a", "b", "c", ""], "emotions": ["sad"] * 5, "corpora": ["one"] * 5} | changes
    return Scene(RATE, Recordings(RATE), Companions(lambda index: tone(200 * (index + 1)) * (index + 1), **fields))


@pytest.mark.parametrize("ratio_db", RATIOS)
def test_babble_has_the_ratio_drawn_and_equally_loud_voices(ratio_db: float) -> None:
    wave = noise(RATE)
    noisy = BabbleDraw(voices=(2, 3), starts=(0.0, 0.5), snr_db=ratio_db).apply(wave, voices())
    assert snr_db(wave, noisy) == pytest.approx(ratio_db, abs=0.1)
    spectrum = np.abs(np.fft.rfft(noisy.astype(np.float64) - wave))
    assert spectrum[600] == pytest.approx(spectrum[800], rel=0.02)


def test_babble_is_of_other_known_speakers_only() -> None:
    settings = BabbleSettings(voices=(1, 2))
    for index, others in [(0, {2, 3}), (1, {2, 3}), (2, {0, 1, 3}), (4, {0, 1, 2, 3})]:
        drawn = [settings.drawn(np.random.default_rng(seed), voices().at(index)) for seed in range(60)]
        assert {voice for each in drawn if each for voice in each.voices} == others
        assert {len(each.voices) for each in drawn if each} == {1, 2}
        assert all(len(set(each.voices)) == len(each.voices) for each in drawn if each)


def test_one_speaker_alone_has_no_babble() -> None:
    assert BabbleSettings().drawn(np.random.default_rng(0), voices(speakers=["a"] * 5)) is None
