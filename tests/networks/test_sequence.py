"""Recurrence and attention over frames, beside PyTorch's own layers and clip by clip."""

import math

import pytest
import torch
from torch import Tensor

from emogram.networks.sequence import AttentionLayer, FrameAttention, GatedRecurrence, Sequence, sequence

LENGTHS = (9, 4, 1)


def frames(channels: int = 6, length: int = 9) -> Tensor:
    return torch.randn(len(LENGTHS), channels, length, generator=torch.Generator().manual_seed(0))


def mask(length: int = 9) -> Tensor:
    return (torch.arange(length)[None, :] < torch.tensor(LENGTHS)[:, None]).float()[:, None]


@pytest.fixture(params=["gru", "attention"])
def layers(request: pytest.FixtureRequest) -> Sequence:
    torch.manual_seed(0)
    made = sequence(request.param, 6, width=8, layers=2, heads=2)
    assert made is not None
    return made.eval()


def test_none_is_none() -> None:
    assert sequence("none", 6, width=8, layers=2, heads=2) is None


def test_padded_frames_change_nothing(layers: Sequence) -> None:
    values = frames()
    with torch.no_grad():
        together = layers(torch.where(mask() > 0, values, 1e2), mask())
        assert together.shape == (3, layers.out_channels, 9)
        for clip, length in enumerate(LENGTHS):
            alone = layers(values[clip : clip + 1, :, :length], None)
            torch.testing.assert_close(together[clip, :, :length], alone[0], atol=1e-5, rtol=1e-5)


def test_every_frame_hears_every_other(layers: Sequence) -> None:
    for place in (0, 8):
        values = frames().requires_grad_()
        layers(values, None)[0, 0, place].backward()
        assert values.grad is not None
        assert (values.grad[0].abs().sum(dim=0) > 0).all()


def test_recurrence_is_torchs() -> None:
    torch.manual_seed(0)
    layer = GatedRecurrence(6, 8, 2)
    values = frames()
    with torch.no_grad():
        torch.testing.assert_close(layer(values, None), layer.gru(values.transpose(1, 2))[0].transpose(1, 2))


def test_attention_is_the_papers() -> None:
    """One layer and one head in plain products, in double precision (Vaswani et al. 2017)."""
    torch.manual_seed(0)
    module = FrameAttention(6, 4, 1, 1).double().eval()
    (layer,) = module.layers
    assert isinstance(layer, AttentionLayer)
    values = frames().double()
    with torch.no_grad():
        x = module.project(values.transpose(1, 2))
        y = layer.look(x)
        scores = layer.queries(y) @ layer.keys(y).transpose(1, 2) / math.sqrt(4)
        x = x + layer.join(scores.softmax(dim=2) @ layer.values(y))
        x = x + layer.perceptron(layer.think(x))
        torch.testing.assert_close(module(values, None), module.normalisation(x).transpose(1, 2))
