"""Shift, crop and concatenation put samples where they say."""

import numpy as np
import pytest

from emogram.augmentation.recordings import Recordings
from emogram.augmentation.timing import ConcatenationDraw, ConcatenationSettings, CropDraw, ShiftDraw, crop
from emogram.augmentation.waveform import Companions, Scene
from tests.augmentation.sounds import RATE, SCENE


@pytest.mark.parametrize(("position", "start"), [(0.0, 0), (0.5, 350), (0.999999, 700), (1.0, 700)])
def test_a_crop_lies_where_its_position_says(position: float, start: int) -> None:
    wave = np.arange(1000, dtype=np.float32)
    np.testing.assert_array_equal(crop(wave, 300, position), wave[start : start + 300])
    np.testing.assert_array_equal(CropDraw(kept=0.3, position=position).apply(wave, SCENE), wave[start : start + 300])


@pytest.mark.parametrize("position", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("samples", [1, 299, 300])
def test_a_wave_no_longer_than_the_crop_is_returned_whole(samples: int, position: float) -> None:
    wave = np.arange(samples, dtype=np.float32)
    np.testing.assert_array_equal(crop(wave, 300, position), wave)


@pytest.mark.parametrize(
    ("samples", "expected"), [(0, [1, 2, 3, 4]), (1, [0, 1, 2, 3]), (-3, [4, 0, 0, 0]), (9, [0] * 4), (-9, [0] * 4)]
)
def test_a_shift_moves_and_fills_with_silence(samples: int, expected: list[float]) -> None:
    wave = np.array([1, 2, 3, 4], np.float32)
    assert ShiftDraw(shift_s=samples / RATE).apply(wave, SCENE).tolist() == expected


def clips() -> Scene:
    companions = Companions(
        lambda index: np.full(index + 1, index, np.float32),
        speakers=["a", "b", "a", "b", "a"],
        emotions=["sad", "sad", "sad", "happy", "sad"],
        corpora=["one", "one", "one", "one", "two"],
    )
    return Scene(10, Recordings(10), companions)


def test_concatenation_puts_a_pause_between() -> None:
    wave = np.full(2, 9, np.float32)
    scene = clips()
    assert ConcatenationDraw(other=1, pause_s=0.3, first=True).apply(wave, scene).tolist() == [9, 9, 0, 0, 0, 1, 1]
    assert ConcatenationDraw(other=1, pause_s=0, first=False).apply(wave, scene).tolist() == [1, 1, 9, 9]


def test_concatenation_is_of_one_emotion_and_corpus_and_never_of_the_clip_itself() -> None:
    settings = ConcatenationSettings()
    for index, others in [(0, {1, 2}), (1, {0, 2}), (3, set()), (4, set())]:
        drawn = [settings.drawn(np.random.default_rng(seed), clips().at(index)) for seed in range(40)]
        assert {each.other for each in drawn if each} == others
    assert {each.first for each in drawn if each} in (set(), {True, False})
