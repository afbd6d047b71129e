"""The field of networks small enough to follow by hand."""

from typing import Any

import pytest
import torch

from emogram.networks.receptive_field import receptive_field
from emogram.networks.registry import settings_of
from tests.networks.made_up import cnn

PLAIN: dict[str, Any] = {"name": "cnn-tiny", "stem_kernel": 3, "channels": (4,), "strides": (2,), "block": "plain"}
# Stem: 3 frames, steps of 2. First convolution: 2 * 2 more, steps of 4. Second: 2 * 4 more.
REACH = 3 + 2 * 2 + 2 * 4


@pytest.mark.parametrize(
    ("changes", "frames", "step"),
    [
        ({}, REACH, 4),
        ({"squeeze_excitation": True}, REACH, 4),
        ({"normalisation": "instance"}, REACH, 4),
        ({"activation": "gelu"}, REACH, 4),
        ({"block": "residual"}, REACH, 4),
        ({"convolution": "separable"}, REACH, 4),
        ({"dilations": (3,)}, 3 + 3 * 2 * 2 + 3 * 2 * 4, 4),
        ({"stem_branches": ((9, 1), (1, 11))}, 11 + 2 * 2 + 2 * 4, 4),
        ({"strides": (1,)}, 3 + 2 * 2 + 2 * 2, 2),
        ({"sequence": "gru"}, REACH, 4),
    ],
)
def test_frames_are_those_counted_by_hand(changes: dict[str, Any], frames: int, step: int) -> None:
    field = receptive_field(cnn(PLAIN | changes), channels=1, bands=64, most_frames=120)
    assert (field.frames, field.step) == (frames, step)


def test_bands_are_those_counted_by_hand() -> None:
    field = receptive_field(cnn(PLAIN), channels=2 - 1, bands=64, most_frames=120)
    assert field.last_band - field.first_band + 1 == REACH
    assert field.first_band <= 32 <= field.last_band


def test_poolings_count() -> None:
    """AudioNTT: 3, pooled by 2: 4, 3 at steps of 2: 8, pooled by 2: 10; every frame holds all bands."""
    field = receptive_field(settings_of("audiontt").build(4), channels=1, bands=64, most_frames=60)
    assert (field.frames, field.step, field.first_band, field.last_band) == (10, 4, 0, 63)


def test_attention_has_no_end() -> None:
    settings = type(settings_of("whisper-tiny")).model_validate({"name": "whisper-tiny", "blocks": 1, "pooled": 1})
    assert receptive_field(settings.build(4), channels=1, bands=80, most_frames=60).frames is None


def test_the_network_is_left_as_it_was() -> None:
    network = cnn(PLAIN).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    receptive_field(network, channels=1, bands=64, most_frames=60)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
