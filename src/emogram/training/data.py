"""Batches of a run: every random choice follows from seed, epoch and clip, never from what was drawn before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from emogram.augmentation import draw
from emogram.augmentation.recordings import Recordings
from emogram.augmentation.timing import crop
from emogram.augmentation.waveform import Companions, Scene, WaveformAugmentation
from emogram.corpora.clip import Clip
from emogram.training.cache import AudioCache

Purpose = Literal["order", "clip", "batch", "dropout", "weights", "distillation", "noise", "soup", "search"]
_PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


def generator(seed: int, purpose: Purpose, *position: int) -> np.random.Generator:
    """Random numbers for one purpose at one position (epoch, clip …) of a run, the same on every machine."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, _PURPOSES.index(purpose), *position])))


@dataclass(frozen=True, slots=True)
class Item:
    """One clip, ready for a batch: its wave [T], which emotion it is, and which ones its corpus can have."""

    wave: Tensor
    target: int
    allowed: Tensor
    index: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips padded with zeros to one length.

    Attributes:
        wave: [B, T].
        n_samples: [B], true lengths.
        target: [B], index of the emotion.
        allowed: [B, K], true for the emotions that the clip's corpus can have.
        index: [B], positions in the list of clips.
    """

    wave: Tensor
    n_samples: Tensor
    target: Tensor
    allowed: Tensor
    index: Tensor


class ClipDataset(Dataset[Item]):
    """Clips of one part, addressed by (epoch, position); augmented and cropped where settings are given.

    Augmentations that need other clips (babble, concatenation) take them from this part alone.

    Args:
        clips: of the part.
        cache: gives their waves.
        emotions: of the run, in order.
        allowed: emotions that each corpus can have.
        seed: of the run.
        augmentation: chain for waves, in order, or None for clips as they are.
        crop_s: length in seconds of a random crop, or None for whole clips.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        cache: AudioCache,
        *,
        emotions: Sequence[str],
        allowed: dict[str, frozenset[str]],
        seed: int,
        augmentation: Sequence[WaveformAugmentation] | None = None,
        crop_s: float | None = None,
    ) -> None:
        self.clips = tuple(clips)
        self.cache = cache
        self.seed = seed
        self.augmentation = None if augmentation is None else tuple(augmentation)
        companions = None if augmentation is None else self.companions()
        self.scene = Scene(cache.sample_rate, Recordings(cache.sample_rate), companions)
        self.crop_length = None if crop_s is None else round(crop_s * cache.sample_rate)
        self.targets = tuple(emotions.index(clip.emotion) for clip in clips)
        self.allowed = {
            corpus: torch.tensor([emotion in labels for emotion in emotions]) for corpus, labels in allowed.items()
        }

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, address: tuple[int, int]) -> Item:
        epoch, index = address
        clip = self.clips[index]
        wave = self.cache(clip)
        if self.augmentation is not None:
            rng, scene = generator(self.seed, "clip", epoch, index), self.scene.at(index)
            for drawn in draw(self.augmentation, rng, scene):
                wave = drawn.apply(wave, scene)
            if self.crop_length is not None:
                wave = crop(wave, self.crop_length, rng.random())
        return Item(torch.from_numpy(np.ascontiguousarray(wave)), self.targets[index], self.allowed[clip.corpus], index)

    def companions(self) -> Companions:
        """The clips of this part, as what may sound in one another."""
        return Companions(
            lambda index: self.cache(self.clips[index]),
            speakers=[clip.speaker for clip in self.clips],
            emotions=[clip.emotion for clip in self.clips],
            corpora=[clip.corpus for clip in self.clips],
        )


class EpochSampler(Sampler[list[tuple[int, int]]]):
    """Batches of addresses (epoch, position) for training: shuffled anew each epoch, the last short batch left out.

    Args:
        targets: emotion index of each clip.
        batch_size: clips a batch; all of them where there are fewer.
        seed: of the run.
        balanced: draw each emotion equally often, with replacement, instead of each clip once.
    """

    def __init__(self, targets: Sequence[int], *, batch_size: int, seed: int, balanced: bool = False) -> None:
        self.targets = np.asarray(targets)
        self.batch_size = min(batch_size, len(targets))
        self.seed = seed
        self.balanced = balanced
        self.epoch = 0

    @property
    def sampler(self) -> "EpochSampler":
        """Itself: Lightning tells the epoch to a loader's ``batch_sampler.sampler`` and nowhere else."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration belongs to; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.targets) // self.batch_size

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        rng = generator(self.seed, "order", self.epoch)
        if self.balanced:
            counts = np.bincount(self.targets)
            chance = 1.0 / counts[self.targets]
            order = rng.choice(len(self.targets), len(self.targets), p=chance / chance.sum())
        else:
            order = rng.permutation(len(self.targets))
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield [(self.epoch, int(index)) for index in order[start : start + self.batch_size]]


class LengthSampler(Sampler[list[tuple[int, int]]]):
    """Batches for evaluation: every clip once, clips of like length together so that little is padded.

    Args:
        lengths: of the clips, any unit.
        batch_size: clips a batch.
    """

    def __init__(self, lengths: Sequence[float], *, batch_size: int) -> None:
        order = np.argsort(np.asarray(lengths), kind="stable")
        self.batches = [
            [(0, int(index)) for index in order[start : start + batch_size]]
            for start in range(0, len(order), batch_size)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return iter(self.batches)


def collate(items: Sequence[Item]) -> Batch:
    """Pad the waves of a batch with zeros to the longest."""
    return Batch(
        wave=torch.nn.utils.rnn.pad_sequence([item.wave for item in items], batch_first=True),
        n_samples=torch.tensor([len(item.wave) for item in items]),
        target=torch.tensor([item.target for item in items]),
        allowed=torch.stack([item.allowed for item in items]),
        index=torch.tensor([item.index for item in items]),
    )
