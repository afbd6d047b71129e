"""Parameters and multiply-adds, counted by hand."""

from typing import Any

import pytest
import torch

from emogram.networks.classifier import Classifier
from emogram.networks.registry import settings_of
from emogram.networks.summary import multiply_adds, n_parameters, parts
from emogram.spectrograms import LogMelSettings
from tests.networks.made_up import cnn

BASE: dict[str, Any] = {
    "name": "cnn-tiny",
    "stem_channels": 2,
    "stem_kernel": 3,
    "channels": (4,),
    "strides": (2,),
    "block": "plain",
    "pooling": "average",
}
# 1600 samples are 11 frames of 64 bands: 32 x 6 after the stem, 16 x 3 after the block.
STEM = 32 * 6 * 2 * (1 * 3 * 3)
FIRST, SECOND = 16 * 3 * 4 * (2 * 3 * 3), 16 * 3 * 4 * (4 * 3 * 3)


def classifier(**changes: Any) -> Classifier:
    return Classifier(LogMelSettings().build(16_000), cnn(BASE | changes, 3))


@pytest.mark.parametrize(
    ("changes", "multiplications"),
    [
        ({}, STEM + FIRST + SECOND + 4 * 3),
        ({"block": "residual"}, STEM + FIRST + SECOND + 16 * 3 * 4 * 2 + 4 * 3),
        ({"squeeze_excitation": True}, STEM + FIRST + SECOND + 4 * 1 + 1 * 4 + 4 * 3),
        ({"pooling": "attention"}, STEM + FIRST + SECOND + 3 * (4 * 64 + 64 * 4) + 8 * 3),
        ({"stem_kernel": 5}, 32 * 6 * 2 * 25 + FIRST + SECOND + 4 * 3),
        ({"convolution": "separable"}, STEM + 16 * 3 * (2 * 9 + 2 * 4 + 4 * 9 + 4 * 4) + 4 * 3),
        ({"stem_branches": ((9, 1), (1, 11))}, 32 * 6 * (9 + 11) + FIRST + SECOND + 4 * 3),
        ({"sequence": "gru", "sequence_width": 6}, STEM + FIRST + SECOND + 3 * 2 * 3 * 3 * (4 + 3) + 6 * 3),
        (
            {"sequence": "attention", "sequence_width": 8},
            STEM + FIRST + SECOND + 3 * (4 * 8 + 4 * 8 * 8 + 2 * 8 * 16) + 2 * 3 * 3 * 8 + 8 * 3,
        ),
    ],
    ids=["plain", "residual", "squeeze-excitation", "attention", "kernel", "separable", "branches", "gru", "heads"],
)
def test_multiply_adds_are_those_counted_by_hand(changes: dict[str, Any], multiplications: int) -> None:
    assert multiply_adds(classifier(**changes), 1600) == multiplications


def test_parameters_are_those_counted_by_hand() -> None:
    convolutions = 1 * 2 * 9 + 2 * 4 * 9 + 4 * 4 * 9
    normalisations = 2 * (2 + 4 + 4)
    assert n_parameters(classifier()) == convolutions + normalisations + 4 * 3 + 3


@pytest.mark.parametrize("training", [False, True])
def test_counting_leaves_the_classifier_as_it_was(training: bool) -> None:
    counted = classifier(normalisation="batch").train(training)
    before = {name: value.clone() for name, value in counted.state_dict().items()}
    first, second = multiply_adds(counted, 1600), multiply_adds(counted, 1600)
    assert first == second
    assert counted.training is training
    assert all(torch.equal(value, before[name]) for name, value in counted.state_dict().items())
    assert not any(module._forward_hooks for module in counted.modules())


def ten_seconds(name: str, bands: int) -> int:
    with torch.device("meta"):
        network = settings_of(name).build(527, in_bands=bands)
    return sum(part.multiply_adds for part in parts(network, channels=1, bands=bands, frames=1001))


@pytest.mark.parametrize(("name", "published"), [("cnn6", 21.986e9), ("cnn10", 28.166e9), ("cnn14", 42.220e9)])
def test_ten_seconds_of_panns_cost_what_their_authors_say(name: str, published: float) -> None:
    """Table VI of Kong et al. (2020), where a multiplication and an addition are two, and the front end is in it: the
    Fourier transform as a convolution of 1024 samples with 2 x 513 waves, then 64 bands.
    """
    front_end = 1001 * (2 * 513 * 1024 + 513 * 64)
    assert 2 * (ten_seconds(name, 64) + front_end) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(("name", "published"), [("mn04", 0.11e9), ("mn10", 0.54e9)])
def test_ten_seconds_of_mobilenets_cost_what_their_authors_say(name: str, published: float) -> None:
    """Schmid et al. (2023), rounded to 10 million multiply-adds."""
    assert ten_seconds(name, 128) == pytest.approx(published, abs=0.005e9)


@pytest.mark.parametrize(
    "name", ["cnn-tiny", "crnn", "cnn-multihead", "cnn-branches", "audiontt", "mn04", "whisper-tiny"]
)
def test_the_parts_make_up_the_whole(name: str) -> None:
    with torch.device("meta"):
        network = settings_of(name).build(4)
    rows = parts(network, channels=1, bands=settings_of(name).own_bands, frames=50)
    assert sum(row.parameters for row in rows) == n_parameters(network)
    assert len({row.name for row in rows}) == len(rows) > 5
    (head,) = (row for row in rows if row.name == "head")
    assert (head.kind, head.shape) == ("Linear", (4,))
