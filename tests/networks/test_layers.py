"""Normalisations and what is dropped in training."""

from typing import get_args

import pytest
import torch

from emogram.networks.layers import DROPS, DropBlock, DropName, normalisation


def picture(clips: int = 2, channels: int = 6, bands: int = 7, frames: int = 9) -> torch.Tensor:
    return 3 + 2 * torch.randn(clips, channels, bands, frames, generator=torch.Generator().manual_seed(0))


def test_layer_normalisation_evens_the_channels_of_each_place() -> None:
    x = picture()
    y = normalisation("layer", 6)(x)
    torch.testing.assert_close(
        y, (x - x.mean(dim=1, keepdim=True)) / (x.var(dim=1, unbiased=False, keepdim=True) + 1e-5).sqrt()
    )
    one_frame = normalisation("layer", 6)(x[..., 4:5])
    torch.testing.assert_close(one_frame, y[..., 4:5])


def test_group_and_instance_normalisation_even_what_they_say() -> None:
    x = picture()
    instance, group = normalisation("instance", 6)(x), normalisation("group", 6)(x)
    assert instance.mean(dim=(2, 3)).abs().max() < 1e-5
    assert group.reshape(2, 2, -1).mean(dim=2).abs().max() < 1e-5
    assert group.mean(dim=(2, 3)).abs().max() > 1e-3


@pytest.mark.parametrize("name", get_args(DropName))
def test_nothing_is_dropped_in_evaluation_and_the_right_part_in_training(name: DropName) -> None:
    torch.manual_seed(0)
    layer, x = DROPS[name](0.2), torch.ones(40, 32, 24, 30)
    assert torch.equal(layer.eval()(x), x)
    dropped = layer.train()(x)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.03)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_squares_are_dropped_whole(size: int) -> None:
    """Where one square alone was drawn, it has its full size; everything else is scaled alike."""
    torch.manual_seed(1)
    dropped = DropBlock(0.002 * size**2, size).train()(torch.ones(300, 1, 16, 20))
    maps = (dropped[:, 0] == 0).float()
    single = 0
    for missing in maps[maps.sum(dim=(1, 2)) == size**2]:
        rows, columns = torch.nonzero(missing.any(dim=1)).flatten(), torch.nonzero(missing.any(dim=0)).flatten()
        assert len(rows) == len(columns) == size
        single += 1
    assert single > 10
    assert len(torch.unique(dropped)) == 2


def test_squares_are_cut_to_small_pictures() -> None:
    torch.manual_seed(0)
    for bands, frames in ((1, 1), (2, 9), (9, 1)):
        dropped = DropBlock(0.5).train()(torch.ones(50, 3, bands, frames))
        assert torch.isfinite(dropped).all()
        assert (dropped == 0).any()
        assert (dropped > 0).any()
