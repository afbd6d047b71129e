"""Mixup: its weights, its partners, and that spectrograms and targets are mixed alike."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as search
from hypothesis import strategies as st
from pydantic import ValidationError

from emogram.augmentation import batch, spectrogram
from emogram.augmentation.batch import BatchSettings, MixupDraw

SEARCH = search(deadline=None, max_examples=50)

DRAW_BOTH = """
import numpy as np
from tests.augmentation.test_batch import draw_both
print(draw_both())
"""


def draw_both() -> str:
    rng = np.random.Generator(np.random.Philox(11))
    settings = spectrogram.SpectrogramAugmentationSettings()
    masks = spectrogram.draw(settings, rng, clips=3, bands=9, frames=7)
    return f"{masks.masked.tobytes().hex()} {masks.gain.tobytes().hex()} {batch.draw(BatchSettings(), rng, clips=3)}"


def draw(mixup: float, seed: int, clips: int = 8) -> MixupDraw:
    drawn = batch.draw(BatchSettings(mixup=mixup), np.random.default_rng(seed), clips=clips)
    assert drawn is not None
    return drawn


@SEARCH
@given(seed=st.integers(0, 2**32), mixup=st.floats(1e-300, 10), clips=st.integers(1, 40))
def test_weight_is_a_part_and_partners_are_each_clip_once(seed: int, mixup: float, clips: int) -> None:
    drawn = draw(mixup, seed, clips)
    assert 0 <= drawn.weight <= 1
    assert sorted(drawn.partner) == list(range(clips))


@pytest.mark.parametrize("mixup", [0.2, 1.0, 5.0])
def test_weights_have_the_mean_and_deviation_of_the_beta_distribution(mixup: float) -> None:
    weights = np.array([draw(mixup, seed).weight for seed in range(600)])
    deviation = (1 / (4 * (2 * mixup + 1))) ** 0.5
    assert weights.mean() == pytest.approx(0.5, abs=4 * deviation / 600**0.5)
    assert weights.std() == pytest.approx(deviation, rel=0.1)


def test_each_clip_becomes_its_weight_of_itself_and_the_rest_of_its_partner() -> None:
    drawn = MixupDraw(weight=0.25, partner=np.array([2, 0, 1]))
    targets = torch.eye(3)
    spec = torch.arange(3.0)[:, None, None, None].expand(3, 1, 4, 5)
    assert batch.apply(targets, drawn).tolist() == [[0.25, 0, 0.75], [0.75, 0.25, 0], [0, 0.75, 0.25]]
    assert batch.apply(spec, drawn)[:, 0, 0, 0].tolist() == [1.5, 0.25, 1.25]
    assert torch.equal(targets, torch.eye(3))
    assert batch.apply(spec, drawn).shape == spec.shape


@SEARCH
@given(seed=st.integers(0, 2**32), clips=st.integers(1, 12))
def test_mixed_targets_remain_distributions(seed: int, clips: int) -> None:
    targets = torch.softmax(torch.from_numpy(np.random.default_rng(seed).standard_normal((clips, 5))), dim=1)
    torch.testing.assert_close(batch.apply(targets, draw(0.3, seed, clips)).sum(dim=1), torch.ones(clips).double())


def test_a_weight_of_one_is_the_identity() -> None:
    values = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32))
    mixed = batch.apply(values, MixupDraw(weight=1.0, partner=np.array([1, 2, 3, 0])))
    torch.testing.assert_close(mixed, values, rtol=0, atol=1e-6)


def test_zero_draws_nothing() -> None:
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    assert batch.draw(BatchSettings(mixup=0), rng, clips=4) is None
    assert rng.random() == untouched.random()


def test_another_process_draws_the_same_masks_and_partners() -> None:
    root = Path(__file__).parents[2]
    there = subprocess.run(
        [sys.executable, "-c", DRAW_BOTH], capture_output=True, text=True, check=True, cwd=root
    ).stdout
    assert there.strip() == draw_both()


@pytest.mark.parametrize("value", [-0.1, 11, float("nan"), float("inf")])
def test_values_out_of_bounds_name_the_field(value: float) -> None:
    with pytest.raises(ValidationError) as refusal:
        BatchSettings(mixup=value)
    assert [problem["loc"] for problem in refusal.value.errors()] == [("mixup",)]
