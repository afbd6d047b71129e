"""Every pooling beside numpy, with and without padded frames."""

from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emogram.networks.pooling import AttentionPooling, PoolingName, SelfAttentionPooling, pooling

NAMES: tuple[PoolingName, ...] = get_args(PoolingName)


def frames(clips: int = 3, channels: int = 4, length: int = 9) -> Tensor:
    return torch.randn(clips, channels, length, generator=torch.Generator().manual_seed(0))


def mask(*lengths: int, length: int = 9) -> Tensor:
    return (torch.arange(length)[None, :] < torch.tensor(lengths)[:, None]).float()[:, None]


def expected(name: PoolingName, clip: np.ndarray) -> np.ndarray:
    """Of one clip [D, N] without padding."""
    mean, deviation = clip.mean(axis=1), np.sqrt(clip.var(axis=1) + 1e-5)
    results: dict[str, list[np.ndarray]] = {
        "average": [mean],
        "max": [clip.max(axis=1)],
        "average_max": [mean, clip.max(axis=1)],
        "statistics": [mean, deviation],
        "attention": [mean, deviation],
        "self_attention": [mean] * 4,
    }
    return np.concatenate(results[name])


def even(name: PoolingName) -> nn.Module:
    """The pooling; attention with scores that weigh all frames alike."""
    module = pooling(name, 4)
    if isinstance(module, AttentionPooling | SelfAttentionPooling):
        last = module.score[-1]
        assert isinstance(last, nn.Conv1d)
        nn.init.zeros_(last.weight)
    return module


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lengths", [None, (9, 4, 1)], ids=["whole", "padded"])
def test_values_are_numpys(name: PoolingName, lengths: tuple[int, ...] | None) -> None:
    values = frames() - 3.0  # so that a padded zero would be the maximum
    pooled = even(name)(values, None if lengths is None else mask(*lengths))
    for clip, length in enumerate(lengths or (9, 9, 9)):
        wanted = expected(name, values[clip, :, :length].numpy())
        np.testing.assert_allclose(pooled[clip].detach(), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_padded_frames_count_for_nothing(name: PoolingName) -> None:
    torch.manual_seed(0)
    module, values = pooling(name, 4), frames()
    pooled = module(values, mask(9, 4, 1))
    assert pooled.shape == (3, module.out_features)
    other = torch.where(mask(9, 4, 1) > 0, values, 1e3)
    torch.testing.assert_close(module(other, mask(9, 4, 1)), pooled)
    torch.testing.assert_close(module(values[1:2, :, :4]), pooled[1:2])


@pytest.mark.parametrize("name", NAMES)
def test_one_frame_and_equal_frames_have_finite_gradients(name: PoolingName) -> None:
    for values in (torch.ones(2, 4, 1), torch.ones(2, 4, 6)):
        values.requires_grad_()
        pooling(name, 4)(values).sum().backward()
        assert values.grad is not None
        assert torch.isfinite(values.grad).all()


def test_attention_follows_its_scores() -> None:
    """A channel whose score is far above the others at one frame takes that frame's value, with no deviation."""
    module, values = AttentionPooling(2, bottleneck=1), torch.zeros(1, 2, 5)
    values[0, 0, 3] = 1.0
    values[0, 1] = torch.tensor([5.0, 6, 7, 8, 9])
    first, last = module.score[0], module.score[-1]
    assert isinstance(first, nn.Conv1d)
    assert isinstance(last, nn.Conv1d)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[[100.0], [0.0]]]))
        assert first.bias is not None
        first.bias.zero_()
        last.weight.fill_(50.0)
    np.testing.assert_allclose(module(values)[0].detach(), [1, 8, 1e-5**0.5, 1e-5**0.5], rtol=1e-4)
    assert last.bias is None, "it would cancel in the softmax and never get a gradient"


def test_every_head_follows_its_own_scores() -> None:
    module = SelfAttentionPooling(1, heads=2, bottleneck=1)
    first, last = module.score[0], module.score[-1]
    assert isinstance(first, nn.Conv1d)
    assert isinstance(last, nn.Conv1d)
    with torch.no_grad():
        first.weight.fill_(10.0)
        assert first.bias is not None
        first.bias.zero_()
        last.weight.copy_(torch.tensor([[[50.0]], [[-50.0]]]))
    values = torch.tensor([[[-1.0, 3.0, -2.0]]])
    np.testing.assert_allclose(module(values)[0].detach(), [3.0, -1.5], rtol=1e-4)
