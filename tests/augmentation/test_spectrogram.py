"""Masks keep to their sizes, warps to their places, and the random equaliser is smooth."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st

from emogram.augmentation.masking import CutoutDraw, CutoutSettings, MasksDraw, MasksSettings
from emogram.augmentation.spectrogram import Shape
from emogram.augmentation.warping import FilterAugmentSettings, FrequencyWarpDraw, TimeWarpDraw, TimeWarpSettings

SEARCH = search(deadline=None, max_examples=50)


def hidden(drawn: MasksDraw | CutoutDraw, shape: Shape) -> np.ndarray:
    spec = torch.ones(shape.clips, 1, shape.bands, shape.frames)
    return np.asarray((drawn.apply(spec, None) == 0)[:, 0].numpy())


def runs(positions: np.ndarray) -> int:
    return int((np.diff(positions.astype(int), prepend=0) == 1).sum())


@SEARCH
@given(
    seed=st.integers(0, 2**32),
    part=st.floats(0, 0.99),
    bands=st.integers(1, 40),
    frames=st.integers(1, 60),
    masks=st.integers(1, 4),
)
def test_masks_are_bounded(seed: int, part: float, bands: int, frames: int, masks: int) -> None:
    """Whole bands and whole frames, in at most `masks` runs each, none longer than its part."""
    settings, shape = MasksSettings(masks=masks, frequency_mask=part, time_mask=part / 2), Shape(3, bands, frames)
    for clip in hidden(settings.drawn(np.random.default_rng(seed), shape, np.ones(3, bool)), shape):
        whole_bands, whole_frames = clip.all(axis=1), clip.all(axis=0)
        if not clip.all():
            np.testing.assert_array_equal(clip, whole_bands[:, None] | whole_frames[None, :])
            assert runs(whole_bands) <= masks
            assert runs(whole_frames) <= masks
            assert whole_bands.sum() <= masks * int(part * bands)
            assert whole_frames.sum() <= masks * int(part / 2 * frames)


def test_one_mask_reaches_its_largest_length_and_every_place() -> None:
    settings, shape = MasksSettings(masks=1, frequency_mask=0.25, time_mask=0.0), Shape(2000, 20, 4)
    masked = hidden(settings.drawn(np.random.default_rng(0), shape, np.ones(2000, bool)), shape)[:, :, 0]
    assert set(masked.sum(axis=1)) == {0, 1, 2, 3, 4, 5}
    assert masked.any(axis=0).all()


def test_cutout_hides_rectangles_of_its_sizes() -> None:
    settings, shape = CutoutSettings(height=(0.2, 0.4), width=(0.1, 0.3)), Shape(300, 20, 40)
    masked = hidden(settings.drawn(np.random.default_rng(0), shape, np.ones(300, bool)), shape)
    heights, widths = masked.any(axis=2).sum(axis=1), masked.any(axis=1).sum(axis=1)
    assert (masked.sum(axis=(1, 2)) == heights * widths).all()
    assert set(heights) == {4, 5, 6, 7, 8}
    assert set(widths) == set(range(4, 13))


@pytest.mark.parametrize("settings", [MasksSettings(), CutoutSettings(), FilterAugmentSettings(), TimeWarpSettings()])
def test_clips_that_are_not_chosen_stay(settings: MasksSettings | CutoutSettings) -> None:
    spec = torch.from_numpy(np.random.default_rng(1).standard_normal((6, 2, 32, 50)).astype(np.float32))
    chosen = np.array([True, False] * 3)
    changed = settings.drawn(np.random.default_rng(2), Shape(6, 32, 50), chosen).apply(spec, None)
    same = [torch.equal(before, after) for before, after in zip(spec, changed, strict=True)]
    assert same == (~chosen).tolist()


@SEARCH
@given(seed=st.integers(0, 2**32), bands=st.integers(1, 80), largest=st.floats(0, 3))
def test_the_equaliser_is_bounded_and_smooth(seed: int, bands: int, largest: float) -> None:
    drawn = FilterAugmentSettings(gain=largest).drawn(np.random.default_rng(seed), Shape(6, bands, 9), np.ones(6, bool))
    spec = torch.zeros(6, 2, bands, 9)
    gain = drawn.apply(spec, None)[:, :, :, :1]
    assert torch.equal(drawn.apply(spec, None), gain.expand(6, 2, bands, 9))
    assert gain.abs().max() <= largest * (1 + 1e-6)
    if bands > 1:
        # Four straight pieces: from knot to knot the gain moves by twice the largest at most.
        assert gain.diff(dim=2).abs().max() <= 2 * largest * 4 / (bands - 1) + 1e-5


def ramp(bands: int, frames: int, *, along: int) -> torch.Tensor:
    """[3, 1, F, N] whose value is the place along one dimension."""
    size = (bands, frames)[along - 2]
    places = torch.arange(float(size)).view([-1, 1] if along == 2 else [1, -1])
    return places.expand(3, 1, bands, frames)


def test_a_time_warp_moves_its_anchor_and_neither_end() -> None:
    spec = ramp(4, 101, along=3)
    drawn = TimeWarpDraw(anchors=(0.5, 0.3, 0.5), moved=(0.1, -0.05, 0.1))
    warped = drawn.apply(spec, torch.tensor([101, 101, 41]))
    for clip, (frame, source) in enumerate([(60, 50), (25, 30), (24, 20)]):
        assert warped[clip, 0, 0, frame] == pytest.approx(source, abs=1e-4)
    for clip, length in enumerate([101, 101, 41]):
        rows = warped[clip, 0, 0]
        assert rows[0] == 0
        assert rows[length - 1] == pytest.approx(length - 1, abs=1e-4)
        assert (rows.diff() > 0).all()
        assert torch.equal(rows[length:], spec[clip, 0, 0, length:])


def test_a_frequency_warp_moves_bands_by_its_factor() -> None:
    spec = ramp(101, 3, along=2)
    warped = FrequencyWarpDraw(factors=(1.1, 0.9, 1.0)).apply(spec, None)[:, 0, :, 0]
    assert warped[0, 55] == pytest.approx(50, abs=1e-4)
    assert warped[1, 45] == pytest.approx(50, abs=1e-4)
    assert torch.equal(warped[2], spec[2, 0, :, 0])
    assert (warped[:, 0] == 0).all()
    torch.testing.assert_close(warped[:, 100], torch.full((3,), 100.0))
    assert (warped.diff(dim=1) > 0).all()
