"""Batches of waves with the teacher's frames of the same waves, averaged over the student's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from emogram.augmentation import draw
from emogram.augmentation.waveform import WaveformAugmentation
from emogram.training.data import Batch, ClipDataset, Item, collate, generator
from emogram.training.distillation.alignment import FrameGrid, overlaps
from emogram.training.distillation.teacher import TeacherFrames


@dataclass(frozen=True, slots=True)
class FrameItem:
    """One clip: what the student hears, the teacher's frames [N', D], and which of them are real, [N']."""

    heard: Item
    frames: Tensor
    real: Tensor


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Clips with the teacher's frames, padded with zeros to one length.

    Attributes:
        heard: by the student.
        frames: [B, N', D], as the teacher gives them.
        real: [B, N'], one where there is a frame.
    """

    heard: Batch
    frames: Tensor
    real: Tensor


class FrameDataset(Dataset[FrameItem]):
    """The clips of a `ClipDataset`, of which student and teacher hear the same copy, addressed by (epoch, position).

    Args:
        clips: of the part.
        teacher: gives frames.
        student: grid of its frames, in seconds.
        hop_s: from frame to frame of the student's spectrogram.
        copies: augmented copies to draw from beside the clip itself; 0 for clips as they are.
        seed: of the draws.
        crop_s: length in seconds of a random crop, or None for whole clips. The teacher has heard the whole clip.
        noise: chain of what the student hears and the teacher has not.
    """

    def __init__(
        self,
        clips: ClipDataset,
        teacher: TeacherFrames,
        student: FrameGrid,
        hop_s: float,
        *,
        copies: int,
        seed: int,
        crop_s: float | None,
        noise: Sequence[WaveformAugmentation] = (),
    ) -> None:
        self.noise = tuple(noise)
        self.scene = replace(teacher.scene, companions=clips.companions())
        self.clips, self.teacher, self.student, self.hop_s = clips, teacher, student, hop_s
        self.copies, self.seed = copies, seed
        self.crop_length = None if crop_s is None else round(crop_s * teacher.cache.sample_rate)

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, address: tuple[int, int]) -> FrameItem:
        epoch, index = address
        clip = self.clips.clips[index]
        rng = generator(self.seed, "clip", epoch, index)
        copy = int(rng.integers(self.copies + 1))
        wave, position, start = self.teacher.wave(clip, copy), rng.random(), 0
        if self.crop_length is not None:
            start = round(max(0, len(wave) - self.crop_length) * position)
            wave = wave[start : start + self.crop_length]
        scene = self.scene.at(index)
        for drawn in draw(self.noise, generator(self.seed, "noise", epoch, index), scene):
            wave = drawn.apply(wave, scene)
        frames, real = self.averaged(self.teacher(clip, copy), len(wave), start)
        target, allowed = self.clips.targets[index], self.clips.allowed[clip.corpus]
        return FrameItem(Item(torch.from_numpy(np.ascontiguousarray(wave)), target, allowed, index), frames, real)

    def averaged(self, frames: np.ndarray, n_samples: int, start: int = 0) -> tuple[Tensor, Tensor]:
        """The teacher's frames [Q, D] over those that the student has for `n_samples` from sample `start` on.

        Returns:
            [N', D], and [N'], zero where the teacher has no frame.
        """
        rate = self.teacher.cache.sample_rate
        count = int(np.ceil((n_samples / rate / self.hop_s + 1) * self.hop_s / self.student.step))
        weights = overlaps(self.student, count, self.teacher.grid, len(frames), start=start / rate)
        averaged = weights @ frames.astype(np.float64)
        return torch.from_numpy(averaged.astype(np.float32)), torch.from_numpy(weights.sum(axis=1) > 0).float()


def collate_frames(items: Sequence[FrameItem]) -> FrameBatch:
    """Pad the waves and the frames of a batch with zeros to the longest."""
    return FrameBatch(
        heard=collate([item.heard for item in items]),
        frames=torch.nn.utils.rnn.pad_sequence([item.frames for item in items], batch_first=True),
        real=torch.nn.utils.rnn.pad_sequence([item.real for item in items], batch_first=True),
    )
