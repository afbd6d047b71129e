"""Mixup and cutmix: weights, partners, and that spectrograms and targets are mixed alike."""

import numpy as np
import pytest
import torch

from emogram.augmentation.batch import CutMixDraw, CutMixSettings, Examples, MixupDraw, MixupSettings

ALLOWED = torch.tensor([[True, False, False], [True, True, False], [False, False, True]])


def examples(n_frames: list[int] | None = None) -> Examples:
    spec = torch.arange(1.0, 4)[:, None, None, None].expand(3, 2, 4, 10)
    return Examples(spec, torch.eye(3), ALLOWED, None if n_frames is None else torch.tensor(n_frames))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_weights_have_the_mean_and_deviation_of_the_beta_distribution(alpha: float) -> None:
    settings = MixupSettings(alpha=alpha)
    weights = np.array([settings.drawn(np.random.default_rng(seed), 4).weight for seed in range(600)])
    deviation = (1 / (4 * (2 * alpha + 1))) ** 0.5
    assert weights.mean() == pytest.approx(0.5, abs=4 * deviation / 600**0.5)
    assert weights.std() == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("settings", [MixupSettings(), CutMixSettings()])
def test_partners_are_each_clip_once(settings: MixupSettings | CutMixSettings) -> None:
    for clips in (1, 2, 9):
        assert sorted(settings.drawn(np.random.default_rng(clips), clips).partner) == list(range(clips))


def test_mixup_gives_each_clip_its_weight_of_itself_and_the_rest_of_its_partner() -> None:
    mixed = MixupDraw(weight=0.25, partner=(2, 0, 1)).apply(examples([10, 4, 6]))
    assert mixed.targets.tolist() == [[0.25, 0, 0.75], [0.75, 0.25, 0], [0, 0.75, 0.25]]
    assert mixed.spec[:, 0, 0, 0].tolist() == [2.5, 1.25, 2.25]
    assert mixed.allowed.tolist() == (ALLOWED | ALLOWED[[2, 0, 1]]).tolist()
    assert mixed.n_frames is not None
    assert mixed.n_frames.tolist() == [10, 10, 6]


def test_cutmix_takes_a_run_of_frames_and_mixes_targets_by_area() -> None:
    mixed = CutMixDraw(part=0.4, position=0.5, partner=(1, 2, 0)).apply(examples())
    assert mixed.spec[0, 1, 3].tolist() == [1, 1, 1, 2, 2, 2, 2, 1, 1, 1]
    torch.testing.assert_close(mixed.targets[0], torch.tensor([0.6, 0.4, 0.0]))
    assert mixed.allowed.tolist() == (ALLOWED | ALLOWED[[1, 2, 0]]).tolist()


def test_cutmix_takes_no_padding_and_counts_true_frames() -> None:
    mixed = CutMixDraw(part=1.0, position=0.0, partner=(1, 2, 0)).apply(examples([10, 4, 6]))
    assert mixed.spec[0, 0, 0].tolist() == [2] * 4 + [1] * 6
    torch.testing.assert_close(mixed.targets, torch.tensor([[0.6, 0.4, 0], [0, 0, 1], [1, 0, 0]]))
    assert mixed.n_frames is not None
    assert mixed.n_frames.tolist() == [10, 4, 6]
    for clip, part in enumerate([0.4, 1.0, 1.0]):
        frames = mixed.spec[clip, 0, 0, : [10, 4, 6][clip]]
        assert (frames != clip + 1).float().mean() == pytest.approx(part)


@pytest.mark.parametrize(
    "drawn", [MixupDraw(weight=1, partner=(1, 2, 0)), CutMixDraw(part=0, position=0.3, partner=(1, 2, 0))]
)
def test_nothing_taken_changes_nothing(drawn: MixupDraw | CutMixDraw) -> None:
    mixed = drawn.apply(examples())
    torch.testing.assert_close(mixed.spec, examples().spec)
    torch.testing.assert_close(mixed.targets, torch.eye(3))
