"""What `show` says of an augmentation is what was done."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emogram.augmentation import AUGMENTATIONS
from emogram.errors import ConfigurationError
from emogram.pictures.augmented import Request, augment
from emogram.pictures.views import Version, look
from emogram.spectrograms import SPECTROGRAMS
from emogram.training.configuration import AugmentationSettings

RATE = 16_000
WAVE = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
OTHER = (0.3 * np.random.default_rng(1).standard_normal(RATE // 2)).astype(np.float32)


def request(seed: int = 0, *, others: tuple[Any, ...] = (OTHER,), **groups: Any) -> Request:
    return Request(WAVE, others, RATE, AugmentationSettings.model_validate(groups), np.random.default_rng(seed))


def picture(version: Version) -> Any:
    settings = SPECTROGRAMS["logmel"].model_validate({})
    return look(version, settings, settings.build(RATE), RATE)[0].values


UNSEEN = {"background", "polarity"}
"""One needs a folder of recordings, one changes no level."""


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS.keys() - UNSEEN))
def test_each_changes_the_picture_and_not_its_input(name: str) -> None:
    before = WAVE.copy()
    version = augment(name, request())
    changed = picture(version)
    assert changed.shape[0] == 64
    plain = picture(Version("as recorded", WAVE))
    assert changed.shape != plain.shape or np.abs(changed - plain).max() > 0.1
    assert np.array_equal(before, WAVE)
    assert version.name == name
    assert version.audible is (version.rewrite is None)
    assert np.array_equal(changed, picture(augment(name, request()))), "the same draw gives the same picture"


def _speed(version: Version) -> float:
    return float(len(WAVE) / len(version.wave))


def _gain_db(version: Version) -> float:
    return 20 * math.log10(float(np.abs(version.wave).max() / np.abs(WAVE).max()))


def _snr_db(version: Version) -> float:
    return 10 * math.log10(float(np.mean(WAVE**2) / np.mean((version.wave - WAVE) ** 2)))


@pytest.mark.parametrize(
    ("name", "measured", "tolerance"), [("speed", _speed, 0.005), ("gain", _gain_db, 0.06), ("noise", _snr_db, 0.1)]
)
def test_the_title_tells_what_is_measured(name: str, measured: Callable[[Version], float], tolerance: float) -> None:
    version = augment(name, request(3))
    told = float(next(word for word in version.title.split() if word.strip("+-.").replace(".", "").isdigit()))
    assert measured(version) == pytest.approx(told, abs=tolerance)


def test_a_mixture_is_of_both_spectrograms() -> None:
    version = augment("mixup", request(2))
    weight = float(version.title.split()[-1])
    padded = np.pad(OTHER, (0, len(WAVE) - len(OTHER)))
    mixed = weight * picture(Version("", WAVE)) + (1 - weight) * picture(Version("", padded))
    assert picture(version) == pytest.approx(mixed, abs=0.4)


@pytest.mark.parametrize(
    ("name", "groups", "message"),
    [
        ("sped", {}, "--augment sped: no such augmentation, did you mean 'speed'? choose concatenation, speed"),
        ("background", {}, "background"),
        ("babble", {}, "--augment babble: needs other clips; give a second one"),
    ],
)
def test_what_cannot_be_shown_is_said(name: str, groups: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("?", r"\?")):
        augment(name, request(others=(), **groups))


def test_a_mixture_needs_a_second_clip() -> None:
    with pytest.raises(ConfigurationError, match="mixes two clips; give a second one"):
        augment("mixup", request(others=()))


def test_what_the_configuration_says_is_what_is_drawn() -> None:
    exact = request(waveform=[{"name": "speed", "factor": [1.2, 1.2], "probability": 0}])
    assert augment("speed", exact).title == "speed: factor 1.2"
