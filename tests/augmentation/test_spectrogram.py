"""Masks keep to their sizes, the random equaliser is smooth, and nothing is drawn where nothing is asked for."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st
from pydantic import ValidationError

from emogram.augmentation import spectrogram
from emogram.augmentation.spectrogram import SpectrogramAugmentationSettings, SpectrogramDraw

OFF = SpectrogramAugmentationSettings(masks=0, filter_gain=0)

SEARCH = search(deadline=None, max_examples=50)


def draw(settings: SpectrogramAugmentationSettings, seed: int = 0, **sizes: int) -> SpectrogramDraw:
    return spectrogram.draw(settings, np.random.default_rng(seed), **({"clips": 6, "bands": 64, "frames": 100} | sizes))


@SEARCH
@given(
    seed=st.integers(0, 2**32),
    part=st.floats(0, 0.99),
    bands=st.integers(1, 40),
    frames=st.integers(1, 60),
    masks=st.integers(0, 4),
)
def test_masks_are_bounded(seed: int, part: float, bands: int, frames: int, masks: int) -> None:
    """Whole bands and whole frames, in at most `masks` runs each, none longer than its part."""
    settings = SpectrogramAugmentationSettings(masks=masks, frequency_mask=part, time_mask=part / 2)
    masked = draw(settings, seed, clips=3, bands=bands, frames=frames).masked
    assert masked.shape == (3, bands, frames)
    for clip in masked:
        whole_bands, whole_frames = clip.all(axis=1), clip.all(axis=0)
        if not clip.all():
            np.testing.assert_array_equal(clip, whole_bands[:, None] | whole_frames[None, :])
            assert runs(whole_bands) <= masks
            assert runs(whole_frames) <= masks
            assert whole_bands.sum() <= masks * int(part * bands)
            assert whole_frames.sum() <= masks * int(part / 2 * frames)


def runs(positions: np.ndarray) -> int:
    return int((np.diff(positions.astype(int), prepend=0) == 1).sum())


def test_one_mask_reaches_its_largest_length_and_every_place() -> None:
    settings = SpectrogramAugmentationSettings(masks=1, frequency_mask=0.25, time_mask=0.0, filter_gain=0)
    masked = draw(settings, clips=2000, bands=20, frames=4).masked[:, :, 0]
    assert set(masked.sum(axis=1)) == {0, 1, 2, 3, 4, 5}
    assert masked.any(axis=0).all()


def test_every_clip_has_its_own() -> None:
    drawn = draw(SpectrogramAugmentationSettings(), clips=8)
    assert len({clip.tobytes() for clip in drawn.masked}) > 1
    assert len({clip.tobytes() for clip in drawn.gain}) == 8


@SEARCH
@given(seed=st.integers(0, 2**32), bands=st.integers(1, 80), largest=st.floats(0, 3))
def test_gain_is_bounded_and_smooth(seed: int, bands: int, largest: float) -> None:
    gain = draw(SpectrogramAugmentationSettings(filter_gain=largest), seed, bands=bands).gain
    assert gain.shape == (6, bands)
    assert gain.dtype == np.float32
    assert np.abs(gain).max() <= largest * (1 + 1e-6)
    if bands > 1:
        # Four straight pieces: from knot to knot the gain moves by twice the largest at most.
        assert np.abs(np.diff(gain, axis=1)).max() <= 2 * largest * 4 / (bands - 1) + 1e-5


def test_apply_adds_the_gain_and_sets_masks_to_the_mean() -> None:
    drawn = draw(SpectrogramAugmentationSettings())
    spec = torch.from_numpy(np.random.default_rng(1).standard_normal((6, 2, 64, 100)).astype(np.float32))
    before = spec.clone()
    changed = spectrogram.apply(spec, drawn)
    assert torch.equal(spec, before)
    assert drawn.masked.any()
    for channel in range(2):
        expected = np.where(drawn.masked, 0.0, before[:, channel].numpy() + drawn.gain[:, :, None])
        np.testing.assert_allclose(changed[:, channel].numpy(), expected, rtol=1e-6)


@SEARCH
@given(seed=st.integers(0, 2**32))
def test_zero_settings_are_the_identity(seed: int) -> None:
    spec = torch.from_numpy(np.random.default_rng(2).standard_normal((6, 1, 64, 100)).astype(np.float32))
    assert torch.equal(spectrogram.apply(spec, draw(OFF, seed)), spec)


@pytest.mark.parametrize("settings", [SpectrogramAugmentationSettings(), OFF], ids=["default", "off"])
def test_the_same_generator_gives_the_same_draw(settings: SpectrogramAugmentationSettings) -> None:
    first, second = draw(settings, 5), draw(settings, 5)
    np.testing.assert_array_equal(first.masked, second.masked)
    np.testing.assert_array_equal(first.gain, second.gain)


def test_a_draw_takes_the_same_number_of_values_whatever_they_are() -> None:
    taken = set()
    for seed in range(50):
        rng = np.random.Generator(np.random.Philox(seed))
        draw_with = {"clips": 5, "bands": 64, "frames": 100}
        spectrogram.draw(SpectrogramAugmentationSettings(), rng, **draw_with)
        state: Any = rng.bit_generator.state
        taken.add((tuple(state["state"]["counter"]), state["buffer_pos"], state["has_uint32"]))
    assert len(taken) == 1


def test_what_is_off_takes_nothing_from_the_generator() -> None:
    """Mixup is drawn from the same one afterwards."""
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    spectrogram.draw(OFF, rng, clips=5, bands=64, frames=100)
    assert rng.random() == untouched.random()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("masks", -1),
        ("masks", 11),
        ("masks", 1.5),
        ("frequency_mask", 1.0),
        ("frequency_mask", float("nan")),
        ("time_mask", -0.1),
        ("filter_gain", float("inf")),
        ("filter_gain", 4),
        ("warp", 1),
    ],
)
def test_values_out_of_bounds_name_the_field(field: str, value: float) -> None:
    with pytest.raises(ValidationError) as refusal:
        SpectrogramAugmentationSettings.model_validate({field: value})
    assert [problem["loc"] for problem in refusal.value.errors()] == [(field,)]
