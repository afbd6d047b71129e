"""Parameters and multiply-adds, counted by hand."""

from typing import Any

import pytest
import torch

from emogram.networks.classifier import Classifier
from emogram.networks.cnn import CNNSettings
from emogram.networks.summary import multiply_adds, n_parameters
from emogram.spectrograms import LogMelSettings

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
    network = CNNSettings.model_validate(BASE | changes).build(3)
    return Classifier(LogMelSettings().build(16_000), network)


@pytest.mark.parametrize(
    ("changes", "multiplications"),
    [
        ({}, STEM + FIRST + SECOND + 4 * 3),
        ({"block": "residual"}, STEM + FIRST + SECOND + 16 * 3 * 4 * 2 + 4 * 3),
        ({"squeeze_excitation": True}, STEM + FIRST + SECOND + 4 * 1 + 1 * 4 + 4 * 3),
        ({"pooling": "attention"}, STEM + FIRST + SECOND + 3 * (4 * 64 + 64 * 4) + 8 * 3),
        ({"stem_kernel": 5}, 32 * 6 * 2 * 25 + FIRST + SECOND + 4 * 3),
    ],
    ids=["plain", "residual", "squeeze-excitation", "attention", "kernel"],
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
