"""Batches: every draw follows from seed, epoch and clip, whatever was drawn before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from emogram.augmentation.level import GainSettings
from emogram.augmentation.noise import BabbleSettings, NoiseSettings
from emogram.augmentation.stretching import SpeedSettings
from emogram.augmentation.timing import ConcatenationSettings
from emogram.corpora import Clip
from emogram.splits import Split
from emogram.training.cache import AudioCache
from emogram.training.configuration import validate
from emogram.training.data import ClipDataset, EpochSampler, Item, LengthSampler, collate, generator
from emogram.training.material import Material

EMOTIONS = ("neutral", "happy", "sad", "angry")
ALLOWED = {"one": frozenset(EMOTIONS), "two": frozenset({"happy", "sad"})}
RATE = 1000


class Waves(AudioCache):
    """Waves that no file holds: noise of another length for each clip."""

    def __init__(self) -> None:
        self.sample_rate = RATE

    def __call__(self, clip: Clip) -> np.ndarray:
        number = int(clip.clip_id)
        wave: np.ndarray = np.random.default_rng(number).normal(0, 0.1, 400 + 50 * number).astype(np.float32)
        return wave


def clips(count: int = 6) -> list[Clip]:
    return [
        Clip(
            clip_id=str(number),
            path="",
            corpus="two" if number % 3 == 1 else "one",
            speaker="a",
            emotion=EMOTIONS[1 + number % 2],
            raw_label="",
        )
        for number in range(count)
    ]


def dataset(*, seed: int = 0, augmented: bool = True, crop_s: float | None = 0.3) -> ClipDataset:
    settings = (SpeedSettings(factor=(0.8, 1.2)), GainSettings(), NoiseSettings(probability=0.5)) if augmented else None
    return ClipDataset(
        clips(), Waves(), emotions=EMOTIONS, allowed=ALLOWED, seed=seed, augmentation=settings, crop_s=crop_s
    )


def test_a_generator_follows_from_seed_purpose_and_position_alone() -> None:
    reference = generator(3, "clip", 1, 2).integers(2**62)
    assert generator(3, "clip", 1, 2).integers(2**62) == reference
    others = [generator(4, "clip", 1, 2), generator(3, "batch", 1, 2), generator(3, "clip", 2, 1)]
    assert all(other.integers(2**62) != reference for other in others)


def test_the_random_numbers_are_the_same_on_every_machine() -> None:
    drawn = [int(generator(0, purpose, 1, 2).integers(1000)) for purpose in ("order", "clip", "batch")]
    assert drawn == [656, 997, 581]


def test_an_item_is_the_same_whatever_was_drawn_before() -> None:
    fresh = dataset()[3, 4].wave
    used = dataset()
    for address in [(0, 0), (3, 3), (2, 4), (3, 4)]:
        used[address]
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002 - what a stranger's code may do
    assert torch.equal(used[3, 4].wave, fresh)


@pytest.mark.parametrize("other", [{"epoch": 4}, {"seed": 1}])
def test_an_item_changes_with_epoch_and_seed(other: dict[str, int]) -> None:
    reference = dataset()[3, 4].wave
    changed = dataset(seed=other.get("seed", 0))[other.get("epoch", 3), 4].wave
    assert changed.shape != reference.shape or not torch.equal(changed, reference)


def test_an_augmented_item_is_a_crop_and_never_longer() -> None:
    augmented = dataset()
    items = [augmented[epoch, index] for epoch in range(5) for index in range(6)]
    assert {len(item.wave) for item in items} == {300}
    assert all(item.wave.dtype == torch.float32 for item in items)
    starts = {float(item.wave[0]) for item in items if item.index == 0}
    assert len(starts) == 5


def test_without_augmentation_an_item_is_the_clip_itself() -> None:
    plain = dataset(augmented=False)
    for index, clip in enumerate(clips()):
        item = plain[0, index]
        np.testing.assert_array_equal(item.wave.numpy(), Waves()(clip))
        assert item.target == EMOTIONS.index(clip.emotion)
        assert [EMOTIONS[place] for place in torch.nonzero(item.allowed).flatten()] == [
            emotion for emotion in EMOTIONS if emotion in ALLOWED[clip.corpus]
        ]
        assert item.index == index


def test_augmentation_leaves_the_cached_wave_as_it_is() -> None:
    cached = np.full(500, 0.1, np.float32)

    class Same(Waves):
        def __call__(self, clip: Clip) -> np.ndarray:
            return cached

    augmented = dataset()
    augmented.cache = Same()
    for epoch in range(10):
        assert augmented[epoch, 1].wave.any()
    assert (cached == np.float32(0.1)).all()


def test_babble_and_concatenation_hear_no_clip_of_another_part() -> None:
    """What the cache is asked for while the training part is augmented."""
    heard: set[str] = set()

    class Watched(Waves):
        def __call__(self, clip: Clip) -> np.ndarray:
            heard.add(clip.clip_id)
            return super().__call__(clip)

    made = [replace(clip, speaker="ab"[number % 2], sha256=str(number)) for number, clip in enumerate(clips(12))]
    split = Split("kfold", tuple(made[:6]), tuple(made[6:9]), tuple(made[9:]), speaker_disjoint=False)
    chain = [{"name": "babble", "probability": 1}, {"name": "concatenation", "probability": 1}]
    configuration = validate({"augmentation": {"waveform": chain}})
    training = Material(split, EMOTIONS, ALLOWED).dataset("train", Watched(), augmented_by=configuration)
    for epoch, index in product(range(10), range(6)):
        training[epoch, index]
    assert heard == {clip.clip_id for clip in made[:6]}
    heard.clear()
    some = Material(split, EMOTIONS, ALLOWED).dataset("train", Watched(), augmented_by=configuration, indices=[0, 3, 4])
    for epoch, index in product(range(10), range(3)):
        some[epoch, index]
    assert heard == {"0", "3", "4"}
    validation = Material(split, EMOTIONS, ALLOWED).dataset("validation", Watched())
    assert validation.scene.companions is None


def test_babble_and_concatenation_change_an_item_by_the_companions_alone() -> None:
    chain = (ConcatenationSettings(probability=1), BabbleSettings(probability=1))
    rich = ClipDataset(clips(), Waves(), emotions=EMOTIONS, allowed=ALLOWED, seed=0, augmentation=chain)
    assert len(rich[0, 0].wave) > len(Waves()(clips()[0]))
    assert torch.equal(rich[2, 3].wave, rich[2, 3].wave)


def order(sampler: EpochSampler, epoch: int) -> list[int]:
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert {address[0] for batch in batches for address in batch} == {epoch}
    return [index for batch in batches for _, index in batch]


def test_an_epoch_is_a_permutation_and_another_one_each_time() -> None:
    sampler = EpochSampler([0] * 24, batch_size=8, seed=1)
    orders = [order(sampler, epoch) for epoch in range(4)]
    assert all(sorted(each) == list(range(24)) for each in orders)
    assert len({tuple(each) for each in orders}) == 4
    assert order(sampler, 2) == orders[2] == order(EpochSampler([0] * 24, batch_size=8, seed=1), 2)
    assert order(EpochSampler([0] * 24, batch_size=8, seed=2), 2) != orders[2]


@pytest.mark.parametrize(("clips", "batch_size", "batches"), [(25, 8, 3), (8, 8, 1), (7, 8, 1), (2, 8, 1), (16, 8, 2)])
def test_the_last_short_batch_is_left_out_unless_it_is_the_only_one(clips: int, batch_size: int, batches: int) -> None:
    sampler = EpochSampler([0] * clips, batch_size=batch_size, seed=0)
    assert len(sampler) == len(list(sampler)) == batches
    assert {len(batch) for batch in sampler} == {min(batch_size, clips)}


def test_balanced_sampling_balances() -> None:
    targets = [0] * 400 + [1] * 80 + [2] * 20
    sampler = EpochSampler(targets, batch_size=50, seed=0, balanced=True)
    drawn = Counter(targets[index] for epoch in range(8) for index in order(sampler, epoch))
    assert sum(drawn.values()) == 4000
    for emotion in range(3):
        assert drawn[emotion] == pytest.approx(4000 / 3, abs=4 * (4000 * 2 / 9) ** 0.5)
    plain = Counter(targets[index] for index in order(EpochSampler(targets, batch_size=50, seed=0), 0))
    assert plain == {0: 400, 1: 80, 2: 20}


@pytest.mark.parametrize("lengths", [[3.0, 1.0, 2.0, 5.0, 4.0], [1.0], [2.0] * 4])
def test_evaluation_hears_every_clip_once_and_like_with_like(lengths: Sequence[float]) -> None:
    batches = list(LengthSampler(lengths, batch_size=2))
    heard = [index for batch in batches for _, index in batch]
    assert sorted(heard) == list(range(len(lengths)))
    assert [lengths[index] for index in heard] == sorted(lengths)
    assert len(LengthSampler(lengths, batch_size=2)) == len(batches)
    assert all(len(batch) <= 2 for batch in batches)


def test_a_batch_is_padded_with_zeros_at_the_end() -> None:
    items = [
        Item(torch.ones(length), target, torch.tensor([True, allowed]), index)
        for length, target, allowed, index in [(3, 0, True, 7), (5, 1, False, 2)]
    ]
    batch = collate(items)
    assert batch.wave.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch.n_samples.tolist() == [3, 5]
    assert batch.target.tolist() == [0, 1]
    assert batch.allowed.tolist() == [[True, True], [True, False]]
    assert batch.index.tolist() == [7, 2]
