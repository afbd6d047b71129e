"""Frames in time: where those of a network are, and how those of one grid become those of another."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emogram.errors import ConfigurationError
from emogram.networks.cnn import CNNSettings
from emogram.training.distillation.alignment import FrameGrid, measure_grid, overlaps

PAIRS = FrameGrid(0.04, 0.01, 512)
"""The teacher's: two positions 20 ms apart."""


class Stack(nn.Module):
    """Some layers over time, as a network with one channel and one row."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.never_used = nn.Linear(1, 1)

    def features(self, spec: Tensor, n_frames: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return self.layers(spec), None


def convolution(kernel: int, stride: int, padding: int) -> nn.Module:
    layer = nn.Conv2d(1, 1, (1, kernel), (1, stride), (0, padding))
    nn.init.ones_(layer.weight)
    return layer


def mean(size: int) -> nn.Module:
    return nn.AvgPool2d((1, size))


STACKS = {
    "strided": [convolution(3, 2, 1), convolution(5, 3, 2)],
    "pooled": [convolution(3, 1, 1), mean(4), mean(2)],
    "strided and pooled": [convolution(3, 2, 1), mean(4)],
    "unpadded": [convolution(3, 1, 0), convolution(5, 2, 0)],
    "even": [convolution(4, 2, 1)],
}


@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS)
def test_a_grid_is_where_the_frames_listen(layers: list[nn.Module]) -> None:
    """The centre of gravity of what a frame depends on, since all weights are alike."""
    network = Stack(*layers)
    grid = measure_grid(network, in_channels=1, in_bands=1)
    spec = torch.zeros(1, 1, 1, 400, requires_grad=True)
    network.features(spec)[0][0, 0, 0, 7].backward()  # type: ignore[no-untyped-call]
    assert spec.grad is not None
    heard = spec.grad[0, 0, 0].double()
    centre = float((heard * torch.arange(400)).sum() / heard.sum())
    assert centre == pytest.approx(grid.first + 7 * grid.step, abs=1e-5)


@pytest.mark.parametrize(("name", "step", "channels"), [("cnn-tiny", 16, 64), ("cnn-student", 8, 384)])
def test_the_grid_of_a_cnn(name: str, step: int, channels: int) -> None:
    network = CNNSettings.model_validate(name).build(4).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert measure_grid(network, in_channels=1, in_bands=16) == FrameGrid(step, 0.0, channels)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_network_without_frames_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no feature map that could follow a teacher; choose network="):
        measure_grid(nn.Linear(1, 1), in_channels=1, in_bands=80)
    with pytest.raises(ConfigurationError, match="frames are longer than 256 of the spectrogram; choose smaller"):
        measure_grid(Stack(convolution(1, 600, 0)), in_channels=1, in_bands=1)


def test_eighty_milliseconds_of_pairs() -> None:
    """Frame 2 is heard from 120 to 200 ms; pairs begin at 110, 150 and 190 ms."""
    weights = overlaps(FrameGrid(0.08, 0.0, 384), 5, PAIRS, 11)
    assert weights[2] == pytest.approx([0, 0, 0, 3 / 8, 4 / 8, 1 / 8, 0, 0, 0, 0, 0])
    assert weights[0] == pytest.approx([0.8, 0.2, *[0] * 9])
    assert weights.sum(axis=1) == pytest.approx(np.ones(5))


@pytest.mark.parametrize("start", [0.0, 0.0131, 0.5])
@pytest.mark.parametrize(("step", "first"), [(0.08, 0.0), (0.04, 0.0), (0.16, 0.075), (0.32, 0.0)])
def test_what_grows_with_time_keeps_its_time(step: float, first: float, start: float) -> None:
    given = PAIRS.first + PAIRS.step * np.arange(100)
    weights = overlaps(FrameGrid(step, first, 1), 8, PAIRS, 100, start=start)
    expected = start + first + step * np.arange(8)
    assert (weights @ given)[1:] == pytest.approx(expected[1:], abs=1e-9)


def test_where_the_teacher_has_no_frame_there_is_none() -> None:
    weights = overlaps(FrameGrid(0.08, 0.0, 384), 9, PAIRS, 10)  # until 390 ms
    assert list(weights.sum(axis=1).round(9)) == [1, 1, 1, 1, 1, 1, 0, 0, 0]
    assert list(weights[5].nonzero()[0]) == [9]


def test_kernels_of_one_listen_to_one_frame() -> None:
    """The same by looking at a CNN: of all frames of the spectrogram only number 24 moves frame 3."""
    fields = {"name": "cnn-tiny", "strides": [2, [1, 2], 1], "stem_kernel": 1, "kernel": 1, "block": "plain"}
    network = CNNSettings.model_validate(fields).build(4).eval()
    grid = measure_grid(network, in_channels=1, in_bands=8)
    spec = torch.randn(1, 1, 8, 64, requires_grad=True)
    network.features(spec)[0][..., 3].square().sum().backward()  # type: ignore[no-untyped-call]
    assert spec.grad is not None
    assert spec.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten().tolist() == [grid.first + 3 * grid.step] == [24]
