"""Batches: a network that standardises over the clips of one is not given a single clip."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from emogram.corpora import Clip
from emogram.errors import TrainingError
from emogram.training.batches import require_a_batch
from emogram.training.configuration import Configuration
from emogram.training.learning_rate import range_test
from emogram.training.material import prepare
from emogram.training.run import train, validate_only
from tests.training import runs

SETTINGS = ("split.name=speaker", "spectrogram=whisper", "network={name: whisper-tiny, blocks: 2, pooled: 1}")

WAYS: dict[str, Callable[[Configuration, Path, Sequence[Clip]], object]] = {
    "train": lambda configuration, folder, clips: train(configuration, folder, clips=clips),
    "validate": lambda configuration, folder, clips: validate_only(configuration, folder, clips, lambda _: None),
    "range test": lambda configuration, folder, clips: range_test(configuration, clips),
}


@pytest.fixture
def three(small: runs.Small) -> list[Clip]:
    """A clip of each of three speakers, one a part."""
    places = zip(sorted({clip.speaker for clip in small.clips}), ("angry", "sad", "sad"), strict=False)
    return [next(clip for clip in small.clips if (clip.speaker, clip.emotion) == place) for place in places]


@pytest.mark.parametrize("way", WAYS)
def test_one_clip_is_refused_before_anything_is_written(small: runs.Small, three: list[Clip], way: str) -> None:
    message = (
        "the training part has 1 clip, and network=whisper-tiny standardises over the clips of a batch, which takes 2 or "
        "more; give more clips or choose another split or network"
    )
    with pytest.raises(TrainingError, match=message):
        WAYS[way](small.configuration(*SETTINGS), small.folder, three)
    assert not small.folder.exists()


def test_one_clip_is_enough_for_networks_that_standardise_over_frames(small: runs.Small, three: list[Clip]) -> None:
    configuration = small.configuration("split.name=speaker")
    require_a_batch(configuration, prepare(configuration, three))
    metrics = train(configuration, small.folder, clips=three, scores_only=True)
    assert metrics["epochs"] == 2


def test_two_are_enough(small: runs.Small) -> None:
    configuration = small.configuration(*SETTINGS)
    material = prepare(configuration, small.clips)
    assert len(material.split.train) > 1
    require_a_batch(configuration, material)
