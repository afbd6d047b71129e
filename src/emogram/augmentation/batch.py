"""Augmentations that combine the clips of a batch: mixup and cutmix."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import override

from emogram.augmentation.settings import Augmentation, Draw, Part


@dataclass(frozen=True, slots=True)
class Examples:
    """A batch as the network and its loss meet it.

    Attributes:
        spec: [B, C, F, N], standardised.
        targets: [B, K], parts of each emotion.
        allowed: [B, K], true for the emotions that the clip's corpus can have.
        n_frames: [B], true lengths, None where no clip is padded.
    """

    spec: Tensor
    targets: Tensor
    allowed: Tensor
    n_frames: Tensor | None


class BatchDraw(Draw):
    """What happens to a batch: clip b meets clip ``partner[b]``."""

    partner: tuple[int, ...]

    def apply(self, examples: Examples) -> Examples:
        """The combined batch; the input is left as it is."""
        raise NotImplementedError


class BatchAugmentation(Augmentation):
    """Settings of an augmentation of batches; its probability is that of each batch."""

    def draw(self, rng: np.random.Generator, clips: int, /) -> BatchDraw | None:
        """What happens this time to a batch of so many clips, None for nothing."""
        return self.drawn(rng, clips) if rng.random() < self.probability else None

    def drawn(self, rng: np.random.Generator, clips: int) -> BatchDraw:
        """What happens when it happens."""
        raise NotImplementedError


class MixupDraw(BatchDraw):
    """Clip b becomes ``weight`` of itself and the rest of its partner."""

    name: Literal["mixup"] = "mixup"
    weight: Part

    @override
    def apply(self, examples: Examples) -> Examples:
        partner = torch.tensor(self.partner, device=examples.spec.device)
        frames = examples.n_frames
        return Examples(
            spec=torch.lerp(examples.spec[partner], examples.spec, self.weight),
            targets=torch.lerp(examples.targets[partner], examples.targets, self.weight),
            allowed=examples.allowed | examples.allowed[partner],
            n_frames=None if frames is None else torch.maximum(frames, frames[partner]),
        )


class MixupSettings(BatchAugmentation):
    """Clips and their targets are mixed in pairs, one weight a batch (Zhang et al. 2018, mixup)."""

    draws: ClassVar = MixupDraw

    name: Literal["mixup"] = "mixup"
    alpha: float = Field(0.3, gt=0, le=10, description="both parameters of the beta distribution of the weight")

    @override
    def drawn(self, rng: np.random.Generator, clips: int) -> MixupDraw:
        return MixupDraw(weight=float(rng.beta(self.alpha, self.alpha)), partner=rng.permutation(clips).tolist())


class CutMixDraw(BatchDraw):
    """A run of frames, ``part`` of what both clips have, is taken from the partner, from ``position`` (0 to 1) on."""

    name: Literal["cutmix"] = "cutmix"
    part: Part
    position: Part

    @override
    def apply(self, examples: Examples) -> Examples:
        spec, targets = examples.spec, examples.targets
        partner = torch.tensor(self.partner, device=spec.device)
        frames = spec.shape[3]
        own = torch.full_like(partner, frames) if examples.n_frames is None else examples.n_frames
        shared = torch.minimum(own, own[partner]).double()
        taken = torch.round(shared * self.part)
        start = torch.round((shared - taken) * self.position)
        places = torch.arange(frames, device=spec.device)
        inside = (places >= start[:, None]) & (places < (start + taken)[:, None])
        weight = (1 - taken / own.clamp(min=1)).to(targets)[:, None]
        return replace(
            examples,
            spec=torch.where(inside[:, None, None, :], spec[partner], spec),
            targets=torch.lerp(targets[partner], targets, weight),
            allowed=examples.allowed | examples.allowed[partner],
        )


class CutMixSettings(BatchAugmentation):
    """A run of frames comes from another clip, and the targets are mixed by area (Yun et al. 2019, CutMix, in time)."""

    draws: ClassVar = CutMixDraw

    name: Literal["cutmix"] = "cutmix"
    probability: float = Field(0.5, ge=0, le=1, description="chance that it happens, for each batch")
    alpha: float = Field(1.0, gt=0, le=10, description="both parameters of the beta distribution of the part taken")

    @override
    def drawn(self, rng: np.random.Generator, clips: int) -> CutMixDraw:
        part, position = float(rng.beta(self.alpha, self.alpha)), float(rng.random())
        return CutMixDraw(part=part, position=position, partner=rng.permutation(clips).tolist())
