"""Augmentations that combine the clips of a batch: mixup."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class BatchSettings(BaseModel):
    """Settings of the augmentations of batches. Zero turns one off."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    mixup: float = Field(0.3, ge=0, le=10, description="both parameters of the beta distribution of the weight")


@dataclass(frozen=True, slots=True)
class MixupDraw:
    """Clip b becomes ``weight`` of itself and the rest of clip ``partner[b]``."""

    weight: float
    partner: npt.NDArray[np.int64]


def draw(settings: BatchSettings, rng: np.random.Generator, *, clips: int) -> MixupDraw | None:
    """Draw a weight for the batch and a partner for each clip (Zhang et al. 2018), or None where mixup is off."""
    if not settings.mixup:
        return None
    return MixupDraw(weight=float(rng.beta(settings.mixup, settings.mixup)), partner=rng.permutation(clips))


def apply(values: Tensor, drawn: MixupDraw) -> Tensor:
    """Mix along the first axis: spectrograms [B, C, F, N] and targets [B, K] alike."""
    partner = values[torch.from_numpy(drawn.partner).to(values.device)]
    return torch.lerp(partner, values, drawn.weight)
