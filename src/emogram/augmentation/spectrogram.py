"""Augmentations of a batch of standardised spectrograms [B, C, F, N]: masks and a smooth random equaliser."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class SpectrogramAugmentationSettings(BaseModel):
    """Sizes of the augmentations of spectrograms. Zero turns one off."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    masks: int = Field(2, ge=0, le=10, description="number of frequency masks, and of time masks (SpecAugment)")
    frequency_mask: float = Field(0.18, ge=0, lt=1, description="largest part of the bands under one mask")
    time_mask: float = Field(0.1, ge=0, lt=1, description="largest part of the frames under one mask")
    filter_gain: float = Field(
        0.3, ge=0, le=3, description="largest gain of a random smooth equaliser (FilterAugment), in training deviations"
    )


@dataclass(frozen=True, slots=True)
class SpectrogramDraw:
    """What happens to each clip of a batch.

    Attributes:
        masked: [B, F, N], true where a mask lies.
        gain: [B, F], added to each band.
    """

    masked: npt.NDArray[np.bool_]
    gain: npt.NDArray[np.float32]


_FILTER_KNOTS = 5


def draw(
    settings: SpectrogramAugmentationSettings, rng: np.random.Generator, *, clips: int, bands: int, frames: int
) -> SpectrogramDraw:
    """Draw masks (Park et al. 2019, SpecAugment) and gains over frequency (Nam et al. 2022, FilterAugment)."""
    masked = np.zeros((clips, bands, frames), dtype=bool)
    if settings.masks:
        band_masks = _masks(rng, clips, settings.masks, bands, settings.frequency_mask)
        frame_masks = _masks(rng, clips, settings.masks, frames, settings.time_mask)
        masked = band_masks[:, :, None] | frame_masks[:, None, :]
    gain = np.zeros((clips, bands), dtype=np.float32)
    if settings.filter_gain:
        knots = rng.uniform(-settings.filter_gain, settings.filter_gain, (clips, _FILTER_KNOTS))
        positions = np.linspace(0, _FILTER_KNOTS - 1, bands)
        for clip in range(clips):
            gain[clip] = np.interp(positions, np.arange(_FILTER_KNOTS), knots[clip])
    return SpectrogramDraw(masked=masked, gain=gain)


def apply(spec: Tensor, drawn: SpectrogramDraw) -> Tensor:
    """The augmented batch; the input is left as it is. A mask sets to zero, the mean of the training part.

    Shape:
        spec [B, C, F, N] -> the same
    """
    spec = spec + torch.from_numpy(drawn.gain).to(spec.device)[:, None, :, None]
    return spec.masked_fill(torch.from_numpy(drawn.masked).to(spec.device)[:, None], 0.0)


def _masks(rng: np.random.Generator, clips: int, masks: int, size: int, largest: float) -> npt.NDArray[np.bool_]:
    """[clips, size], true under any of `masks` runs of random place and random length up to `largest` of the size."""
    lengths = rng.integers(0, int(largest * size) + 1, (clips, masks))
    starts = (rng.random((clips, masks)) * (size - lengths + 1)).astype(np.int64)
    positions = np.arange(size)
    inside = (positions >= starts[..., None]) & (positions < (starts + lengths)[..., None])
    return np.asarray(inside.any(axis=1))
