"""What is done to clips before a trained model hears them: as strong as said, the same for every model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from emogram.corpora import Clip
from emogram.errors import ConfigurationError
from emogram.studies.conditions import Background, Excerpt, Noise, OtherCorpus, Room, Telephone, stem

RATE = 16_000
CLIP, OTHER = (
    Clip(clip_id=f"own/{name}", path=f"{name}.wav", corpus="own", speaker="own-1", emotion="sad", raw_label="sad")
    for name in "ab"
)


def tone(frequency_hz: float, duration_s: float = 1.0) -> npt.NDArray[np.float32]:
    time_s = np.arange(round(duration_s * RATE)) / RATE
    return np.asarray(0.3 * np.sin(2 * np.pi * frequency_hz * time_s), dtype=np.float32)


def power_db(wave: npt.NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(wave, dtype=np.float64))))


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_noise_is_as_strong_as_said(snr_db: float) -> None:
    wave = tone(440)
    noisy = Noise(snr_db=snr_db).apply(wave, CLIP, RATE)
    scale = np.dot(noisy, wave) / np.dot(wave, wave)  # the sum may have been scaled down to full scale
    assert power_db(scale * wave) - power_db(noisy - scale * wave) == pytest.approx(snr_db, abs=0.1)


def test_what_follows_from_a_clip_follows_from_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", tone(100, 3.0), RATE)
    named = replace(CLIP, clip_id="own/\udcfcbung")
    for condition in (Noise(), Background(folder=tmp_path), Room()):
        assert not np.array_equal(condition.apply(tone(440), named, RATE), condition.apply(tone(440), CLIP, RATE))
    assert stem(OtherCorpus(corpus="own"), [named]) != stem(OtherCorpus(corpus="own"), [CLIP])


def test_background_comes_from_the_folder(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "5-hum.wav", tone(100), RATE)
    soundfile.write(tmp_path / "1-hiss.wav", tone(3000), RATE)
    wave = tone(440)
    heard = Background(folder=tmp_path, recordings="5-*", snr_db=0).apply(wave, CLIP, RATE)
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum[100] == pytest.approx(spectrum[440], rel=0.05)
    assert spectrum[3000] < 0.01 * spectrum[440]


def test_a_background_without_recordings_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "1-hiss.wav", tone(3000), RATE)
    with pytest.raises(ConfigurationError, match=r"recordings=5-\*: .*choose others"):
        Background(folder=tmp_path, recordings="5-*").apply(tone(440), CLIP, RATE)


@pytest.mark.parametrize(("frequency_hz", "loss_db"), [(100, 20), (1000, 0), (6000, 20)])
def test_the_telephone_passes_its_band_alone(frequency_hz: float, loss_db: float) -> None:
    wave = tone(frequency_hz)
    lost = power_db(wave) - power_db(Telephone().apply(wave, CLIP, RATE))
    assert lost >= loss_db if loss_db else abs(lost) < 0.5


def test_a_room_rings_for_as_long_as_said() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[0] = 1.0
    heard = Room(rt60_s=0.5, drr_db=-10).apply(click, CLIP, RATE)
    decay_db = power_db(heard[2000:3000]) - power_db(heard[6000:7000])
    assert decay_db == pytest.approx(60 * 4000 / RATE / 0.5, abs=2)
    assert power_db(heard) == pytest.approx(power_db(click), abs=0.01)


@pytest.mark.parametrize("condition", [Noise(), Room()])
def test_chance_follows_from_the_clip(condition: Noise | Room) -> None:
    wave = tone(440)
    first = condition.apply(wave, CLIP, RATE)
    assert np.array_equal(first, condition.apply(wave, CLIP, RATE))
    assert not np.array_equal(first, condition.apply(wave, OTHER, RATE))


def test_an_excerpt_is_the_middle() -> None:
    wave = np.arange(RATE, dtype=np.float32)
    heard = Excerpt(length_s=0.5).apply(wave, CLIP, RATE)
    assert len(heard) == RATE // 2
    assert heard[0] == RATE // 4
    assert np.array_equal(Excerpt(length_s=3).apply(wave, CLIP, RATE), wave)


def test_other_settings_or_clips_are_other_predictions() -> None:
    conditions = (Noise(), Noise(snr_db=0), Telephone(), Room(), Room(rt60_s=1), Excerpt(length_s=1))
    stems = [stem(condition) for condition in conditions]
    stems += [stem(OtherCorpus(corpus="own"), clips) for clips in ([CLIP], [CLIP, OTHER])]
    assert len(set(stems)) == len(stems)
    assert stem(Noise()) == stem(Noise(snr_db=10))


def test_labels_tell_conditions_apart() -> None:
    conditions = (Noise(), Noise(snr_db=0), Telephone(), Telephone(low_hz=200), Room(), Room(drr_db=5))
    labels = [condition.label for condition in (*conditions, Excerpt(length_s=1), Excerpt(length_s=1.5))]
    assert len(set(labels)) == len(labels)


def test_other_recordings_of_the_same_name_are_another_file(tmp_path: Path) -> None:
    def of(place: str, frequency_hz: float) -> str:
        folder = tmp_path / place / "noises"
        folder.mkdir(parents=True)
        soundfile.write(folder / "5-hum.wav", tone(frequency_hz), RATE)
        return stem(Background(folder=folder, recordings="5-*"))

    assert of("here", 100) == of("there", 100)
    assert of("elsewhere", 100) != of("anywhere", 200)
